"""The register of workers: a slot for each, taken before its job is submitted.

It is one small object in the results bucket, ``workers.json``, and every write is conditional on
what was read. So of many who see the same backlog at the same moment one takes the missing slots,
and the others, reading again, find none missing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from functions.contract.keys import WORKERS_KEY
from functions.contract.objects import JSON, put_if_unchanged
from functions.contract.versions import known

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Slot:
    """A worker's place. ``job_name`` is its own alone, ``job_id`` what Batch answered to it.

    ``taken`` is in seconds since the epoch.
    """

    job_name: str
    taken: float
    job_id: str | None = None


@dataclass(frozen=True)
class Register:
    """The slots as they were read, and by which etag to replace them."""

    slots: tuple[Slot, ...]
    etag: str | None

    @classmethod
    def read(cls, s3: S3Client, bucket: str) -> Register:
        try:
            reply = s3.get_object(Bucket=bucket, Key=WORKERS_KEY)
        except s3.exceptions.NoSuchKey:
            return cls((), None)
        slots = json.loads(reply["Body"].read())
        return cls(tuple(Slot(**known(Slot, slot)) for slot in slots), reply["ETag"])

    def replace(self, s3: S3Client, bucket: str, slots: tuple[Slot, ...]) -> bool:
        """Writes other slots in place of these; ``False`` when another writer was faster."""
        body = json.dumps([asdict(slot) for slot in slots], indent=1).encode()
        written = put_if_unchanged(s3, bucket, WORKERS_KEY, body, self.etag, ContentType=JSON)
        return written is not None
