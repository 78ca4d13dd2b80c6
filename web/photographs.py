"""Visitors' photographs: where they go, and what became of them.

What a visitor said of a photograph is kept as ``visitors/<visitor>/<image id>.json`` in the
results bucket: it finds the photograph by its id with one GET, where the key of the upload, which
ends in a file name, could only be listed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from functions.contract.keys import VISITORS_PREFIX, note_key, record_key, web_key
from functions.contract.objects import JSON, head_of
from functions.contract.records import Record, Records, Status
from functions.contract.settings import Settings
from functions.contract.versions import known
from web import ids
from web.addresses import Addresses, colored_name
from web.coloring import Coloring, hints_of
from web.log import logger
from web.open_uploads import OpenUploads
from web.problems import Problem
from web.wishes import Wish

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOAD_SECONDS = 10 * 60
PAGE_LENGTH = 24
READERS = 8

WAITING = "waiting"
NEVER_ARRIVED = {
    "code": "never_arrived",
    "message": "The photograph never arrived: its upload was interrupted. Choose it once more.",
}

View = dict[str, Any]  # what the API says of a photograph


@dataclass(frozen=True)
class Photograph:
    """What the visitor said, and how it was last asked to be colored.

    ``correlation_id`` is that of the last asking, by which its record is known.
    """

    visitor: str
    id: str
    filename: str
    content_type: str
    coloring: Coloring
    correlation_id: str

    @classmethod
    def from_json(cls, text: str | bytes) -> Photograph:
        data = json.loads(text)
        coloring = Coloring(**known(Coloring, data["coloring"]))
        return cls(**known(cls, data) | {"coloring": coloring})

    @property
    def key(self) -> str:
        """Of the upload, and so of the result.

        Without dollar signs: in the policy of a form S3 takes them for the beginning of an escape
        or of a variable, and refuses the upload.
        """
        return web_key(self.visitor, self.id, self.filename.replace("$", "_"))

    @property
    def note_key(self) -> str:
        return note_key(self.visitor, self.id)

    @property
    def metadata(self) -> dict[str, str]:
        """Of the upload."""
        return self.coloring.metadata(self.correlation_id)

    @property
    def has_expired(self) -> bool:
        """Whether the time to upload it is over."""
        return time.time() > ids.created_seconds(self.id) + UPLOAD_SECONDS


@dataclass
class Photographs:
    s3: S3Client
    settings: Settings
    records: Records = field(init=False)
    addresses: Addresses = field(init=False)
    readers: ThreadPoolExecutor = field(init=False)
    open_uploads: OpenUploads = field(init=False)

    def __post_init__(self) -> None:
        self.records = Records(self.s3, self.settings.results_bucket)
        self.addresses = Addresses(self.s3, self.settings)
        self.readers = ThreadPoolExecutor(READERS)
        self.open_uploads = OpenUploads(self._arrived, UPLOAD_SECONDS)

    def add(
        self, visitor: str, wish: Wish, *, back_to: str = ""
    ) -> tuple[Photograph, dict[str, Any]]:
        """A new photograph, and the signed form with which the browser uploads it.

        With ``back_to``, the address of the site with its slash, S3 answers a finished upload by
        sending the browser to the photograph's own page there. Raises :class:`Problem` when the
        visitor has too many uploads open.
        """
        new = ids.image_id()
        photograph = Photograph(visitor, new, wish.filename, wish.content_type, wish.coloring, new)
        self.open_uploads.begin(visitor, photograph.key)
        self._note(photograph)
        fields = {"Content-Type": photograph.content_type}
        fields |= {f"x-amz-meta-{name}": value for name, value in photograph.metadata.items()}
        if back_to:
            fields["success_action_redirect"] = f"{back_to}photographs/{photograph.id}"
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
        _log("upload signed", photograph)
        return photograph, upload

    def find(self, visitor: str, image_id: str) -> Photograph | None:
        if not ids.is_id(image_id):
            return None
        try:
            note = self.s3.get_object(
                Bucket=self.settings.results_bucket, Key=note_key(visitor, image_id)
            )
        except self.s3.exceptions.NoSuchKey:
            return None
        return Photograph.from_json(note["Body"].read())

    def recolor(
        self, photograph: Photograph, coloring: Coloring, *, beside: bool = False
    ) -> Photograph:
        """Asks for another coloring, in place of the one there is or as a photograph of its own.

        The upload is copied, onto itself or beside it, which is an event like any upload. Raises
        :class:`Problem` while there is no upload.
        """
        new = ids.image_id()
        image_id = new if beside else photograph.id
        asked = replace(photograph, id=image_id, coloring=coloring, correlation_id=new)
        if beside:
            self._note(asked)  # first, for dispatch takes an upload without one for deleted
        try:
            self.s3.copy_object(
                CopySource={"Bucket": self.settings.uploads_bucket, "Key": photograph.key},
                Bucket=self.settings.uploads_bucket,
                Key=asked.key,
                MetadataDirective="REPLACE",
                Metadata=asked.metadata,
                ContentType=asked.content_type,
            )
        except self.s3.exceptions.NoSuchKey:
            if beside:
                self.s3.delete_object(Bucket=self.settings.results_bucket, Key=asked.note_key)
            raise _no_upload(photograph) from None
        if not beside:
            self._note(asked)
        _log("recoloring asked", asked)
        return asked

    def delete(self, photograph: Photograph) -> None:
        """Deletes all there is of it, then the note, so that what broke off can be repeated.

        Then all once more, for dispatch may have taken it in meanwhile. What arrives later has no
        note, and dispatch deletes it.
        """
        self._delete_objects(photograph.key)
        self.s3.delete_object(Bucket=self.settings.results_bucket, Key=photograph.note_key)
        self._delete_objects(photograph.key)
        self.open_uploads.end(photograph.visitor, photograph.key)
        _log("deleted", photograph)

    def album(self, visitor: str, after: str) -> tuple[list[View], str | None]:
        """The newest photographs made before ``after`` ("": the newest of all).

        Also the id after which the next page begins, if there is one. Photographs that never
        arrived are left out.
        """
        listed = self.s3.list_objects_v2(
            Bucket=self.settings.results_bucket,
            Prefix=f"{VISITORS_PREFIX}{visitor}/",
            StartAfter=note_key(visitor, after) if after else "",
            MaxKeys=PAGE_LENGTH,
        )
        page = [PurePosixPath(note["Key"]).stem for note in listed.get("Contents", [])]
        views = self.several(visitor, page)
        arrived = [view for view in views if view["error"] != NEVER_ARRIVED]
        return arrived, page[-1] if listed["IsTruncated"] else None

    def several(self, visitor: str, image_ids: Iterable[str]) -> list[View]:
        """The views of those that there are, in the order asked for."""

        def described(image_id: str) -> View | None:
            photograph = self.find(visitor, image_id)
            return self.describe(photograph) if photograph else None

        return [view for view in self.readers.map(described, image_ids) if view]

    def describe(self, photograph: Photograph) -> View:
        created = datetime.fromtimestamp(ids.created_seconds(photograph.id), UTC)
        view: View = {
            "id": photograph.id,
            "filename": photograph.filename,
            "created": created.isoformat(timespec="milliseconds"),
            **asdict(photograph.coloring),
            "status": WAITING,
            "original_url": None,
            "colored_url": None,
            "download_url": None,
            "width": None,
            "height": None,
            "error": None,
            "timings": None,
        }
        record = self.records.get(photograph.key)
        if record and record.correlation_id == photograph.correlation_id:
            return view | self._recorded(photograph, record)
        metadata = self._metadata_of_upload(photograph.key)
        if metadata is not None:
            view["original_url"] = self.addresses.original(photograph.key)
            # The note is behind when recoloring broke off, or another program uploaded.
            if record and metadata.get("correlation-id") in (record.correlation_id, None):
                view |= self._recorded(photograph, record)
        elif photograph.has_expired:
            view |= {"status": Status.FAILED, "error": NEVER_ARRIVED}
        return view

    def _recorded(self, photograph: Photograph, record: Record) -> View:
        view: View = {
            "status": record.status,
            "strategy": record.strategy,
            "knobs": record.knobs,
            "hints": hints_of(record.hints),
            "original_url": self.addresses.original(photograph.key),
            "error": record.error,
            "timings": {"times": record.times, "milliseconds": record.milliseconds},
        }
        if record.status is Status.DONE:
            result = record.result or {}
            view |= {
                "colored_url": self.addresses.colored(photograph.key),
                "download_url": self.addresses.download(
                    photograph.key, colored_name(photograph.filename, result.get("content_type"))
                ),
                "width": result.get("width"),
                "height": result.get("height"),
            }
        return view

    def _delete_objects(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.settings.uploads_bucket, Key=key)
        for result in (record_key(key), key):
            self.s3.delete_object(Bucket=self.settings.results_bucket, Key=result)

    def _note(self, photograph: Photograph) -> None:
        self.s3.put_object(
            Bucket=self.settings.results_bucket,
            Key=photograph.note_key,
            Body=json.dumps(asdict(photograph)).encode(),
            ContentType=JSON,
        )

    def _metadata_of_upload(self, key: str) -> dict[str, str] | None:
        """``None`` when there is no upload."""
        head = head_of(self.s3, self.settings.uploads_bucket, key)
        return head["Metadata"] if head else None

    def _arrived(self, keys: list[str]) -> list[str]:
        uploads = self.readers.map(self._metadata_of_upload, keys)
        return [key for key, upload in zip(keys, uploads, strict=True) if upload is not None]


def _no_upload(photograph: Photograph) -> Problem:
    if photograph.has_expired:
        sentence = f"{photograph.filename} never arrived, or is no longer kept. Upload it again."
        return Problem(HTTPStatus.CONFLICT, "upload-gone", sentence)
    sentence = f"{photograph.filename} has not arrived yet. Try again in a moment."
    return Problem(HTTPStatus.CONFLICT, "not-uploaded", sentence)


def _log(message: str, photograph: Photograph) -> None:
    ids = {"key": photograph.key, "correlation_id": photograph.correlation_id}
    logger.info(message, extra=ids)
