"""What a mirror knows of its files, in a file of its own that a restart finds again."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deepcolor.disk import write_whole
from infra.local.contents import Version


@dataclass(frozen=True)
class Stamp:
    """What tells whether a file has changed."""

    modified_ns: int
    size: int

    @classmethod
    def of(cls, file: Path | os.DirEntry[str]) -> Stamp:
        status = file.stat()
        return cls(status.st_mtime_ns, status.st_size)


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
class Index:
    """Entries by key, as a file of lines: each a JSON object of what changed, ``null`` if it went.

    So a turn writes what it changed, however much lies in the folder. The first line written is of
    everything.
    """

    path: Path
    saved: dict[str, Entry] = field(default_factory=dict)
    can_grow: bool = False

    def read(self) -> dict[str, Entry]:
        """What was saved; a last line that was not written to its end is passed over."""
        known: dict[str, Any] = {}
        if self.path.exists():
            with suppress(json.JSONDecodeError):
                for line in self.path.read_text().splitlines():
                    known |= json.loads(line)
        return {key: Entry.from_json(data) for key, data in known.items() if data is not None}

    def save(self, entries: dict[str, Entry]) -> None:
        """Writes what has changed since, if anything has. Raises :class:`OSError`."""
        changed = {
            key: entries.get(key)
            for key in entries.keys() | self.saved.keys()
            if entries.get(key) is not self.saved.get(key)
        }
        if not changed:
            return
        line = _line(changed if self.can_grow else entries)
        if self.can_grow:
            self.can_grow = False  # should this be broken off, half a line would lie there
            with self.path.open("ab") as file:
                file.write(line)
        else:
            write_whole(self.path, line)
        self.can_grow = True
        self.saved = dict(entries)


def _line(entries: dict[str, Entry] | dict[str, Entry | None]) -> bytes:
    data = {key: entry and asdict(entry) for key, entry in entries.items()}
    return json.dumps(data).encode() + b"\n"
