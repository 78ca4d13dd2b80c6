"""Who is visiting: a random id that only this browser knows, in a signed cookie."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from web import ids
from web.cookies import keep

COOKIE = "deepcolor_visitor"
SECRET_VARIABLE = "DEEPCOLOR_WEB_SECRET"  # noqa: S105, a variable's name


class SecretMissingError(Exception):
    """Cookies cannot be signed."""

    def __init__(self) -> None:
        super().__init__(
            f"{SECRET_VARIABLE} is not set. Set it to a long random text that stays the same"
            " from start to start: it signs the cookies by which visitors find their photographs."
        )


@dataclass(frozen=True)
class Visitors:
    signer: Signer

    @classmethod
    def from_environment(cls) -> Visitors:
        """Raises :class:`SecretMissingError` when there is nothing to sign with."""
        secret = os.environ.get(SECRET_VARIABLE)
        if not secret:
            raise SecretMissingError
        return cls(Signer(secret, salt=COOKIE, digest_method=hashlib.sha256))

    def known(self, request: Request) -> str | None:
        """The visitor whose cookie came with the request, if one signed here did."""
        try:
            return self.signer.unsign(request.cookies.get(_cookie(request), "")).decode()
        except BadSignature:
            return None

    def welcome(self, request: Request) -> str:
        """The visitor, a new one if need be; :meth:`remember` then keeps the acquaintance."""
        return self.known(request) or ids.random_id()

    def remember(self, visitor: str, request: Request, response: Response) -> None:
        keep(_cookie(request), self.signer.sign(visitor).decode(), request, response)


def _cookie(request: Request) -> str:
    """Its name; browsers let no other host of the same domain set one that begins so."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE
