"""Requests that change something must come from the page itself, not from another site's."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from web.problems import Problem, ProblemResponse

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
OWN = {"same-origin", "none"}  # "none" is the visitor's own doing, such as sending a form again


class SameOrigin:
    """Refuses what a browser sends in its visitor's name, but for another site.

    Browsers say so in ``Sec-Fetch-Site``; those of before 2023 only name the ``Origin``, whose
    host must then be the one that was asked. Programs send neither, and carry nobody's cookie
    unawares.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            headers = Headers(scope=scope)
            if not _is_own(headers):
                await ProblemResponse(_ANOTHER_SITE)(scope, receive, send)
                return
        await self.app(scope, receive, send)


_ANOTHER_SITE = Problem(
    HTTPStatus.FORBIDDEN,
    "another-site",
    "Another site sent this request. Do it on the page itself.",
)


def _is_own(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in OWN
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")
