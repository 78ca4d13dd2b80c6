"""The API under the page: strategies, and the visitor's photographs. See docs/openapi.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from functions.contract.manifest import ManifestReader
from web import ids, own
from web.bodies import read_json
from web.coloring import Coloring
from web.entity_tags import entity_tag, is_held
from web.photographs import Photograph, Photographs
from web.problems import invalid
from web.strategies import shown
from web.visitors import Visitors
from web.wishes import MEMBERS_OF_RECOLORING, Wish, refuse_others

MAX_IDS = 50  # that are asked for at once


@dataclass(frozen=True)
class Api:
    manifest: ManifestReader
    visitors: Visitors
    photographs: Photographs
    max_upload_bytes: int

    def strategies(self, request: Request) -> JSONResponse:
        return JSONResponse(shown(self.manifest.read()))

    async def create(self, request: Request) -> JSONResponse:
        return await run_in_threadpool(self._create, request, await read_json(request))

    def _create(self, request: Request, data: dict[str, Any]) -> JSONResponse:
        wish = Wish.parse(data, self.manifest.read(), self.max_upload_bytes)
        visitor = self.visitors.welcome(request)
        photograph, upload = self.photographs.add(visitor, wish)
        response = JSONResponse(
            {"id": photograph.id, "upload": upload}, HTTPStatus.CREATED, _location(photograph)
        )
        self.visitors.remember(visitor, request, response)
        return response

    def show(self, request: Request) -> Response:
        return _unless_held(request, self.photographs.describe(self._asked_for(request)))

    def delete(self, request: Request) -> Response:
        self.photographs.delete(self._asked_for(request))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def recolor(self, request: Request) -> JSONResponse:
        return await run_in_threadpool(self._recolor, request, await read_json(request))

    def _recolor(self, request: Request, data: dict[str, Any]) -> JSONResponse:
        photograph = self._asked_for(request)
        refuse_others(data, MEMBERS_OF_RECOLORING)
        before = {"strategy": photograph.coloring.strategy}
        coloring = Coloring.parse(before | data, self.manifest.read())
        beside = data.get("beside", False)
        if not isinstance(beside, bool):
            raise invalid("'beside' must be true or false.")
        asked = self.photographs.recolor(photograph, coloring, beside=beside)
        return JSONResponse(
            self.photographs.describe(asked),
            HTTPStatus.CREATED if beside else HTTPStatus.ACCEPTED,
            _location(asked),
        )

    def album(self, request: Request) -> Response:
        following = None
        if asked := request.query_params.getlist("ids"):
            image_ids, visitor = _ids(asked), self.visitors.known(request)
            images = self.photographs.several(visitor, image_ids) if visitor else []
        else:
            images, following = own.album(request, self.visitors, self.photographs)
        return _unless_held(request, {"images": images, "next": following})

    def _asked_for(self, request: Request) -> Photograph:
        return own.asked_for(request, self.visitors, self.photographs)


def _ids(texts: list[str]) -> list[str]:
    """The photographs' ids in some ``id,id,id``, each once; raises :class:`Problem`."""
    found = list(dict.fromkeys(one for text in texts if text for one in text.split(",")))
    if len(found) > MAX_IDS or not all(map(ids.is_id, found)):
        raise invalid(f"'ids' must be up to {MAX_IDS} photographs' ids with commas between them.")
    return found


def _unless_held(request: Request, content: dict[str, Any]) -> Response:
    """The content, or only that it is still what the browser holds."""
    tag = entity_tag(content)
    # A browser may keep it, if it asks each time whether it still holds.
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if is_held(tag, request.headers.get("if-none-match", "")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return JSONResponse(content, headers=headers)


def _location(photograph: Photograph) -> dict[str, str]:
    return {"Location": f"/api/images/{photograph.id}"}
