"""Keeps a bucket and a folder the same, both ways, and the folder as what a restart finds again.

moto holds everything in memory; the folder outlives it. What object metadata and etags a file
goes with is kept in an index beside the folders.
"""

from __future__ import annotations

import contextlib
import json
import mimetypes
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcolor.files import write_whole

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONGEST_NAME = 255  # bytes, of every common file system


@dataclass(frozen=True)
class Stamp:
    """What tells whether a file has changed."""

    modified_ns: int
    size: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        status = path.stat()
        return cls(status.st_mtime_ns, status.st_size)


@dataclass(frozen=True)
class Version:
    """What tells whether an object has changed: a copy onto itself changes only the time.

    ``modified`` is ``None`` until the bucket was listed after an upload of ours.
    """

    etag: str
    modified: str | None = None

    def is_of(self, other: Version) -> bool:
        """Whether nothing speaks against both being one version."""
        return self.etag == other.etag and (
            None in {self.modified, other.modified} or self.modified == other.modified
        )


@dataclass(frozen=True)
class Entry:
    """An object and its file, as they were when they were last the same."""

    version: Version
    stamp: Stamp
    content_type: str
    metadata: dict[str, str]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Entry:
        version, stamp = Version(**data["version"]), Stamp(**data["stamp"])
        return cls(**data | {"version": version, "stamp": stamp})


@dataclass
class Mirror:
    """One bucket and its folder. Not thread-safe: one thread calls :meth:`sync` in turn."""

    s3: S3Client
    bucket: str
    folder: Path
    index: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    growing: dict[str, Stamp] = field(default_factory=dict)
    saved: dict[str, Entry] = field(default_factory=dict)

    def restore(self) -> None:
        """Puts what the folder and the index know of back into an empty bucket.

        Files that are new or changed since wait for :meth:`sync`, which makes them uploads.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.index.exists():
            return
        known = {
            key: Entry.from_json(data) for key, data in json.loads(self.index.read_text()).items()
        }
        for key, path in self._files():
            entry = known.get(key)
            if entry is not None and Stamp.of(path) == entry.stamp:
                self._put(key, path, entry.content_type, entry.metadata)

    def put_again(self, key: str) -> None:
        """Uploads a file that is there already, which is an event like any upload."""
        entry = self.entries[key]
        self._put(key, self.folder / key, entry.content_type, entry.metadata)

    def sync(self) -> None:
        """Carries over what changed on either side; where both did, the bucket wins."""
        objects = dict(self._objects())
        files = dict(self._files())
        for key in objects.keys() | files.keys() | self.entries.keys():
            self._sync_one(key, objects.get(key), files.get(key))
        if self.entries != self.saved:
            self._save()

    def _sync_one(self, key: str, version: Version | None, path: Path | None) -> None:
        entry = self.entries.get(key)
        if version is not None and (entry is None or not entry.version.is_of(version)):
            self._get(key)
            return
        if version is not None and entry is not None and entry.version != version:
            entry = self.entries[key] = replace(entry, version=version)
        if path is None:
            if version is not None:
                self.s3.delete_object(Bucket=self.bucket, Key=key)
            self.entries.pop(key, None)
        else:
            with contextlib.suppress(FileNotFoundError):  # moved away; the next turn sees that
                self._sync_file(key, version, path, entry)

    def _sync_file(
        self, key: str, version: Version | None, path: Path, entry: Entry | None
    ) -> None:
        stamp = Stamp.of(path)
        if entry is None or entry.stamp != stamp:
            self._take(key, path, stamp)
        elif version is None:
            path.unlink()
            del self.entries[key]

    def _take(self, key: str, path: Path, stamp: Stamp) -> None:
        """Uploads a new or changed file, once it has stopped growing."""
        if self.growing.get(key) == stamp:
            del self.growing[key]
            content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            self._put(key, path, content_type, {})
        else:
            self.growing[key] = stamp

    def _put(self, key: str, path: Path, content_type: str, metadata: dict[str, str]) -> None:
        stamp = Stamp.of(path)
        reply = self.s3.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=path.read_bytes(),
            ContentType=content_type,
            Metadata=metadata,
        )
        self.entries[key] = Entry(Version(reply["ETag"]), stamp, content_type, metadata)

    def _get(self, key: str) -> None:
        path = self._path(key)
        if path is None:
            return
        try:
            reply = self.s3.get_object(Bucket=self.bucket, Key=key)
        except self.s3.exceptions.NoSuchKey:
            return
        try:
            write_whole(path, reply["Body"].read())
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            return  # "a" and "a/b" can both be keys, but not both files
        version = Version(reply["ETag"], reply["LastModified"].isoformat())
        self.entries[key] = Entry(version, Stamp.of(path), reply["ContentType"], reply["Metadata"])

    def _path(self, key: str) -> Path | None:
        """Where a key's file lies; ``None`` for a key that no file can be named by."""
        parts = key.split("/")
        for part in parts:
            is_hidden = part.startswith(".") or not part
            if is_hidden or "\0" in part or len(part.encode()) > LONGEST_NAME:
                return None
        return self.folder.joinpath(*parts)

    def _objects(self) -> Iterator[tuple[str, Version]]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        for page in pages:
            for item in page.get("Contents", []):
                if self._path(item["Key"]) is not None:
                    yield item["Key"], Version(item["ETag"], item["LastModified"].isoformat())

    def _files(self) -> Iterator[tuple[str, Path]]:
        """The files that are not hidden, nor below hidden folders, nor links out of here."""
        for root, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(root, name)
                if not name.startswith(".") and not path.is_symlink():
                    yield path.relative_to(self.folder).as_posix(), path

    def _save(self) -> None:
        data = {key: asdict(entry) for key, entry in self.entries.items()}
        write_whole(self.index, json.dumps(data).encode())
        self.saved = dict(self.entries)
