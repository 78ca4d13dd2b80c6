"""The manifest: which strategies the workers can run, as ``strategies.json`` in the results bucket.

It has the shape that ``deepcolor strategies --json`` prints::

    {"default": "colornet", "strategies": [{"name": "colornet", "title": …, "ready": true, …}]}

and on AWS the number of its ``deployment``, too, for a worker may start after one that it is from
before.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.contract.keys import MANIFEST_KEY
from functions.contract.objects import JSON, is_absent, put_if_unchanged

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FRESH_SECONDS = 5.0


class ManifestMissingError(Exception):
    """No worker has published its strategies yet."""

    def __init__(self, bucket: str):
        super().__init__(
            f"There is no {MANIFEST_KEY} in {bucket} yet: a worker publishes it when it starts."
        )


@dataclass(frozen=True)
class Manifest:
    """The strategies by name, each as its card tells, and the default one's name.

    ``deployment`` is 0 where nobody counts them.
    """

    default: str
    strategies: dict[str, dict[str, Any]]
    deployment: int = 0

    @classmethod
    def parse(cls, text: str | bytes) -> Manifest:
        data = json.loads(text)
        strategies = {entry["name"]: entry for entry in data["strategies"]}
        return cls(data["default"], strategies, data.get("deployment", 0))


@dataclass
class ManifestReader:
    """Reads the manifest and keeps it for a few seconds, then asks S3 only whether it changed.

    Shared by threads: the worst a race does is one more conditional GET.
    """

    s3: S3Client
    bucket: str
    _manifest: Manifest | None = None
    _etag: str = ""
    _checked: float = field(default=float("-inf"))

    def read(self) -> Manifest:
        """The manifest; raises :class:`ManifestMissingError` before a worker ever started."""
        if self._manifest is None or time.monotonic() - self._checked > FRESH_SECONDS:
            self._refresh()
        assert self._manifest is not None
        return self._manifest

    def _refresh(self) -> None:
        try:
            reply = self.s3.get_object(
                Bucket=self.bucket, Key=MANIFEST_KEY, IfNoneMatch=self._etag or '"none"'
            )
        except ClientError as error:
            if is_absent(error):
                raise ManifestMissingError(self.bucket) from error
            if error.response["Error"]["Code"] not in {"304", "NotModified"}:
                raise
        else:
            self._manifest = Manifest.parse(reply["Body"].read())
            self._etag = reply["ETag"]
        self._checked = time.monotonic()


def deployment_of(job_definition: str) -> int:
    """The number of a deployment: the revision in its workers' job definition's ARN, which grows
    with each other image, an earlier one's, too.
    """
    return int(job_definition.rpartition(":")[2])


def publish(s3: S3Client, bucket: str, manifest: dict[str, Any], deployment: int = 0) -> None:
    """Writes the manifest, as ``deepcolor strategies --json`` gives it, where all will read it.

    ``deployment`` is 0 where nobody counts them.
    """
    body = _body(manifest, deployment)
    s3.put_object(Bucket=bucket, Key=MANIFEST_KEY, Body=body, ContentType=JSON)


def renumber(s3: S3Client, bucket: str, deployment: int) -> None:
    """Has the manifest name a deployment whose workers are yet to say which strategies they run.

    Those of earlier ones then know that they are outdated.
    """
    etag = None
    while etag is None:
        try:
            reply = s3.get_object(Bucket=bucket, Key=MANIFEST_KEY)
        except s3.exceptions.NoSuchKey:
            return
        body = _body(json.loads(reply["Body"].read()), deployment)
        etag = put_if_unchanged(s3, bucket, MANIFEST_KEY, body, reply["ETag"], ContentType=JSON)


def publish_unless_outdated(
    s3: S3Client, bucket: str, manifest: dict[str, Any], deployment: int
) -> bool:
    """Writes the manifest unless a later deployment's is there.

    Gives back whether it was written, which it also was not where another writer was faster.
    """
    try:
        reply = s3.get_object(Bucket=bucket, Key=MANIFEST_KEY)
    except s3.exceptions.NoSuchKey:
        etag = None
    else:
        if json.loads(reply["Body"].read()).get("deployment", 0) > deployment:
            return False
        etag = reply["ETag"]
    body = _body(manifest, deployment)
    return put_if_unchanged(s3, bucket, MANIFEST_KEY, body, etag, ContentType=JSON) is not None


def _body(manifest: dict[str, Any], deployment: int) -> bytes:
    counted = manifest | {"deployment": deployment} if deployment else manifest
    return json.dumps(counted, indent=1).encode()
