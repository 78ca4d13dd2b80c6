"""Reading what lies at a URL, from any byte on: http(s), file and s3."""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

from deepcolor.version import __version__

TIMEOUT_SECONDS = 30


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class _Whole:
    """A reply that fails where it ends before all that its server promised."""

    reply: Any

    def read(self, size: int, /) -> bytes:
        content: bytes = self.reply.read(size)
        if not content and getattr(self.reply, "length", None):
            raise ConnectionError("the server closed it")
        return content


Reply = tuple[Readable, int]


def opened(url: str, start: int) -> AbstractContextManager[Reply]:
    """What lies at ``url`` from byte ``start`` on, and the byte at which it really begins.

    That is 0 where only the whole can be had; where it ends before ``start`` there is nothing to
    read. Raises ``OSError`` and ``http.client.HTTPException``.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise OSError(str(error)) from error
    if not scheme:
        raise OSError("that is no URL; a folder's begins with file://")
    return {"s3": _s3, "file": _file}.get(scheme, _http)(url, start)


@contextmanager
def _http(url: str, start: int) -> Iterator[Reply]:
    headers = {"User-Agent": f"deepcolor/{__version__}"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        reply = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        error.close()
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        yield io.BytesIO(), start
        return
    with reply:
        yield _Whole(reply), start if reply.status == HTTPStatus.PARTIAL_CONTENT else 0


@contextmanager
def _file(url: str, start: int) -> Iterator[Reply]:
    with open(unquote(urlsplit(url).path), "rb") as file:  # noqa: PTH123, a URL and no path of ours
        file.seek(start)
        yield file, start


@contextmanager
def _s3(url: str, start: int) -> Iterator[Reply]:
    # All that the library knows of AWS: a private bucket needs a signature.
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
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidRange":
            raise OSError(str(error)) from error
        yield io.BytesIO(), start
    except BotoCoreError as error:
        raise OSError(str(error)) from error
