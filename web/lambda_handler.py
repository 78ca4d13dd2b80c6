"""The page as a Lambda function behind an HTTP API."""

from __future__ import annotations

from mangum import Mangum

from web.app import create_app

handler = Mangum(create_app(), lifespan="off")
