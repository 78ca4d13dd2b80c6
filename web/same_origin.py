"""Requests that change something must come from the page itself, not from another site's."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from web.problems import Answer, Problem

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
BEGINS_UPLOAD = ("GET", "/upload")  # for browsers without scripts send a form so
OWN = {"same-origin", "none"}  # "none" is the visitor's own doing, such as sending a form again


class SameOrigin:
    """Refuses what a browser sends in its visitor's name, but for another site.

    Browsers say so in ``Sec-Fetch-Site``; those of before 2023 only name the ``Origin``, which
    must then be ``origin``, the one that visitors know, or that of the host that was asked: a
    proxy may ask by another name. Programs send neither, and carry nobody's cookie unawares.
    """

    def __init__(self, app: ASGIApp, origin: str, answer: Answer):
        self.app = app
        self.origin = origin
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _changes_something(scope):
            request = Request(scope)
            if not self._is_own(request.headers):
                await self.answer(request, _ANOTHER_SITE)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in OWN
        origin = headers.get("origin")
        return origin in {None, self.origin} or origin.partition("://")[2] == headers.get("host")


def _changes_something(scope: Scope) -> bool:
    return scope["method"] not in SAFE_METHODS or (scope["method"], scope["path"]) == BEGINS_UPLOAD


_ANOTHER_SITE = Problem(
    HTTPStatus.FORBIDDEN,
    "another-site",
    "Another site sent this request. Do it on the page itself.",
)
