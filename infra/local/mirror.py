"""Keeps a bucket and a folder the same, both ways, and the folder as what a restart finds again.

moto holds everything in memory; the folder outlives it. What object metadata and etags a file
goes with is kept in an index beside the folders. What cannot be mirrored is named once, with the
reason, and the rest goes on.
"""

from __future__ import annotations

import contextlib
import mimetypes
import os
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from deepcolor.disk import write_whole
from deepcolor.errors import reason
from infra.local.contents import Contents, Version
from infra.local.index import Entry, Index, Stamp

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONGEST_NAME = 255  # bytes, of every common file system


@dataclass
class Mirror:
    """One bucket and its folder. Not thread-safe: one thread calls :meth:`sync` in turn."""

    s3: S3Client
    bucket: str
    folder: Path
    index: Index
    entries: dict[str, Entry] = field(default_factory=dict)
    growing: dict[str, Stamp] = field(default_factory=dict)
    arriving: dict[str, Version] = field(default_factory=dict)
    arrived: list[str] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    contents: Contents = field(init=False)

    def __post_init__(self) -> None:
        self.contents = Contents(self.s3.meta.endpoint_url, self.bucket)

    def restore(self) -> None:
        """Puts what the folder and the index know of back into an empty bucket.

        Files that are new or changed since wait for :meth:`sync`, which makes them uploads.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        known = self.index.read()
        for key, stamp in self._files():
            entry, path = known.get(key), self.folder / key
            with self._going_on(path):
                if entry is not None and stamp == entry.stamp:
                    self._put(key, path, entry.content_type, entry.metadata)

    def put_again(self, key: str) -> None:
        """Uploads a file that is there already, which is an event like any upload."""
        entry = self.entries[key]
        path = self.folder / key
        with self._going_on(path):
            self._put(key, path, entry.content_type, entry.metadata)

    def sync(self) -> float:
        """Carries over what changed on either side and then stayed as it is from one turn to the
        next; where both did, the bucket wins. Gives back the seconds that it took to look.
        """
        start = looked = time.monotonic()
        if not self.folder.is_dir():
            self._say(self.folder, "it is gone, and so all that was in it goes")
        with self._going_on(self.folder):
            objects, files = self.contents.versions(), dict(self._files())
            changed = list(self._changed(objects, files))
            looked = time.monotonic()
            for key in changed:
                with self._going_on(key):
                    self._sync_one(key, objects.get(key), key in files)
            self._fetch()
        with self._going_on(self.index.path):
            self.index.save(self.entries)
        return looked - start

    def _changed(self, objects: dict[str, Version], files: dict[str, Stamp]) -> Iterator[str]:
        """The keys of all that is not as it was when both sides were last the same."""
        for key in objects.keys() | files.keys() | self.entries.keys():
            entry, version = self.entries.get(key), objects.get(key)
            if entry is None:
                if version is None or _names_a_file(key):
                    yield key
            elif entry.version != version or entry.stamp != files.get(key):
                yield key

    def _sync_one(self, key: str, version: Version | None, has_file: bool) -> None:
        entry = self.entries.get(key)
        if version is not None and (entry is None or not entry.version.is_of(version)):
            self._expect(key, version)
            return
        if version is not None and entry is not None and entry.version != version:
            entry = self.entries[key] = replace(entry, version=version)
        if has_file:
            self._sync_file(key, version, self.folder / key, entry)
        elif version is None:
            del self.entries[key]
        elif self._is_gone(key):
            self.s3.delete_object(Bucket=self.bucket, Key=key)
            del self.entries[key]

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

    def _expect(self, key: str, version: Version) -> None:
        """Notes a new or changed object, and once it stayed the same, for records soon change
        again, that it is to be fetched.
        """
        path = self.folder / key
        if not self._has_room(path):
            self._say(path, "a file, a folder or a link is in the way")
        elif self.arriving.get(key) != version:
            self.arriving[key] = version
        else:
            self.arrived.append(key)

    def _fetch(self) -> None:
        """Takes what has arrived, many objects a request."""
        keys, self.arrived = self.arrived, []
        for key, one in self.contents.objects(keys):
            path = self.folder / key
            with self._going_on(path):
                if not self._has_room(path):
                    continue  # what came along with it is in the way
                write_whole(path, one.content)
                stamp = Stamp.of(path)
                self.entries[key] = Entry(one.version, stamp, one.content_type, one.metadata)
                del self.arriving[key]

    def _has_room(self, path: Path) -> bool:
        """Whether a file can lie there: "a" and "a/b" can both be keys, but not both files."""
        nearest = next(folder for folder in path.parents if folder.exists())
        return nearest.is_dir() and not path.is_dir() and not self._is_linked(path)

    def _is_linked(self, path: Path) -> bool:
        """Whether a path leads out by a link; the mirrored folder itself may be one."""
        between = path.parents[: -len(self.folder.parents) - 1]
        return any(folder.is_symlink() for folder in between)

    def _is_gone(self, key: str) -> bool:
        """Whether there is no file where one was, and not one that just is not looked at."""
        path = self.folder / key
        if self._is_linked(path):
            return False
        try:
            return not stat.S_ISREG(path.lstat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return True

    def _files(self) -> Iterator[tuple[str, Stamp]]:
        """The keys of files that are not hidden, nor below hidden or linked folders."""
        folders = [""]
        while folders:
            inside = folders.pop()
            with self._going_on(self.folder / inside), os.scandir(self.folder / inside) as entries:
                for entry in entries:
                    key = f"{inside}{entry.name}"
                    with self._going_on(entry.path):
                        if not self._is_mirrored(entry):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(f"{key}/")
                        else:
                            yield key, Stamp.of(entry)

    def _is_mirrored(self, entry: os.DirEntry[str]) -> bool:
        """Whether what lies there is a key's file, or a folder of such; says why it is not."""
        if entry.name.startswith("."):
            return False
        if not _is_utf8(entry.name):
            self._say(entry.path, "its name is not UTF-8; rename it")
        elif entry.is_symlink():
            self._say(entry.path, "it is a link; copy there what it leads to")
        elif not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
            self._say(entry.path, "it is no regular file")
        else:
            return True
        return False

    @contextlib.contextmanager
    def _going_on(self, path: Path | str) -> Iterator[None]:
        """Says what goes wrong with one file, by path or key, and lets the next be mirrored."""
        try:
            yield
        except FileNotFoundError:
            pass  # moved away; the next turn sees that
        except OSError as error:
            self._say(path, reason(error))
        except (BotoCoreError, ClientError) as error:
            self._say(path, str(error))

    def _say(self, path: Path | str, reason: str) -> None:
        name = os.fsencode(self.folder / path).decode(errors="backslashreplace")
        sentence = f"{name} is not mirrored: {reason}."
        if sentence not in self.said:
            self.said.add(sentence)
            print(sentence, file=sys.stderr, flush=True)


def _names_a_file(key: str) -> bool:
    """Whether a file can have a key for its path, and is mirrored then: hidden ones are not."""
    return not any(
        part.startswith(".") or not part or "\0" in part or len(part.encode()) > LONGEST_NAME
        for part in key.split("/")
    )


def _is_utf8(name: str) -> bool:
    """Whether a file's name is text; Python hands on bytes that are not as surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
