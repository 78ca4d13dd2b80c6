"""What lies in the local S3's buckets, asked for and told by a shorter way than S3's.

By that, moto takes 0.2 ms for each object that it lists and 1 ms for one that it hands out, and
boto3 as much to take it: too much for who looks at all objects several times a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from infra.local.cloud import ACCOUNT

PATH = "/-/contents"  # no bucket is called so
# No page sends it to another site without being asked first whether it may, and it may not.
HEADER = "X-Deepcolor-Contents"

META = "x-amz-meta-"
SECONDS = 30.0
ENOUGH_BYTES = 8 * 2**20  # of contents in one answer


@dataclass(frozen=True)
class Version:
    """What tells whether an object has changed: a copy onto itself changes only the time.

    ``modified`` is ``None`` until the bucket was looked at after an upload of ours; the etag is
    empty while an upload is not quite done.
    """

    etag: str
    modified: str | None = None

    def is_of(self, other: Version) -> bool:
        """Whether nothing speaks against both being one version."""
        return self.etag == other.etag and (
            None in {self.modified, other.modified} or self.modified == other.modified
        )


@dataclass(frozen=True)
class Object:
    content: bytes
    version: Version
    content_type: str
    metadata: dict[str, str]


class Contents:
    """One bucket of the local S3. Not thread-safe: it has one connection, which it keeps.

    Its methods raise :class:`OSError` where the store is out of reach or has no such bucket.
    """

    def __init__(self, endpoint: str, bucket: str):
        address = urlsplit(endpoint)
        assert address.hostname is not None
        self.bucket = bucket
        self.connection = HTTPConnection(address.hostname, address.port, timeout=SECONDS)

    def versions(self) -> dict[str, Version]:
        """All objects by their keys."""
        told = json.loads(self._ask("GET"))
        return {key: Version(*version) for key, version in told.items()}

    def objects(self, keys: Sequence[str]) -> Iterator[tuple[str, Object]]:
        """Those that lie there, a few at a time."""
        while keys:
            head, _, contents = self._ask("POST", json.dumps(keys).encode()).partition(b"\n")
            told, begin = json.loads(head), 0
            for key, one in zip(keys, told, strict=False):
                if one is not None:
                    end = begin + one["bytes"]
                    version = Version(*one["version"])
                    yield (
                        key,
                        Object(contents[begin:end], version, one["content_type"], one["metadata"]),
                    )
                    begin = end
            keys = keys[len(told) :]

    def _ask(self, method: str, body: bytes = b"") -> bytes:
        address = f"{PATH}?{urlencode({'bucket': self.bucket})}"
        for tries_left in (1, 0):  # the store hangs up on who has long been silent
            try:
                self.connection.request(method, address, body, headers={HEADER: "yes"})
                reply = self.connection.getresponse()
                told = reply.read()
            except (HTTPException, OSError) as error:
                self.connection.close()
                if not tries_left:
                    raise OSError(f"the local S3 is out of reach ({error})") from error
            else:
                if reply.status != HTTPStatus.OK:
                    raise OSError(told.decode())
                return told
        raise AssertionError


def tell(environ: Mapping[str, Any], start: Callable[[str, list[tuple[str, str]]], Any]) -> bytes:
    """The store's answer to :class:`Contents`, out of moto's memory."""
    from moto.s3.models import s3_backends

    if f"HTTP_{HEADER.upper().replace('-', '_')}" not in environ:
        return _end(start, "403 FORBIDDEN", f"Only who sends {HEADER} is told.".encode())
    asked = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    bucket = s3_backends[ACCOUNT]["aws"].buckets.get(asked.get("bucket", ""))
    if bucket is None:
        return _end(start, "404 NOT FOUND", f"NoSuchBucket: {asked.get('bucket')}".encode())
    if environ["REQUEST_METHOD"] == "POST":
        return _end(start, "200 OK", _objects(bucket, json.load(environ["wsgi.input"])))
    return _end(start, "200 OK", json.dumps(_versions(bucket)).encode())


def _versions(bucket: Any) -> dict[str, tuple[str, str]]:
    from moto.s3.models import FakeKey

    objects = {key: bucket.keys.get(key) for key in list(bucket.keys)}
    return {key: _version(one) for key, one in objects.items() if isinstance(one, FakeKey)}


def _objects(bucket: Any, keys: Sequence[str]) -> bytes:
    """What is known of the first of the objects as a line of JSON, and then their contents."""
    from moto.s3.models import FakeKey

    told: list[dict[str, Any] | None] = []
    contents: list[bytes] = []
    total = 0
    for key in keys:
        one = bucket.keys.get(key)
        if isinstance(one, FakeKey):
            content = one.value
            contents.append(content)
            told.append(_told(one) | {"bytes": len(content)})
            total += len(content)
        else:
            told.append(None)
        if total > ENOUGH_BYTES:
            break
    return b"".join([json.dumps(told).encode(), b"\n", *contents])


def _told(one: Any) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in one.metadata.items()}
    return {
        "version": _version(one),
        "content_type": headers["content-type"],
        "metadata": {
            name.removeprefix(META): value
            for name, value in headers.items()
            if name.startswith(META)
        },
    }


def _version(one: Any) -> tuple[str, str]:
    # To ask for an etag that is not there yet has moto read the content while it is written.
    return one.etag if one._etag else "", one.last_modified.isoformat()


def _end(start: Callable[..., Any], status: str, content: bytes) -> bytes:
    kind = "application/octet-stream"  # whatever it is, it is not for a browser to show
    start(status, [("Content-Type", kind), ("Content-Length", str(len(content)))])
    return content
