"""What comes with a request, read within a limit."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from web.problems import Problem, invalid

MAX_BODY_BYTES = 16 * 1024
MAX_FIELDS = 100


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; raises :class:`Problem` for anything else."""
    # A form of another site could be posted without asking, but not as JSON.
    _expect(request, "application/json", "not-json", "Send the request as application/json.")
    try:
        data = json.loads(await _read(request))
    except (ValueError, RecursionError, ClientDisconnect):
        raise Problem(
            HTTPStatus.BAD_REQUEST, "not-json", "The request is not valid JSON."
        ) from None
    if not isinstance(data, dict):
        raise invalid("The request must be a JSON object.")
    return data


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form without files; of fields of the same name, the last."""
    kind = "application/x-www-form-urlencoded"
    _expect(request, kind, "not-a-form", f"Send the form as {kind}.")
    try:
        text = (await _read(request)).decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except (ValueError, ClientDisconnect):
        raise Problem(
            HTTPStatus.BAD_REQUEST, "not-a-form", "The request is not a valid form."
        ) from None


def whole(value: Any) -> int | None:
    """The whole number that JSON holds, be it written 10, 10.0 or 1e1; ``None`` for all else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None  # true and false are ints too


def _expect(request: Request, media_type: str, code: str, sentence: str) -> None:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != media_type:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, code, sentence)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "request-too-large",
                f"The request is longer than {MAX_BODY_BYTES} bytes.",
            )
    return bytes(body)
