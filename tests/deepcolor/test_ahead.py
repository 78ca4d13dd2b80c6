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
