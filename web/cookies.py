"""Cookies: each is kept for a year, from scripts and from what other sites send."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

YEAR_SECONDS = 365 * 24 * 3600


def keep(name: str, value: str, request: Request, response: Response) -> None:
    response.set_cookie(
        name,
        value,
        max_age=YEAR_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
