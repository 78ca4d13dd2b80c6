from __future__ import annotations

import time

import pytest

from web import ids


def test_ascending_order_is_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for milliseconds in (0, 1, 31, 32, 1_700_000_000_000, 1_800_000_000_000, 2**49):
        monkeypatch.setattr(time, "time_ns", lambda ms=milliseconds: ms * 1_000_000)
        made.append(ids.image_id())
    assert sorted(made) == made[::-1]


def test_the_time_can_be_read_back() -> None:
    assert ids.created_seconds(ids.image_id()) == pytest.approx(time.time(), abs=1)


def test_ids_made_at_the_same_time_differ() -> None:
    assert len({ids.image_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("make", [ids.image_id, ids.random_id])
def test_ids_are_ids(make: object) -> None:
    assert callable(make)
    assert ids.is_id(make())


@pytest.mark.parametrize(
    "text", ["", "x", "../../etc/passwd", "0" * 25, "0" * 27, "u" * 26, "0" * 26 + "\n"]
)
def test_other_texts_are_not(text: str) -> None:
    assert not ids.is_id(text)
