"""What a mirror knows, and what of it a restart finds again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.contents import Version
from infra.local.index import Entry, Index, Stamp

ENTRY = Entry(Version('"etag"', "2026-11-27T12:00:00"), Stamp(1, 2), "image/jpeg", {"taken": "É"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "uploads.json"


def test_nothing_is_known_at_first(path: Path) -> None:
    assert Index(path).read() == {}


def test_what_changed_and_what_went_is_found_again(path: Path) -> None:
    index = Index(path)
    changed = replace(ENTRY, stamp=Stamp(3, 4))
    index.save({"a.jpg": ENTRY, "b\n.jpg": ENTRY, "c.jpg": ENTRY})
    index.save({"a.jpg": changed, "b\n.jpg": ENTRY})
    index.save({"a.jpg": changed, "b\n.jpg": ENTRY, "d.jpg": ENTRY})
    assert Index(path).read() == {"a.jpg": changed, "b\n.jpg": ENTRY, "d.jpg": ENTRY}


def test_a_turn_writes_what_it_changed_and_no_more(path: Path) -> None:
    index = Index(path)
    entries = {f"{i}.jpg": ENTRY for i in range(100)}
    index.save(entries)
    index.save(dict(entries))
    assert len(path.read_text().splitlines()) == 1
    index.save(entries | {"new.jpg": ENTRY})
    assert json.loads(path.read_text().splitlines()[1]).keys() == {"new.jpg"}


def test_the_first_time_writes_all_anew(path: Path) -> None:
    for i in range(3):
        index = Index(path)
        index.save({"a.jpg": ENTRY})
        index.save({"a.jpg": ENTRY, f"{i}.jpg": ENTRY})
    assert len(path.read_text().splitlines()) == 2
    assert Index(path).read().keys() == {"a.jpg", "2.jpg"}


def test_half_a_line_spoils_nothing_before_it(path: Path) -> None:
    index = Index(path)
    index.save({"a.jpg": ENTRY})
    index.save({"a.jpg": ENTRY, "b.jpg": ENTRY})
    content = path.read_bytes()
    for length in range(content.index(b"\n") + 1, len(content) - 1):
        path.write_bytes(content[:length])
        assert Index(path).read() == {"a.jpg": ENTRY}


def test_a_turn_that_could_not_be_written_is_written_with_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(path)
    index.save({"a.jpg": ENTRY})

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(OSError, match="No space"):
            index.save({"a.jpg": ENTRY, "b.jpg": ENTRY})
    index.save({"a.jpg": ENTRY, "b.jpg": ENTRY})
    assert Index(path).read().keys() == {"a.jpg", "b.jpg"}
