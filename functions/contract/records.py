"""Records: what became of each upload, as ``records/<upload key>.json`` in the results bucket.

A record's *order* counts what was asked of one key: the first upload is order 1, an upload over
it (or a recoloring) the next. Every write is conditional on what was read, so that within an order
the status only moves forward, and no order replaces another but the next one that is opened.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, overload

from botocore.exceptions import ClientError

from functions.contract.keys import record_key
from functions.contract.objects import JSON, Head, is_absent, put_if_unchanged
from functions.contract.versions import known

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ATTEMPTS = 20

UPLOAD_GONE = {
    "code": "upload_gone",
    "message": "The photograph was deleted before it could be colored.",
}


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (Status.DONE, Status.FAILED)

    @property
    def rank(self) -> int:
        """How far along: a record moves only to a higher rank."""
        return {Status.QUEUED: 0, Status.RUNNING: 1, Status.DONE: 2, Status.FAILED: 2}[self]


@dataclass(frozen=True)
class Source:
    """One state of an uploaded object: another upload under its key has another etag or time.

    ``request`` is the correlation id that came with it. It tells orders apart that the page gives
    by copying an object onto itself, which changes no etag, and S3's times only by the second.
    """

    etag: str
    last_modified: str
    size: int
    request: str = ""

    @classmethod
    def of(cls, head: Head) -> Source:
        return cls(
            head["ETag"],
            head["LastModified"].isoformat(),
            head["ContentLength"],
            head["Metadata"].get("correlation-id", ""),
        )


@dataclass(frozen=True)
class Record:
    """What is known of one upload. Times are ISO 8601 in UTC, ``milliseconds`` are by stage.

    ``knobs`` are those that were turned, ``hints`` are as the command line takes them. ``etag`` is
    that of the record as it was read, and is not written.
    ``error`` is ``{"code", "message"}`` when failed; ``result`` is
    ``{"etag", "size", "content_type", "width", "height", "weights", "version"}`` when done.
    """

    key: str
    order: int
    status: Status
    strategy: str
    source: Source
    correlation_id: str
    knobs: dict[str, float] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)
    times: dict[str, str] = field(default_factory=dict)
    milliseconds: dict[str, float] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    etag: str | None = field(default=None, compare=False)

    @classmethod
    def opened(
        cls, key: str, source: Source, before: Record | None, strategy: str = "", **wish: Any
    ) -> Record:
        """The next order of a key; ``strategy`` is empty where nobody could tell."""
        return cls(
            key=key,
            order=before.order + 1 if before else 1,
            status=Status.QUEUED,
            strategy=strategy,
            source=source,
            correlation_id=source.request or uuid.uuid4().hex,
            **wish,
        ).moved(Status.QUEUED)

    def moved(self, status: Status, **changes: Any) -> Record:
        """This record with another status, stamped with the time."""
        times = self.times | {status.value: now()}
        etag = self.etag if status.rank > self.status.rank else None  # else no news: look first
        return replace(self, status=status, times=times, etag=etag, **changes)

    def is_of_order(self, other: Record) -> bool:
        """Whether both tell of one order.

        Its number alone does not say: where a record was deleted they are counted from 1 again.
        """
        return (self.key, self.order, self.source) == (other.key, other.order, other.source)

    def to_fields(self) -> dict[str, Any]:
        """What is written of it."""
        fields = asdict(self)
        del fields["etag"]
        return fields

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Record:
        told = known(Source, fields["source"])
        source = Source(**told | {"size": int(told["size"])})
        status = Status(fields["status"])
        return cls(**known(cls, fields) | {"status": status, "source": source})

    def to_json(self) -> bytes:
        return json.dumps(self.to_fields(), indent=1).encode()

    @classmethod
    def from_json(cls, text: str | bytes, etag: str | None = None) -> Record:
        return cls.from_fields(json.loads(text) | {"etag": etag})


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class ContendedError(Exception):
    """Others kept changing a record; the message will come again."""

    def __init__(self, key: str):
        super().__init__(f"The record of {key} changed at each of {ATTEMPTS} attempts to write it.")


@dataclass(frozen=True)
class Records:
    """The records of one results bucket."""

    s3: S3Client
    bucket: str

    def get(self, upload_key: str) -> Record | None:
        try:
            reply = self.s3.get_object(Bucket=self.bucket, Key=record_key(upload_key))
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return Record.from_json(reply["Body"].read(), reply["ETag"])

    def put(self, record: Record) -> Record | None:
        """Moves an order's record on if that is news, and gives back whichever stands then.

        ``None`` when it has been deleted: whoever did that wants to hear no more of it.
        """

        def moved_on(current: Record | None) -> Record | None:
            is_news = (
                current is not None
                and current.is_of_order(record)
                and current.status.rank < record.status.rank
            )
            return record if is_news else current

        # As a rule nothing has happened since it was read, and it need not be read again.
        return self.follow(record) or self.update(record.key, moved_on)

    def follow(self, record: Record) -> Record | None:
        """Writes a record over the one that it has been moved on from, without another look.

        ``None`` if that no longer stands, or if it was moved no further.
        """
        return self._write(record, record.etag) if record.etag else None

    def add(self, record: Record) -> Record | None:
        """Writes the first record of an upload; ``None`` if there is one already."""
        return self._write(record, None)

    @overload
    def update(self, upload_key: str, change: Callable[[Record | None], Record]) -> Record: ...
    @overload
    def update(
        self, upload_key: str, change: Callable[[Record | None], Record | None]
    ) -> Record | None: ...

    def update(
        self, upload_key: str, change: Callable[[Record | None], Record | None]
    ) -> Record | None:
        """Replaces the record by ``change(record)``, starting again whenever another wrote first.

        ``change`` may be called several times; giving back its argument writes nothing.
        Raises :class:`ContendedError` when others keep winning.
        """
        for _ in range(ATTEMPTS):
            current = self.get(upload_key)
            wanted = change(current)
            if wanted is None or wanted is current:
                return wanted
            if written := self._write(wanted, current.etag if current else None):
                return written
        raise ContendedError(upload_key)

    def _write(self, record: Record, read_etag: str | None) -> Record | None:
        """The record as it is written over what was read; ``None`` if another was faster."""
        key, body = record_key(record.key), record.to_json()
        etag = put_if_unchanged(self.s3, self.bucket, key, body, read_etag, ContentType=JSON)
        return replace(record, etag=etag) if etag else None
