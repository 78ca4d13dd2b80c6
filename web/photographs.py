"""Visitors' photographs: where they go, what became of them, and the addresses of their pictures.

What a visitor said of a photograph is kept as ``visitors/<visitor>/<image id>.json`` in the
results bucket: it finds the photograph by its id with one GET, where the key of the upload, which
ends in a file name, could only be listed.
"""

from __future__ import annotations

import json
import mimetypes
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from functions.contract.keys import VISITORS_PREFIX, web_key
from functions.contract.records import Record, Records, Status
from functions.contract.settings import Settings
from web import ids
from web.wishes import Wish

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOAD_SECONDS = 10 * 60
PICTURE_SECONDS = 60 * 60
PAGE_LENGTH = 24
READERS = 8

WAITING = "waiting"
NEVER_ARRIVED = {
    "code": "never_arrived",
    "message": "The photograph never arrived: its upload was interrupted. Choose it once more.",
}


@dataclass(frozen=True)
class Photograph:
    """What the visitor said when asking to upload."""

    visitor: str
    id: str
    filename: str
    strategy: str

    @property
    def key(self) -> str:
        """Of the upload, and so of the result."""
        return web_key(self.visitor, self.id, self.filename)

    @property
    def note_key(self) -> str:
        return _note_key(self.visitor, self.id)

    @property
    def has_expired(self) -> bool:
        """Whether the time to upload it is over."""
        return time.time() > ids.created_seconds(self.id) + UPLOAD_SECONDS


@dataclass(frozen=True)
class Photographs:
    s3: S3Client
    settings: Settings
    readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(READERS))

    def add(self, visitor: str, wish: Wish) -> tuple[Photograph, dict[str, Any]]:
        """A new photograph, and the signed form with which the browser uploads it."""
        photograph = Photograph(visitor, ids.image_id(), wish.filename, wish.strategy)
        self.s3.put_object(
            Bucket=self.settings.results_bucket,
            Key=photograph.note_key,
            Body=json.dumps(asdict(photograph)).encode(),
            ContentType="application/json",
        )
        fields = {
            "Content-Type": wish.content_type,
            "x-amz-meta-strategy": wish.strategy,
            "x-amz-meta-correlation-id": photograph.id,
        }
        upload = self.s3.generate_presigned_post(
            self.settings.uploads_bucket,
            photograph.key,
            Fields=dict(fields),
            Conditions=[
                *({name: value} for name, value in fields.items()),
                ["content-length-range", 1, self.settings.max_upload_bytes],
            ],
            ExpiresIn=UPLOAD_SECONDS,
        )
        return photograph, upload

    def find(self, visitor: str, image_id: str) -> Photograph | None:
        if not ids.is_id(image_id):
            return None
        try:
            note = self.s3.get_object(
                Bucket=self.settings.results_bucket, Key=_note_key(visitor, image_id)
            )
        except self.s3.exceptions.NoSuchKey:
            return None
        return Photograph(**json.loads(note["Body"].read()))

    def album(self, visitor: str, after: str) -> tuple[list[dict[str, Any]], str | None]:
        """The newest photographs made before ``after`` ("": the newest of all).

        Also the id after which the next page begins, if there is one. Photographs that never
        arrived are left out.
        """
        listed = self.s3.list_objects_v2(
            Bucket=self.settings.results_bucket,
            Prefix=_note_key(visitor, ""),
            StartAfter=_note_key(visitor, after) if after else "",
            MaxKeys=PAGE_LENGTH,
        )
        page = [PurePosixPath(note["Key"]).stem for note in listed.get("Contents", [])]

        def described(image_id: str) -> dict[str, Any] | None:
            photograph = self.find(visitor, image_id)
            return self.describe(photograph) if photograph else None

        views = [view for view in self.readers.map(described, page) if view]
        arrived = [view for view in views if view["error"] != NEVER_ARRIVED]
        return arrived, page[-1] if listed["IsTruncated"] else None

    def describe(self, photograph: Photograph) -> dict[str, Any]:
        """What the API says of a photograph."""
        record = Records(self.s3, self.settings.results_bucket).get(photograph.key)
        created = datetime.fromtimestamp(ids.created_seconds(photograph.id), UTC)
        view: dict[str, Any] = {
            "id": photograph.id,
            "filename": photograph.filename,
            "created": created.isoformat(timespec="milliseconds"),
            "strategy": photograph.strategy,
            "status": WAITING,
            "original_url": None,
            "colored_url": None,
            "download_url": None,
            "width": None,
            "height": None,
            "error": None,
            "timings": None,
        }
        if record:
            view |= self._recorded(photograph, record)
        elif photograph.has_expired and not self._is_uploaded(photograph):
            view |= {"status": Status.FAILED, "error": NEVER_ARRIVED}
        return view

    def _recorded(self, photograph: Photograph, record: Record) -> dict[str, Any]:
        view: dict[str, Any] = {
            "status": record.status,
            "strategy": record.strategy,
            "original_url": self._url(self.settings.uploads_bucket, photograph.key),
            "error": record.error,
            "timings": {"times": record.times, "milliseconds": record.milliseconds},
        }
        if record.status is Status.DONE:
            result = record.result or {}
            view |= {
                "colored_url": self._url(self.settings.results_bucket, photograph.key),
                "download_url": self._url(
                    self.settings.results_bucket,
                    photograph.key,
                    attached_as=_colored_name(photograph.filename, result.get("content_type")),
                ),
                "width": result.get("width"),
                "height": result.get("height"),
            }
        return view

    def _is_uploaded(self, photograph: Photograph) -> bool:
        try:
            self.s3.head_object(Bucket=self.settings.uploads_bucket, Key=photograph.key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            return False
        return True

    def _url(self, bucket: str, key: str, attached_as: str = "") -> str:
        params = {"Bucket": bucket, "Key": key}
        if attached_as:
            plain = attached_as.encode("ascii", "replace").decode().translate(_UNQUOTABLE)
            params["ResponseContentDisposition"] = (
                f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(attached_as, safe='')}"
            )
        return self.s3.generate_presigned_url(
            "get_object", Params=params, ExpiresIn=PICTURE_SECONDS
        )


_UNQUOTABLE = str.maketrans({'"': "_", "\\": "_", "?": "_", "%": "_"})


def _note_key(visitor: str, image_id: str) -> str:
    name = f"{image_id}.json" if image_id else ""
    return f"{VISITORS_PREFIX}{visitor}/{name}"


def _colored_name(filename: str, content_type: str | None) -> str:
    """``grandma.jpg`` is downloaded as ``grandma-color.jpg``; the suffix follows the result."""
    path = PurePosixPath(filename)
    suffix = path.suffix
    if content_type and mimetypes.guess_type(filename)[0] != content_type:
        suffix = mimetypes.guess_extension(content_type) or suffix
    return f"{path.stem}-color{suffix}"
