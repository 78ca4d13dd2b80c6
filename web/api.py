"""The API under the page: strategies, and the visitor's photographs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from functions.contract.manifest import ManifestReader
from web import ids
from web.photographs import Photographs
from web.problems import Problem, no_photograph
from web.strategies import shown
from web.visitors import Visitors
from web.wishes import Wish

MAX_BODY_BYTES = 16 * 1024


@dataclass(frozen=True)
class Api:
    manifest: ManifestReader
    visitors: Visitors
    photographs: Photographs
    max_upload_bytes: int

    def strategies(self, request: Request) -> JSONResponse:
        return JSONResponse(shown(self.manifest.read()))

    async def create(self, request: Request) -> JSONResponse:
        data = await _json(request)
        return await run_in_threadpool(self._create, request, data)

    def _create(self, request: Request, data: Any) -> JSONResponse:
        wish = Wish.parse(data, self.manifest.read(), self.max_upload_bytes)
        visitor = self.visitors.welcome(request)
        photograph, upload = self.photographs.add(visitor, wish)
        response = JSONResponse(
            {"id": photograph.id, "upload": upload},
            HTTPStatus.CREATED,
            {"Location": f"/api/images/{photograph.id}"},
        )
        self.visitors.remember(visitor, request, response)
        return response

    def show(self, request: Request) -> JSONResponse:
        visitor = self.visitors.known(request)
        photograph = visitor and self.photographs.find(visitor, request.path_params["id"])
        if not photograph:
            raise no_photograph()
        return JSONResponse(self.photographs.describe(photograph))

    def album(self, request: Request) -> JSONResponse:
        after = request.query_params.get("after", "")
        if after and not ids.is_id(after):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "'after' must be a photograph's id."
            )
        visitor = self.visitors.known(request)
        images, following = self.photographs.album(visitor, after) if visitor else ([], None)
        return JSONResponse({"images": images, "next": following})


async def _json(request: Request) -> Any:
    # A form of another site could be posted without asking, but not as JSON.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not-json", "Send the request as application/json."
        )
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "request-too-large",
                f"The request is longer than {MAX_BODY_BYTES} bytes.",
            )
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(
            HTTPStatus.BAD_REQUEST, "not-json", "The request is not valid JSON."
        ) from None
