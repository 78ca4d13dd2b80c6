from __future__ import annotations

from collections.abc import Iterator

import pytest

from web import open_uploads
from web.open_uploads import OpenUploads
from web.problems import Problem


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Storage:
    """Which keys have arrived, and what was asked."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.asked: list[list[str]] = []

    def arrived(self, keys: list[str]) -> list[str]:
        self.asked.append(keys)
        return [key for key in keys if key in self.there]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(open_uploads, "time", clock)
    monkeypatch.setattr(open_uploads, "LIMIT", 3)
    return clock


@pytest.fixture
def storage() -> Storage:
    return Storage()


@pytest.fixture
def uploads(clock: Clock, storage: Storage) -> OpenUploads:
    uploads = OpenUploads(storage.arrived, lasting_seconds=600)
    for key in ("a", "b", "c"):
        uploads.begin("me", key)
    return uploads


def test_beneath_the_limit_nobody_is_asked(uploads: OpenUploads, storage: Storage) -> None:
    assert storage.asked == []


def test_too_many(uploads: OpenUploads, storage: Storage) -> None:
    with pytest.raises(Problem, match="3 uploads have begun and not arrived") as caught:
        uploads.begin("me", "d")
    assert (caught.value.status, caught.value.code) == (429, "too-many-open-uploads")
    assert caught.value.headers == {"Retry-After": str(open_uploads.LOOK_AGAIN_SECONDS)}
    assert storage.asked == [["a", "b", "c"]]
    uploads.begin("another", "d")


def test_what_arrived_counts_no_longer(uploads: OpenUploads, storage: Storage) -> None:
    storage.there = {"a", "c"}
    uploads.begin("me", "d")
    uploads.begin("me", "e")
    assert storage.asked == [["a", "b", "c"]]
    with pytest.raises(Problem):
        uploads.begin("me", "f")


def test_who_insists_is_not_looked_for_each_time(
    uploads: OpenUploads, storage: Storage, clock: Clock
) -> None:
    for _ in range(5):
        with pytest.raises(Problem):
            uploads.begin("me", "d")
    assert len(storage.asked) == 1
    clock.now += open_uploads.LOOK_AGAIN_SECONDS + 1
    storage.there = {"b"}
    uploads.begin("me", "d")
    assert len(storage.asked) == 2


def test_an_upload_whose_time_is_over_counts_no_longer(
    uploads: OpenUploads, storage: Storage, clock: Clock
) -> None:
    clock.now += 601
    uploads.begin("me", "d")
    assert storage.asked == []


def test_what_was_given_up_counts_no_longer(uploads: OpenUploads, storage: Storage) -> None:
    uploads.end("me", "b")
    uploads.end("stranger", "b")
    uploads.begin("me", "d")
    assert storage.asked == []


def test_only_so_many_visitors_are_remembered(
    uploads: OpenUploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_uploads, "REMEMBERED_VISITORS", 2)
    uploads.begin("one", "x")
    uploads.end("me", "a")
    uploads.begin("me", "d")
    uploads.begin("two", "x")
    assert list(uploads.visitors) == ["me", "two"]
