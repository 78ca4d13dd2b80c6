from __future__ import annotations

import threading
import time

import pytest

from functions.colorize.alarm import alarm

SOON, LATE = 0.05, 60.0
PATIENCE = 10.0


def test_it_rings_when_its_time_has_come_and_not_before() -> None:
    rung = threading.Event()
    start = time.monotonic()
    with alarm(4 * SOON, rung.set):
        assert not rung.wait(2 * SOON)
        assert rung.wait(PATIENCE)
        assert time.monotonic() - start >= 4 * SOON


def test_what_is_done_in_time_is_left_alone() -> None:
    rung = threading.Event()
    with alarm(2 * SOON, rung.set):
        pass
    assert not rung.wait(6 * SOON)


def test_what_fails_is_left_alone_too() -> None:
    rung = threading.Event()
    try:
        with alarm(2 * SOON, rung.set):
            raise ValueError
    except ValueError:
        pass
    assert not rung.wait(6 * SOON)


def test_one_that_is_due_sooner_is_not_kept_waiting_by_another() -> None:
    rung = threading.Event()
    with alarm(LATE, rung.set), alarm(SOON, rung.set):
        assert rung.wait(PATIENCE)


def test_one_that_takes_long_keeps_no_other_waiting() -> None:
    end, rung = threading.Event(), threading.Event()
    with alarm(SOON, lambda: end.wait(PATIENCE) and None), alarm(2 * SOON, rung.set):
        assert rung.wait(PATIENCE / 2)
        end.set()


@pytest.mark.parametrize(("wait_seconds", "is_done"), [(0.0, False), (PATIENCE, True)])
def test_what_has_begun_is_waited_for_as_long_as_is_said(
    wait_seconds: float, is_done: bool
) -> None:
    begun, done = threading.Event(), threading.Event()

    def act() -> None:
        begun.set()
        time.sleep(10 * SOON)
        done.set()

    with alarm(SOON, act, wait_seconds):
        begun.wait(PATIENCE)
    assert done.is_set() is is_done


def test_all_wait_on_one_thread() -> None:
    with alarm(LATE, lambda: None):
        before = threading.active_count()
        for _ in range(100):
            with alarm(LATE, lambda: None), alarm(LATE, lambda: None):
                assert threading.active_count() <= before
