"""What programs ask of single objects, put to moto's S3 without Flask: to find out which of all
addresses is meant, and to wrap question and answer once more, takes it a third of a request's time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from moto.core.request import Request
from moto.s3.responses import S3Response

METHODS = {"GET", "HEAD", "PUT", "DELETE"}
SIGNED_FOR_S3 = "/s3/aws4_request"


class ObjectRequest(Request):
    from_wsgi_server = True  # which writes the answer's date


def is_asked_of(environ: Mapping[str, Any]) -> bool:
    """Whether an SDK asks for ``/bucket/key``. Browsers need Flask, which adds CORS headers."""
    bucket, _, key = environ["PATH_INFO"].removeprefix("/").partition("/")
    return (
        bool(bucket and key)
        and environ["REQUEST_METHOD"] in METHODS
        and SIGNED_FOR_S3 in environ.get("HTTP_AUTHORIZATION", "")
        and "HTTP_ORIGIN" not in environ
    )


def answer(environ: dict[str, Any], start: Callable[[str, list[tuple[str, str]]], Any]) -> bytes:
    """What moto says, in one piece."""
    request = ObjectRequest(environ)
    status, headers, content = S3Response.key_dispatch(
        request, request.raw_url, dict(request.headers)
    )
    told = [(name, str(value)) for name, value in headers.items()]
    start(f"{status} {HTTPStatus(status).phrase}", told)
    return content.encode() if isinstance(content, str) else content
