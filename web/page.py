"""The page itself, drawn by the server."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from functions.contract.manifest import ManifestMissingError, ManifestReader
from web import wishes
from web.strategies import shown
from web.visitors import Visitors

logger = logging.getLogger(__name__)

TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")


@dataclass(frozen=True)
class Page:
    manifest: ManifestReader
    visitors: Visitors
    assets_url: str
    max_upload_bytes: int

    def show(self, request: Request) -> Response:
        context = {
            "assets": self.assets_url,
            "manifest": self._manifest(),
            "accept": ",".join(wishes.ACCEPTED),
            "kinds": wishes.listing(),
            "limit": wishes.megabytes(self.max_upload_bytes),
        }
        response = TEMPLATES.TemplateResponse(request, "index.html", context)
        self.visitors.remember(self.visitors.welcome(request), request, response)
        return response

    def _manifest(self) -> dict[str, Any] | None:
        """None while the workers, or the storage itself, are still starting: the page waits."""
        try:
            return shown(self.manifest.read())
        except ManifestMissingError:
            return None
        except (BotoCoreError, ClientError) as error:
            logger.error("The manifest cannot be read: %s", error)
            return None
