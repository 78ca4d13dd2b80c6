"""Reading what lies at a URL, from any byte on: http(s), file and s3."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote, urlsplit

from deepcolor.version import __version__

TIMEOUT_SECONDS = 30


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def opened(url: str, start: int) -> Iterator[tuple[Readable, int]]:
    """What lies at ``url`` from byte ``start`` on, and the byte at which it really begins.

    That is 0 where only the whole can be had. Raises ``OSError`` and ``http.client.HTTPException``.
    """
    scheme = urlsplit(url).scheme
    with {"s3": _s3, "file": _file}.get(scheme, _http)(url, start) as reply:
        yield reply


@contextmanager
def _http(url: str, start: int) -> Iterator[tuple[Readable, int]]:
    headers = {"User-Agent": f"deepcolor/{__version__}"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:
        yield reply, start if reply.status == HTTPStatus.PARTIAL_CONTENT else 0


@contextmanager
def _file(url: str, start: int) -> Iterator[tuple[Readable, int]]:
    with open(unquote(urlsplit(url).path), "rb") as file:  # noqa: PTH123, a URL and no path of ours
        file.seek(start)
        yield file, start


@contextmanager
def _s3(url: str, start: int) -> Iterator[tuple[Readable, int]]:
    # The one line of the library that knows AWS: a private bucket needs a signature.
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise OSError("reading s3:// needs boto3: run pip install boto3") from error
    _, bucket, key, *_ = urlsplit(url)
    try:
        reply = boto3.client("s3").get_object(
            Bucket=bucket, Key=unquote(key.lstrip("/")), Range=f"bytes={start}-"
        )
        with reply["Body"] as body:
            yield body, start
    except (BotoCoreError, ClientError) as error:
        raise OSError(str(error)) from error
