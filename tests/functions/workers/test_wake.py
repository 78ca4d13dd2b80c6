from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from functions.contract.keys import WORKERS_KEY
from functions.workers.register import Register, Slot
from functions.workers.wake import (
    JOB_NAME,
    SETTLED_SECONDS,
    BatchWaker,
    Fleet,
    waker_from_environment,
)
from tests.functions.moto_batch import register_job_definition

RACERS = 12
LONG_AGO = time.time() - 2 * SETTLED_SECONDS


def send(waker: BatchWaker, messages: int) -> None:
    for number in range(messages):
        waker.sqs.send_message(QueueUrl=waker.work_queue_url, MessageBody=str(number))


def slots(waker: BatchWaker) -> tuple[Slot, ...]:
    return Register.read(waker.s3, waker.bucket).slots


def put_slots(waker: BatchWaker, *taken: Slot) -> None:
    register = Register.read(waker.s3, waker.bucket)
    assert register.replace(waker.s3, waker.bucket, taken)


def test_without_batch_there_is_nobody_to_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPCOLOR_BATCH_JOB_QUEUE", raising=False)
    waker_from_environment.cache_clear()
    assert waker_from_environment() is None


@pytest.mark.parametrize(
    ("messages", "workers"),
    [(0, 0), (1, 1), (3, 1), (4, 2), (12, 4), (13, 4), (40, 4)],
)
def test_as_many_workers_as_the_backlog_asks_for(
    waker: BatchWaker, batch: Any, messages: int, workers: int
) -> None:
    send(waker, messages)
    assert waker.wake() == Fleet(messages, running=0, starting=0, woken=workers, failed=0)
    assert len(batch.alive()) == workers
    assert {slot.job_id for slot in slots(waker)} == {job["jobId"] for job in batch.alive()}


def test_a_job_runs_in_the_environment_of_its_definition(
    waker: BatchWaker, batch: Any, worker_environment: list[dict[str, str]]
) -> None:
    send(waker, 1)
    waker.wake()
    [job] = batch.jobs()
    assert job["jobName"].startswith(f"{JOB_NAME}-")
    assert job["jobDefinition"] == waker.job_definition
    assert job["jobQueue"] == waker.job_queue
    variables = {entry["name"]: entry["value"] for entry in job["container"]["environment"]}
    assert variables.pop("AWS_BATCH_JOB_ID") == job["jobId"]
    assert waker.job_definition.endswith(f":{variables.pop('DEEPCOLOR_DEPLOYMENT')}")
    assert variables == {entry["name"]: entry["value"] for entry in worker_environment}


def test_a_job_is_of_the_latest_definition_whatever_the_function_was_deployed_with(
    waker: BatchWaker, batch: Any
) -> None:
    later = register_job_definition(waker.batch, image="a later worker")
    assert later != waker.job_definition
    waker.wake(just_sent=1)
    [job] = batch.jobs()
    assert job["jobDefinition"] == later


def test_photographs_in_work_count_as_backlog(waker: BatchWaker) -> None:
    send(waker, 4)
    waker.sqs.receive_message(QueueUrl=waker.work_queue_url, MaxNumberOfMessages=10)
    assert waker.wake().woken == 2


def test_messages_just_sent_wake_although_sqs_counts_none_yet(waker: BatchWaker) -> None:
    assert waker.wake(just_sent=4).woken == 2


def test_messages_just_sent_are_not_counted_twice(waker: BatchWaker) -> None:
    send(waker, 3)
    assert waker.wake(just_sent=3).woken == 1


def test_what_a_later_version_added_to_the_register_is_left_out(waker: BatchWaker) -> None:
    slot = {"job_name": "a", "taken": LONG_AGO, "job_id": "b"}
    body = json.dumps([slot | {"mood": "calm"}])
    waker.s3.put_object(Bucket=waker.bucket, Key=WORKERS_KEY, Body=body)
    assert slots(waker) == (Slot("a", LONG_AGO, "b"),)


