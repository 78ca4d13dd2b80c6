"""The page's log: a line of JSON each, with the correlation id that dispatch and worker log too."""

from __future__ import annotations

from aws_lambda_powertools import Logger

logger = Logger(service="web")
