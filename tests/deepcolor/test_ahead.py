"""Work on many photographs, shared by threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from deepcolor import ahead
from deepcolor.errors import DeepcolorError, HintFormatError, UnexpectedError
from deepcolor.photograph import Input

SOURCES = [f"{number}.jpg" for number in range(9)]


def prepared(source: Input) -> str:
    if source == "2.jpg":
        raise HintFormatError("2.jpg")
    return f"prepared {source}"


def worked_on(given: str) -> tuple[str, str]:
    if "4" in given:
        raise RuntimeError("no number")
    return given, threading.current_thread().name


def finished(before: str, made: tuple[str, str]) -> tuple[str, str, bool]:
    assert before == made[0]
    if "6" in before:
        raise ZeroDivisionError
    return (*made, threading.current_thread() is not threading.main_thread())


@pytest.mark.parametrize("jobs", [1, 2, 20])
def test_one_works_on_what_threads_prepare_and_finish(jobs: int) -> None:
    results = list(ahead.beside(prepared, worked_on, finished, SOURCES, jobs))
    assert [isinstance(one, DeepcolorError) for one in results] == [
        number in {2, 4, 6} for number in range(9)
    ]
    assert isinstance(results[2], HintFormatError)
    assert str(results[4]).startswith("4.jpg could not be colored (RuntimeError: no number)")
    assert isinstance(results[6], UnexpectedError)
    main = threading.main_thread().name
    for number in (0, 1, 3, 5, 7, 8):
        assert results[number] == (f"prepared {number}.jpg", main, True)


class Taken:
    """A hundred sources, of which no more than ``most`` should be taken before a result is."""

    def __init__(self, jobs: int, most: int) -> None:
        self.jobs, self.most, self.count = jobs, most, 0
        self.enough, self.beyond = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Input]:
        for number in range(100):
            self.count += 1
            if self.count > 2 * self.jobs:
                self.enough.set()
            if self.count > self.most:
                self.beyond.set()
            yield f"{number}.jpg"

    def slowly(self, _: Input) -> bool:
        """Work that gives others all the time to take too many."""
        return self.enough.wait(30) and not self.beyond.wait(0.3)


@pytest.mark.parametrize("jobs", [1, 3])
def test_while_all_is_slow_as_many_are_taken_ahead_as_is_said(jobs: int) -> None:
    taken = Taken(jobs, most=2 * jobs + 1)
    results = ahead.whole(taken.slowly, taken, jobs)
    assert next(results) is True
    assert taken.count == 2 * jobs + 1


@pytest.mark.parametrize("jobs", [1, 3])
def test_beside_a_device_no_more_are_taken_ahead_than_is_said(jobs: int) -> None:
    taken = Taken(jobs, most=3 * jobs + 1)
    results = ahead.beside(taken.slowly, bool, lambda _, made: made, taken, jobs)
    assert next(results) is True
    assert taken.count <= 3 * jobs + 1


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_than_a_few_are_taken_ahead(jobs: int) -> None:
    taken = 0

    def sources() -> Iterator[Input]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield f"{number}.jpg"

    done = 0
    for _ in ahead.whole(str, sources(), jobs):
        done += 1
        assert taken <= done + 2 * jobs
    assert done == 100
