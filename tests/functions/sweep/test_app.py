from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.sweep.app import handler, logger
from functions.workers.wake import BatchWaker

EVENTS = Path(__file__).parents[3] / "events"

Sweep = Callable[[], dict[str, Any]]


@pytest.fixture
def sweep(
    waker: BatchWaker, context: Any, logged: Any, capsys: pytest.CaptureFixture[str]
) -> Sweep:
    """Runs the handler on a schedule's event; gives back what it counted."""
    log = logged(logger)
    event = json.loads((EVENTS / "schedule.json").read_text())

    def run() -> dict[str, Any]:
        capsys.readouterr()
        handler(event, context)
        assert {line["correlation_id"] for line in log()} == {event["id"]}
        [blob] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return {
            name: value[0]
            for name, value in blob.items()
            if isinstance(value, list) and name != "_aws"
        }

    return run


def send(waker: BatchWaker, messages: int) -> None:
    for number in range(messages):
        waker.sqs.send_message(QueueUrl=waker.work_queue_url, MessageBody=str(number))


def test_where_nothing_waits_nobody_is_woken(sweep: Sweep, batch: Any) -> None:
    assert sweep() == {
        "Photographs": 0,
        "Unattended": 0,
        "Running": 0,
        "Starting": 0,
        "Woken": 0,
        "WorkersFailed": 0,
    }
    assert batch.jobs() == []


def test_work_that_waits_without_a_worker_gets_one(
    sweep: Sweep, waker: BatchWaker, batch: Any
) -> None:
    """However the wake-up was lost."""
    send(waker, 3)
    counted = sweep()
    assert (counted["Unattended"], counted["Woken"]) == (3, 1)
    assert len(batch.alive()) == 1


def test_a_worker_that_starts_is_no_worker_yet(sweep: Sweep, waker: BatchWaker, batch: Any) -> None:
    send(waker, 3)
    waker.wake()
    batch.put_into("RUNNABLE")
    counted = sweep()
    assert (counted["Unattended"], counted["Starting"], counted["Running"]) == (3, 1, 0)


def test_work_with_a_worker_is_attended_to(sweep: Sweep, waker: BatchWaker, batch: Any) -> None:
    send(waker, 3)
    waker.wake()
    counted = sweep()
    assert (counted["Photographs"], counted["Unattended"], counted["Running"]) == (3, 0, 1)
    assert (counted["Woken"], counted["WorkersFailed"]) == (0, 0)


def test_a_worker_that_failed_is_counted_and_replaced(
    sweep: Sweep, waker: BatchWaker, batch: Any
) -> None:
    send(waker, 3)
    waker.wake()
    batch.put_into("FAILED")
    counted = sweep()
    assert (counted["Woken"], counted["WorkersFailed"]) == (1, 1)
    assert len(batch.alive()) == 1
