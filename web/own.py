"""What a request asks for of its visitor's own photographs, for the page and the API."""

from __future__ import annotations

from starlette.requests import Request

from web import ids
from web.photographs import Photograph, Photographs, View
from web.problems import invalid, no_photograph
from web.visitors import Visitors


def asked_for(request: Request, visitors: Visitors, photographs: Photographs) -> Photograph:
    """The one whose id is in the address; raises :class:`Problem` where the visitor has none."""
    visitor = visitors.known(request)
    photograph = visitor and photographs.find(visitor, request.path_params["id"])
    if not photograph:
        raise no_photograph()
    return photograph


def album(
    request: Request, visitors: Visitors, photographs: Photographs
) -> tuple[list[View], str | None]:
    """As :meth:`Photographs.album`; raises :class:`Problem` where it is to begin nowhere."""
    after = request.query_params.get("after", "")
    if after and not ids.is_id(after):
        raise invalid("'after' must be a photograph's id.")
    visitor = visitors.known(request)
    return photographs.album(visitor, after) if visitor else ([], None)
