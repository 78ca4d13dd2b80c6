"""The application: its routes, and what they are built from.

``uvicorn --factory web.app:create_app`` serves it. The environment says where everything is:
``DEEPCOLOR_WEB_SECRET``, those of :class:`functions.contract.settings.Settings`, boto3's own, and
``DEEPCOLOR_PAGE_ORIGIN`` (``https://color.example.org``) where visitors know the site by another
name than its server does.
"""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from functions.contract.manifest import ManifestReader
from functions.contract.settings import Settings
from web import problems
from web.api import Api
from web.assets import Assets
from web.drawing import Drawing
from web.headers import SecurityHeaders
from web.page import Page
from web.photographs import Photographs
from web.same_origin import SameOrigin
from web.storage import browser_origins, s3_client
from web.visitors import Visitors


def create_app() -> SecurityHeaders:
    settings = Settings.from_environment()
    visitors = Visitors.from_environment()
    s3 = s3_client()
    manifest = ManifestReader(s3, settings.results_bucket)
    assets = Assets.of_this_package()
    photographs = Photographs(s3, settings)
    origin = os.environ.get("DEEPCOLOR_PAGE_ORIGIN", "")
    drawing = Drawing(assets.url, settings.max_upload_bytes)
    page = Page(manifest, visitors, photographs, drawing, origin)
    api = Api(manifest, visitors, photographs, settings.max_upload_bytes)
    app = Starlette(
        routes=[
            Route("/", page.show, methods=["GET"]),
            Route("/album", page.album, methods=["GET"]),
            Route("/photographs/{id}", page.photograph, methods=["GET"]),
            Route("/photographs/{id}/delete", page.delete_photograph, methods=["POST"]),
            Route("/photographs/{id}/recolor", page.recolor_photograph, methods=["POST"]),
            Route("/upload", page.upload, methods=["GET"]),
            Route("/health", health, methods=["GET"]),
            Route("/api/strategies", api.strategies, methods=["GET"]),
            Route("/api/images", api.album, methods=["GET"]),
            Route("/api/images", api.create, methods=["POST"]),
            Route("/api/images/{id}", api.show, methods=["GET"]),
            Route("/api/images/{id}", api.delete, methods=["DELETE"]),
            Route("/api/images/{id}/recolor", api.recolor, methods=["POST"]),
            Mount(assets.url, assets.app),
        ],
        middleware=[
            Middleware(GZipMiddleware, minimum_size=1000),
            Middleware(SameOrigin, origin=origin, answer=drawing.answer),
        ],
        exception_handlers=problems.handlers(drawing.answer),
    )
    # They would lead to the host that was asked, which need not be the site's own.
    app.router.redirect_slashes = False
    buckets = [settings.uploads_bucket, settings.results_bucket]
    return SecurityHeaders(app, browser_origins(s3, buckets))


def health(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})
