"""Several photographs at a time, each in a process that no other's mishap ends."""

from __future__ import annotations

import io
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aws_lambda_powertools import Logger

from functions.colorize import painters as room
from functions.colorize.commission import Colored, Commission, Refusal
from functions.colorize.isolation import IsolatedPainter, PainterDiedError
from functions.colorize.painters import Painters
from tests.chaos import perilous, plugin
from tests.conftest import make_landscape

GIB = 2**30


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Painters]:
    """For a machine of two cores, and with the perilous strategies."""
    for name, value in plugin.install(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(room, "_memory_bytes", lambda: 8 * GIB)
    crew = Painters(Logger(service="colorize"), 120)
    yield crew
    crew.close()


@pytest.mark.parametrize(
    ("cores", "memory_bytes", "hands"),
    [
        (2, 24 * GIB, 2),
        (4, 13000 * 2**20, 4),
        (4, 6400 * 2**20, 2),
        (64, 256 * GIB, 4),
        (8, GIB, 1),
    ],
)
def test_hands_are_as_many_as_cores_and_memory_allow(
    cores: int, memory_bytes: int, hands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    monkeypatch.setattr(room, "_memory_bytes", lambda: memory_bytes)
    assert Painters(Logger(service="colorize"), 1).hands == hands


def commission(peril: int, seconds: int = 0) -> Commission:
    file = io.BytesIO()
    make_landscape(96, 64).save(file, "PNG")
    return Commission(file.getvalue(), "perilous", {"peril": peril, "seconds": seconds}, [], "c")


def test_who_is_alone_needs_no_other(crew: Painters) -> None:
    for _ in range(3):
        assert isinstance(crew.paint(commission(0)), Colored)
    assert len(crew.hired) == 1


def test_while_one_is_at_work_another_takes_the_next(crew: Painters) -> None:
    crew.load("perilous")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(crew.paint, [commission(0, seconds=1)] * 2))
        while crew.idle.qsize() < 2:
            time.sleep(0.02)
        slow = pool.submit(crew.paint, commission(0, seconds=10))
        while not crew.at_work:
            time.sleep(0.02)
        assert isinstance(crew.paint(commission(0)), Colored)
        assert not slow.done()
    processes = [painter.process for painter in crew.hired]
    crew.close()
    assert [process and process.poll() for process in processes] == [-signal.SIGKILL] * 2


def test_whoever_could_not_get_ready_is_replaced(
    crew: Painters, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew.load("perilous")
    load = IsolatedPainter.load

    def refuse(painter: IsolatedPainter, strategy: str) -> Refusal | None:
        if strategy == "unready":
            raise PainterDiedError(1)
        return load(painter, strategy)

    monkeypatch.setattr(IsolatedPainter, "load", refuse)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(crew.paint, commission(0, seconds=5))
        while not crew.at_work:
            time.sleep(0.02)
        crew._see_to_hands("unready")
        while len(crew.hired) > 1:
            assert not slow.done(), "nobody noticed"
            time.sleep(0.02)
        crew._see_to_hands("perilous")
        assert crew.idle.get(timeout=60) is crew.hired[1]
        slow.result()


def test_a_crash_costs_no_other_photograph(crew: Painters) -> None:
    with ThreadPoolExecutor(2) as pool:
        perils = [0, perilous.EXIT, 0, 0, perilous.EXIT, 0]
        outcomes = list(pool.map(lambda peril: crew.paint(commission(peril)), perils))
    crashed = [isinstance(outcome, Refusal) and outcome.code == "crashed" for outcome in outcomes]
    assert crashed == [peril == perilous.EXIT for peril in perils]


def test_several_share_the_cores(crew: Painters) -> None:
    with crew._one() as (_, all_threads):
        crew._see_to_hands("perilous")
        with crew._one() as (_, threads):
            assert (all_threads, threads) == (2, 1)