@pytest.mark.parametrize("status", ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"])
def test_jobs_not_yet_over_count_as_workers(waker: BatchWaker, batch: Any, status: str) -> None:
    send(waker, 7)
    waker.wake()
    batch.put_into(status)
    running = 3 if status == "RUNNING" else 0
    send(waker, 33)
    assert waker.wake() == Fleet(40, running, starting=3 - running, woken=1, failed=0)
    assert len(batch.alive()) == 4


@pytest.mark.parametrize(("status", "failed"), [("SUCCEEDED", 0), ("FAILED", 1)])
def test_a_job_that_is_over_makes_room_at_once(
    waker: BatchWaker, batch: Any, status: str, failed: int
) -> None:
    send(waker, 1)
    waker.wake()
    batch.put_into(status)
    assert waker.wake() == Fleet(1, running=0, starting=0, woken=1, failed=failed)
    assert len(batch.alive()) == 1


def test_a_failure_is_told_once_though_nothing_waits_any_more(
    waker: BatchWaker, batch: Any
) -> None:
    waker.wake(just_sent=1)
    batch.put_into("FAILED")
    assert [waker.wake().failed for _ in range(3)] == [1, 0, 0]
    assert slots(waker) == ()


def test_surplus_workers_are_let_finish(waker: BatchWaker, batch: Any) -> None:
    waker.wake(just_sent=12)
    assert waker.wake(just_sent=1).woken == 0
    assert len(batch.alive()) == len(slots(waker)) == 4


def test_one_who_looks_writes_nothing(waker: BatchWaker) -> None:
    waker.wake(just_sent=12)
    etag = Register.read(waker.s3, waker.bucket).etag
    waker.wake(just_sent=12)
    assert Register.read(waker.s3, waker.bucket).etag == etag


# ---- Races


@pytest.fixture
def race(waker: BatchWaker) -> Callable[[int], list[Fleet]]:
    """Many dispatchers who have just sent messages wake at the same moment."""
    config = Config(max_pool_connections=RACERS)
    crowd = replace(
        waker,
        batch=boto3.client("batch", config=config),
        sqs=boto3.client("sqs", config=config),
        s3=boto3.client("s3", config=config),
    )

    def run(just_sent: int) -> list[Fleet]:
        barrier = threading.Barrier(RACERS)

        def one(_: int) -> Fleet:
            barrier.wait()
            return crowd.wake(just_sent)

        with ThreadPoolExecutor(RACERS) as threads:
            return list(threads.map(one, range(RACERS)))

    return run


def test_racing_dispatchers_wake_as_many_as_are_missing_and_never_more_than_the_cap(
    waker: BatchWaker, batch: Any, race: Callable[[int], list[Fleet]]
) -> None:
    submitted = 0
    # One worker, a second, up to the cap, and none beyond it.
    for just_sent, alive in [(1, 1), (4, 2), (40, 4), (40, 4)]:
        woken = sum(fleet.woken for fleet in race(just_sent))
        assert len(batch.alive()) == alive
        submitted += woken
        assert len(batch.jobs()) == submitted == alive
    # Two end, and two only take their places.
    batch.put_into("SUCCEEDED", *[job["jobId"] for job in batch.alive()[:2]])
    assert sum(fleet.woken for fleet in race(40)) == 2
    assert len(batch.alive()) == 4
    assert {slot.job_id for slot in slots(waker)} == {job["jobId"] for job in batch.alive()}


def test_a_write_whose_answer_was_lost_has_taken_its_slots(waker: BatchWaker, batch: Any) -> None:
    """botocore asks again, and S3 says that somebody else has written meanwhile."""
    s3 = boto3.client("s3")
    put = s3.put_object

    def put_twice(**request: Any) -> Any:
        s3.put_object = put
        put(**request)
        return put(**request)

    s3.put_object = put_twice
    assert replace(waker, s3=s3).wake(just_sent=4).woken == 2
    assert {slot.job_id for slot in slots(waker)} == {job["jobId"] for job in batch.alive()}
    assert len(batch.alive()) == 2


# ---- Where a function breaks off in between


class BrokenError(Exception):
    pass


def breaking_off(waker: BatchWaker, when: str) -> BatchWaker:
    """A waker whose process ends before or just after Batch takes the job."""
    client = boto3.client("batch")

    def end(**_: Any) -> None:
        raise BrokenError

    client.meta.events.register(f"{when}-call.batch.SubmitJob", end)
    return replace(waker, batch=client)


def age(waker: BatchWaker) -> None:
    put_slots(waker, *[replace(slot, taken=LONG_AGO) for slot in slots(waker)])


def test_a_job_whose_id_nobody_could_note_keeps_its_slot(waker: BatchWaker, batch: Any) -> None:
    with pytest.raises(BrokenError):
        breaking_off(waker, "after").wake(just_sent=3)
    [slot] = slots(waker)
    assert slot.job_id is None
    assert waker.wake(just_sent=3).woken == 0
    age(waker)
    assert waker.wake(just_sent=3).woken == 0
    assert len(batch.alive()) == 1
    batch.put_into("SUCCEEDED")
    assert waker.wake(just_sent=3).woken == 1


def test_a_slot_without_a_job_is_free_when_no_job_can_come_any_more(
    waker: BatchWaker, batch: Any
) -> None:
    with pytest.raises(BrokenError):
        breaking_off(waker, "before").wake(just_sent=3)
    assert waker.wake(just_sent=3).woken == 0
    age(waker)
    assert waker.wake(just_sent=3).woken == 1
    assert len(batch.jobs()) == 1


def test_a_job_that_batch_does_not_know_yet_counts(waker: BatchWaker) -> None:
    put_slots(waker, Slot("a-job", time.time(), "not-listed-yet"))
    assert waker.wake(just_sent=3).woken == 0


def test_a_job_that_batch_has_forgotten_does_not_count(waker: BatchWaker) -> None:
    put_slots(waker, Slot("a-job", LONG_AGO, "forgotten-after-a-week"))
    assert waker.wake(just_sent=3).woken == 1
