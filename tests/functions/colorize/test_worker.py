from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from PIL import Image

from deepcolor import registry
from functions.colorize import worker as room
from functions.colorize.jobs import Jobs
from functions.colorize.worker import Worker
from functions.contract.manifest import ManifestMissingError, ManifestReader
from functions.contract.records import Status

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 120


def wait_until(happened: Callable[[], Any], process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        assert process is None or process.poll() is None, "the process ended"
        time.sleep(0.02)


def visible_again(cloud: Any) -> bool:
    waiting, hidden = cloud.messages()
    return waiting == 1 and hidden == 0


def test_an_empty_queue_is_left(cloud: Any, drain: Any) -> None:
    drain()
    reader = ManifestReader(cloud.s3, cloud.settings.results_bucket)
    assert list(reader.read().strategies) == list(registry.strategies())


def test_more_than_a_batch_is_drained(cloud: Any, place: Any, drain: Any, gray_jpeg: bytes) -> None:
    keys = [f"album/{n}.jpg" for n in range(room.BATCH + 3)]
    for key in keys:
        place(key, gray_jpeg)
    drain()
    assert {cloud.record(key).status for key in keys} == {Status.DONE}
    assert sorted(cloud.results()) == sorted(keys)
    assert cloud.messages() == (0, 0)


def failing(cloud: Any, operation: str, key: str) -> Callable[[], None]:
    """Cuts the connection for one operation on one key; gives back what mends it."""

    def cut(params: dict[str, Any], **_: Any) -> None:
        if params["url_path"].endswith(f"/{key}"):
            raise EndpointConnectionError(endpoint_url=params["url"])

    event = f"before-call.s3.{operation}"
    cloud.s3.meta.events.register(event, cut)
    return lambda: cloud.s3.meta.events.unregister(event, cut)


@pytest.mark.parametrize(
    ("operation", "key"),
    [("PutObject", "a.jpg"), ("GetObject", "a.jpg"), ("PutObject", "records/a.jpg.json")],
)
def test_a_failure_on_the_way_leaves_the_message(
    cloud: Any,
    place: Any,
    drain: Any,
    gray_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    key: str,
) -> None:
    monkeypatch.setattr(room, "VISIBILITY_SECONDS", 1)
    place("a.jpg", gray_jpeg)
    mend = failing(cloud, operation, key)
    worker = drain()
    assert worker.in_hand == set()
    assert not cloud.record("a.jpg").status.is_final
    wait_until(lambda: visible_again(cloud))
    mend()
    drain()
    assert cloud.record("a.jpg").status is Status.DONE
    assert cloud.messages() == (0, 0)


def test_a_message_that_makes_no_sense_costs_no_other(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.sqs.send_message(QueueUrl=cloud.settings.work_queue_url, MessageBody="no JSON")
    place("a.jpg", gray_jpeg)
    drain()
    assert cloud.record("a.jpg").status is Status.DONE
    assert sum(cloud.messages()) == 1


class Slow:
    """A colorizer that takes as long as the test wants."""

    def __init__(self, colorizer: Any):
        self.colorizer, self.go_on = colorizer, threading.Event()
        self.card = colorizer.card

    def __call__(self, *arguments: Any, **knobs: Any) -> Any:
        return self.colorizer(*arguments, **knobs)

    def file(self, *arguments: Any, **knobs: Any) -> Any:
        assert self.go_on.wait(PATIENCE_SECONDS)
        return self.colorizer.file(*arguments, **knobs)


@pytest.fixture
def running(cloud: Any, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker on a thread whose photographs wait for ``jobs.colorizers["colornet"].go_on``."""
    monkeypatch.setattr(room, "LONG_POLL_SECONDS", 0)
    monkeypatch.setattr(room, "VISIBILITY_SECONDS", 2)
    monkeypatch.setattr(room, "HEARTBEAT_SECONDS", 0.2)
    slow = Slow(jobs.colorizers["colornet"])
    jobs.colorizers["colornet"] = slow  # type: ignore[assignment]
    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
    thread = threading.Thread(target=worker.run, args=(0,))
    started = threading.Event()
    cloud.sqs.meta.events.register(
        "before-call.sqs.ChangeMessageVisibility", lambda **_: started.set()
    )
    worker.started, worker.thread = started, thread  # type: ignore[attr-defined]
    yield worker
    slow.go_on.set()
    worker.stopping.set()
    thread.join()


def test_heartbeats_keep_messages_hidden(
    cloud: Any, place: Any, gray_jpeg: bytes, jobs: Jobs, running: Any
) -> None:
    place("a.jpg", gray_jpeg)
    place("b.jpg", gray_jpeg)
    running.thread.start()
    assert running.started.wait(PATIENCE_SECONDS)
    # Twice the visibility timeout, on a connection that the worker does not use.
    other = boto3.client("sqs")
    over = time.monotonic() + 2 * room.VISIBILITY_SECONDS
    while time.monotonic() < over:
        reply = other.receive_message(QueueUrl=cloud.settings.work_queue_url, WaitTimeSeconds=1)
        assert reply.get("Messages", []) == []
    jobs.colorizers["colornet"].go_on.set()  # type: ignore[attr-defined]
    running.thread.join()
    assert {cloud.record(key).status for key in ("a.jpg", "b.jpg")} == {Status.DONE}
    assert cloud.messages() == (0, 0)


def test_stopping_gives_untouched_messages_back(
    cloud: Any, place: Any, gray_jpeg: bytes, jobs: Jobs, running: Any
) -> None:
    for n in range(4):
        place(f"{n}.jpg", gray_jpeg)
    running.thread.start()
    assert running.started.wait(PATIENCE_SECONDS)
    running.stop()
    jobs.colorizers["colornet"].go_on.set()  # type: ignore[attr-defined]
    running.thread.join()
    done = [n for n in range(4) if cloud.record(f"{n}.jpg").status is Status.DONE]
    assert len(done) == 1
    assert cloud.messages() == (3, 0)


def test_stopping_breaks_off_the_wait_for_messages(cloud: Any, jobs: Jobs) -> None:
    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
    answered: list[str] = []
    events = cloud.sqs.meta.events
    # Where a signal's handler would come in: on the worker's own thread, inside the call.
    events.register("before-call.sqs.ReceiveMessage", lambda **_: worker.stop())
    events.register("after-call.sqs.ReceiveMessage", lambda **_: answered.append("reply"))
    worker.run()
    assert answered == []


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(cloud: Any) -> Iterator[Start]:
    """Starts a real worker and waits until it has published its manifest."""
    processes = []

    def spawn(*arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "functions.colorize", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        processes.append(process)
        return process

    yield spawn
    for process in processes:
        process.kill()
        process.wait()


def published(cloud: Any) -> bool:
    try:
        return bool(ManifestReader(cloud.s3, cloud.settings.results_bucket).read().strategies)
    except ManifestMissingError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_process_leaves_when_told(cloud: Any, start: Start, number: signal.Signals) -> None:
    process = start()
    wait_until(lambda: published(cloud), process)
    process.send_signal(number)
    assert process.wait(PATIENCE_SECONDS) == 0


def test_a_busy_process_leaves_when_told_and_loses_nothing(
    cloud: Any, place: Any, start: Start
) -> None:
    file = io.BytesIO()
    Image.effect_noise((1600, 1200), 60).save(file, "JPEG")
    keys = [f"album/{n}.jpg" for n in range(25)]
    for key in keys:
        place(key, file.getvalue())
    process = start()
    wait_until(cloud.results, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0
    done = [key for key in keys if cloud.record(key).status is Status.DONE]
    assert 1 <= len(done) < len(keys)
    assert cloud.messages() == (len(keys) - len(done), 0)
    assert sorted(cloud.results()) == sorted(done)


def test_a_process_leaves_when_idle(cloud: Any, place: Any, gray_jpeg: bytes, start: Start) -> None:
    place("a.jpg", gray_jpeg)
    assert start("--exit-when-idle", "0").wait(PATIENCE_SECONDS) == 0
    assert cloud.record("a.jpg").status is Status.DONE
