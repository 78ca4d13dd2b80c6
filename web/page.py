"""The pages, drawn by the server; all that is essential on them works without a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from functions.contract.manifest import ManifestMissingError, ManifestReader
from functions.contract.records import Status
from web import gallery, own
from web.bodies import read_form
from web.coloring import MAX_HINTS, Coloring
from web.drawing import Drawing
from web.log import logger
from web.photographs import Photograph, Photographs
from web.strategies import shown
from web.visitors import Visitors
from web.wishes import Wish
from web.words import spoken

REFRESH_SECONDS = 3
FINAL = {status for status in Status if status.is_final}


@dataclass(frozen=True)
class Page:
    manifest: ManifestReader
    visitors: Visitors
    photographs: Photographs
    drawing: Drawing
    origin: str = ""

    def show(self, request: Request) -> Response:
        manifest = self._manifest()
        context = {
            "manifest": manifest,
            "refresh_seconds": REFRESH_SECONDS,
            "chosen": manifest and manifest["default"],
            "turned": {},
            "gallery": gallery.EXAMPLES,
        }
        response = self.drawing.draw(request, "index.html", context)
        self.visitors.remember(self.visitors.welcome(request), request, response)
        return response

    def album(self, request: Request) -> Response:
        """For where no script runs to list the photographs on the first page."""
        views, following = own.album(request, self.visitors, self.photographs)
        context = {"views": views, "following": following}
        return self.drawing.draw(request, "album.html", context)

    def photograph(self, request: Request) -> Response:
        photograph = self._asked_for(request)
        view = self.photographs.describe(photograph)
        context = {
            "view": view,
            "is_final": view["status"] in FINAL,
            "manifest": self._manifest(),
            "refresh_seconds": REFRESH_SECONDS,
            "chosen": view["strategy"],
            "turned": view["knobs"],
            "max_hints": MAX_HINTS,
        }
        return self.drawing.draw(request, "photograph.html", context)

    def upload(self, request: Request) -> Response:
        """The second step where no script runs: a form that posts straight to S3."""
        manifest = self.manifest.read()
        name = spoken(request).say("page", "upload_file")
        wish = Wish.unseen(_own_fields(request.query_params), manifest, name)
        if request.method == "HEAD":
            return _bodiless()  # who only looks begins no upload
        visitor = self.visitors.welcome(request)
        _, upload = self.photographs.add(visitor, wish, back_to=self._address(request))
        card = manifest.strategies[wish.coloring.strategy]
        context = {"upload": upload, "title": card.get("title") or card["name"]}
        response = self.drawing.draw(request, "upload.html", context)
        # Its form tells the storage where it comes from; else browsers would say "null".
        response.headers["Referrer-Policy"] = "strict-origin"
        self.visitors.remember(visitor, request, response)
        return response

    def _address(self, request: Request) -> str:
        """Where visitors see the site: a proxy in front of it may call it by another name."""
        return f"{self.origin}/" if self.origin else str(request.base_url)

    async def delete_photograph(self, request: Request) -> Response:
        return await run_in_threadpool(self._delete, request)

    def _delete(self, request: Request) -> Response:
        self.photographs.delete(self._asked_for(request))
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)

    async def recolor_photograph(self, request: Request) -> Response:
        return await run_in_threadpool(self._recolor, request, await read_form(request))

    def _recolor(self, request: Request, form: Mapping[str, str]) -> Response:
        photograph = self._asked_for(request)
        coloring = Coloring.of_form(_own_fields(form), self.manifest.read())
        asked = self.photographs.recolor(photograph, coloring, beside="beside" in form)
        return RedirectResponse(f"/photographs/{asked.id}", HTTPStatus.SEE_OTHER)

    def _asked_for(self, request: Request) -> Photograph:
        return own.asked_for(request, self.visitors, self.photographs)

    def _manifest(self) -> dict[str, Any] | None:
        """None while the workers, or the storage itself, are still starting: the page waits."""
        try:
            return shown(self.manifest.read())
        except ManifestMissingError:
            return None
        except (BotoCoreError, ClientError) as error:
            logger.error("The manifest cannot be read: %s", error)
            return None


def _bodiless() -> Response:
    """To HEAD, which must not be told another length than GET."""
    response = HTMLResponse()
    del response.headers["Content-Length"]
    return response


def _own_fields(form: Mapping[str, str]) -> dict[str, str]:
    """The chosen strategy and its knobs, which the form calls ``<strategy>.<knob>``."""
    strategy = form.get("strategy", "")
    own = f"{strategy}."
    knobs = {name.removeprefix(own): form[name] for name in form if name.startswith(own)}
    return {"strategy": strategy} | knobs
