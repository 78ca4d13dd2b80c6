from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from PIL import Image

from deepcolor import registry
from functions.colorize import shift
from functions.colorize import worker as room
from functions.colorize.__main__ import _gpu
from functions.colorize.commission import Outcome
from functions.colorize.jobs import Job, Jobs
from functions.colorize.worker import Worker
from functions.contract.manifest import ManifestMissingError, ManifestReader, publish
from functions.contract.records import Record, Status
from tests.chaos import perilous, plugin
from tests.conftest import make_landscape
from tests.servers import free_port

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 120
HIDDEN_SECONDS = 2


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


def test_more_is_received_before_the_last_of_a_batch_is_colored(
    cloud: Any, place: Any, drain: Any, jobs: Jobs, gray_jpeg: bytes
) -> None:
    for n in range(room.BATCH + 3):
        place(f"{n}.jpg", gray_jpeg)
    received: list[int] = []
    cloud.sqs.meta.events.register(
        "after-call.sqs.ReceiveMessage",
        lambda parsed, **_: received.append(len(parsed.get("Messages", []))),
    )
    color, in_hand = jobs.color, []

    def watched(job: Job) -> Outcome:
        outcome = color(job)
        in_hand.append(sum(received))
        return outcome

    jobs.color = watched  # type: ignore[method-assign]
    drain()
    assert received[:2] == [room.BATCH, 3]
    assert in_hand[0] == room.BATCH
    assert in_hand[room.BATCH - 1] == room.BATCH + 3
    assert cloud.messages() == (0, 0)


def test_a_photograph_that_takes_long_holds_up_no_other(
    cloud: Any,
    place: Any,
    drain: Any,
    jobs: Jobs,
    gray_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = [f"{n}.jpg" for n in range(2 * room.BATCH)]
    for key in keys:
        place(key, gray_jpeg)
    color, beside = jobs.color, []

    def slow(job: Job) -> Outcome:
        if job.record.key == keys[0]:
            wait_until(lambda: len(cloud.results()) == len(keys) - 1)
            beside.extend(cloud.results())
        return color(job)

    monkeypatch.setattr(type(jobs.painter), "hands", 2)
    monkeypatch.setattr(jobs, "color", slow)
    drain()
    assert sorted(beside) == sorted(keys[1:])
    assert {cloud.record(key).status for key in keys} == {Status.DONE}
    assert cloud.messages() == (0, 0)


def test_what_comes_while_one_takes_long_is_colored_beside_it(
    cloud: Any,
    place: Any,
    drain: Any,
    jobs: Jobs,
    gray_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place("long.jpg", gray_jpeg)
    color = jobs.color

    def slow(job: Job) -> Outcome:
        if job.record.key == "long.jpg":
            time.sleep(2 * shift.BREATH_SECONDS)  # the queue has been found empty since
            place("late.jpg", gray_jpeg)
            wait_until(lambda: "late.jpg" in cloud.results())
        return color(job)

    monkeypatch.setattr(type(jobs.painter), "hands", 2)
    monkeypatch.setattr(jobs, "color", slow)
    drain()
    assert {cloud.record(key).status for key in ("long.jpg", "late.jpg")} == {Status.DONE}
    assert cloud.messages() == (0, 0)


def test_a_queue_that_refuses_is_not_asked_again_and_again(
    cloud: Any,
    place: Any,
    jobs: Jobs,
    gray_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place("long.jpg", gray_jpeg)
    color, asked = jobs.color, []

    def refuse(**_: Any) -> None:
        asked.append(1)
        if len(asked) > 1:
            raise EndpointConnectionError(endpoint_url="https://sqs.example")

    def slow(job: Job) -> Outcome:
        wait_until(lambda: len(asked) > 1)
        time.sleep(1)
        return color(job)

    monkeypatch.setattr(type(jobs.painter), "hands", 2)
    monkeypatch.setattr(jobs, "color", slow)
    cloud.sqs.meta.events.register("before-call.sqs.ReceiveMessage", refuse)
    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
    with ThreadPoolExecutor(2) as transfers, ThreadPoolExecutor(2) as painting:
        work = shift.Shift(
            worker.inbox, jobs, transfers, painting, jobs.logger, worker.stopping.is_set
        )
        assert not work.work(worker.inbox.receive(1, 0), worker.stopping.is_set)
    assert len(asked) == 2
    assert cloud.record("long.jpg").status is Status.DONE


def test_what_has_only_just_come_is_given_back_too(
    cloud: Any, place: Any, jobs: Jobs, gray_jpeg: bytes
) -> None:
    """Told to stop with a second batch on its way."""
    for n in range(room.BATCH + 3):
        place(f"{n}.jpg", gray_jpeg)
    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)

    def stop_at_the_second(**_: Any) -> None:
        if worker.inbox.in_hand:
            worker.stop()
            time.sleep(2)  # until nothing is being painted any more

    cloud.sqs.meta.events.register("before-call.sqs.ReceiveMessage", stop_at_the_second)
    worker.run()
    done = len(cloud.results())
    assert 0 < done < room.BATCH
    assert cloud.messages() == (room.BATCH + 3 - done, 0)
    assert worker.inbox.in_hand == set()


def test_who_was_long_at_work_has_not_been_idle(
    cloud: Any, place: Any, jobs: Jobs, gray_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes just after a photograph that took longer than a worker idles is its own, too."""
    place("long.jpg", gray_jpeg)
    color, clock, looks = jobs.color, SimpleNamespace(now=0.0), 0

    def slow(job: Job) -> Outcome:
        wait_until(lambda: looks > 1)  # the shift, too, has found the queue empty
        clock.now += 100
        return color(job)

    def look(**_: Any) -> None:
        nonlocal looks
        looks += 1
        clock.now += 1
        if looks == 3:  # the first one after the shift, which finds nothing
            place("late.jpg", gray_jpeg)

    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(room, "time", clock)
    monkeypatch.setattr(room, "LONG_POLL_SECONDS", 0)
    monkeypatch.setattr(jobs, "color", slow)
    cloud.sqs.meta.events.register("after-call.sqs.ReceiveMessage", look)
    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
    worker.run(idle_seconds=10)
    worker.stop()
    assert sorted(cloud.results()) == ["late.jpg", "long.jpg"]
    assert cloud.messages() == (0, 0)


def test_a_worker_that_a_deployment_has_outdated_leaves(
    cloud: Any, place: Any, jobs: Jobs, gray_jpeg: bytes
) -> None:
    """Though it is to wait for ever, and with work there for those of the deployment."""
    place("a.jpg", gray_jpeg)
    jobs.is_outdated = True
    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    wait_until(lambda: not thread.is_alive() or cloud.results())
    worker.stop()
    thread.join()
    assert cloud.messages() == (1, 0)
    assert cloud.record("a.jpg").status is Status.QUEUED


@pytest.mark.parametrize(("own", "latest"), [(7, 8), (7, 7), (0, 8)])
def test_what_waits_when_a_deployment_comes_is_left_to_its_workers(
    cloud: Any,
    place: Any,
    drain: Any,
    jobs: Jobs,
    gray_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
    own: int,
    latest: int,
) -> None:
    """Whatever it asks for. What is in hand is finished; whom nobody numbered stays."""
    keys = [f"{n}.jpg" for n in range(2 * room.BATCH)]
    for key in keys:
        place(key, gray_jpeg)
    monkeypatch.setattr("functions.contract.manifest.FRESH_SECONDS", -1)
    jobs.settings = replace(jobs.settings, deployment=own)
    color = jobs.color

    def deployed(job: Job) -> Outcome:
        if job.record.key == keys[0]:
            publish(cloud.s3, cloud.settings.results_bucket, registry.manifest(), latest)
        return color(job)

    monkeypatch.setattr(jobs, "color", deployed)
    drain()
    left = room.BATCH if 0 < own < latest else 0
    assert jobs.is_outdated is bool(left)
    assert cloud.messages() == (left, 0)
    assert len(cloud.results()) == len(keys) - left


def failing(cloud: Any, operation: str, key: str) -> Callable[[], None]:
    """Cuts the connection for one operation on one key; gives back what mends it."""

    def cut(params: dict[str, Any], **_: Any) -> None:
        if params["url_path"].endswith(f"/{key}"):
            raise EndpointConnectionError(endpoint_url=params["url"])

    event = f"before-call.s3.{operation}"
    cloud.s3.meta.events.register(event, cut)
    return lambda: cloud.s3.meta.events.unregister(event, cut)


def test_all_that_is_in_hand_is_hidden_or_given_back(cloud: Any, jobs: Jobs) -> None:
    """However many batches it is."""
    for n in range(room.BATCH + 3):
        cloud.sqs.send_message(QueueUrl=cloud.settings.work_queue_url, MessageBody=str(n))
    inbox = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger).inbox
    while inbox.receive(room.BATCH, 0):
        pass
    assert cloud.messages() == (0, room.BATCH + 3)
    inbox.keep_hidden(1)
    wait_until(lambda: cloud.messages() == (room.BATCH + 3, 0))
    while inbox.receive(room.BATCH, 0):
        pass
    inbox.give_all_back()
    assert cloud.messages() == (room.BATCH + 3, 0)


@pytest.mark.parametrize(
    ("operation", "key"),
    [("PutObject", "a.jpg"), ("GetObject", "a.jpg"), ("PutObject", "records/a.jpg.json")],
)
def test_a_failure_on_the_way_leaves_the_message(
    cloud: Any,
    place: Any,
    drain: Any,
    gray_jpeg: bytes,
    operation: str,
    key: str,
) -> None:
    cloud.hide_for(1)
    place("a.jpg", gray_jpeg)
    mend = failing(cloud, operation, key)
    worker = drain()
    assert worker.inbox.in_hand == set()
    assert not cloud.record("a.jpg").status.is_final
    wait_until(lambda: visible_again(cloud))
    mend()
    drain()
    assert cloud.record("a.jpg").status is Status.DONE
    assert cloud.messages() == (0, 0)


def test_a_message_that_makes_no_sense_costs_no_other(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes
) -> None:
    cloud.sqs.send_message(QueueUrl=cloud.settings.work_queue_url, MessageBody="no JSON")
    place("a.jpg", gray_jpeg)
    drain()
    assert cloud.record("a.jpg").status is Status.DONE
    assert sum(cloud.messages()) == 1


class Slow:
    """A colorizer that takes as long as the test wants."""

    def __init__(self, colorizer: Any):
        self.colorizer = colorizer
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.card = colorizer.card

    def __call__(self, *arguments: Any, **knobs: Any) -> Any:
        return self.colorizer(*arguments, **knobs)

    def file(self, *arguments: Any, **knobs: Any) -> Any:
        self.begun.set()
        assert self.go_on.wait(PATIENCE_SECONDS)
        return self.colorizer.file(*arguments, **knobs)


@pytest.fixture
def running(cloud: Any, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker on a thread whose photographs wait for ``worker.slow.go_on``."""
    monkeypatch.setattr(room, "LONG_POLL_SECONDS", 0)
    monkeypatch.setattr(room, "BEATS", 10)
    cloud.hide_for(HIDDEN_SECONDS)
    painter: Any = jobs.painter
    slow = painter.colorizers["colornet"] = Slow(painter.colorizers["colornet"])
    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
    thread = threading.Thread(target=worker.run, args=(0,))
    started = threading.Event()
    cloud.sqs.meta.events.register(
        "before-call.sqs.ChangeMessageVisibilityBatch", lambda **_: started.set()
    )
    worker.started, worker.thread, worker.slow = started, thread, slow  # type: ignore[attr-defined]
    yield worker
    slow.go_on.set()
    worker.stopping.set()
    thread.join()


def test_heartbeats_keep_messages_hidden(
    cloud: Any, place: Any, gray_jpeg: bytes, running: Any
) -> None:
    place("a.jpg", gray_jpeg)
    place("b.jpg", gray_jpeg)
    running.thread.start()
    assert running.started.wait(PATIENCE_SECONDS)
    # Twice the visibility timeout, on a connection that the worker does not use.
    other = boto3.client("sqs")
    over = time.monotonic() + 2 * HIDDEN_SECONDS
    while time.monotonic() < over:
        reply = other.receive_message(QueueUrl=cloud.settings.work_queue_url, WaitTimeSeconds=1)
        assert reply.get("Messages", []) == []
    running.slow.go_on.set()
    running.thread.join()
    assert {cloud.record(key).status for key in ("a.jpg", "b.jpg")} == {Status.DONE}
    assert cloud.messages() == (0, 0)


@pytest.mark.parametrize("ahead_bytes", [shift.MOST_AHEAD_BYTES, 0])
def test_stopping_gives_untouched_messages_back(
    ahead_bytes: int,
    cloud: Any,
    place: Any,
    gray_jpeg: bytes,
    running: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shift, "MOST_AHEAD_BYTES", ahead_bytes)
    for n in range(4):
        place(f"{n}.jpg", gray_jpeg)
    running.thread.start()
    assert running.started.wait(PATIENCE_SECONDS)
    assert running.slow.begun.wait(PATIENCE_SECONDS)
    running.stop()
    running.slow.go_on.set()
    running.thread.join()
    done = [n for n in range(4) if cloud.record(f"{n}.jpg").status is Status.DONE]
    assert len(done) == 1
    assert cloud.messages() == (3, 0)


def test_what_comes_as_it_is_told_to_leave_is_given_back(
    cloud: Any, place: Any, jobs: Jobs, gray_jpeg: bytes
) -> None:
    place("a.jpg", gray_jpeg)
    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
    # Where a signal's handler would come in: on the worker's own thread, inside the call.
    events = cloud.sqs.meta.events
    events.register("after-call.sqs.ReceiveMessage", lambda **_: worker.stop())
    worker.run()
    assert cloud.messages() == (1, 0)
    assert cloud.results() == []


def test_uploads_ahead_are_no_more_than_may_be_held(
    cloud: Any, place: Any, jobs: Jobs, gray_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(room.BATCH):
        place(f"{n}.jpg", gray_jpeg)
    monkeypatch.setattr(shift, "MOST_AHEAD_BYTES", len(gray_jpeg))
    fetch, color = jobs.fetch, jobs.color
    ahead, most = set(), []

    def fetched(work: Record, is_again: bool) -> Job | None:
        ahead.add(work.key)
        most.append(len(ahead))
        return fetch(work, is_again)

    def colored(job: Job) -> Outcome:
        time.sleep(0.05)  # all the time it takes to fetch all of them
        outcome = color(job)
        ahead.discard(job.record.key)
        return outcome

    monkeypatch.setattr(jobs, "fetch", fetched)
    monkeypatch.setattr(jobs, "color", colored)
    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
    worker.run(0)
    assert len(cloud.results()) == room.BATCH
    # Two ahead, the one in hand and the one that the hand takes next.
    assert 1 < max(most) <= 4


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(cloud: Any) -> Iterator[Start]:
    """Starts a real worker and waits until it has published its manifest."""
    processes = []

    def spawn(*arguments: str, grace_seconds: int = 20) -> subprocess.Popen[bytes]:
        code = f"""
import sys
from functions.colorize import __main__ as room
room.GRACE_SECONDS = {grace_seconds}
sys.exit(room.main())
"""
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
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


def test_a_process_makes_room_after_its_time(
    cloud: Any, place: Any, gray_jpeg: bytes, start: Start
) -> None:
    """Even while there is work; what it does not get to is left for others."""
    process = start("--exit-after", "0")
    place("a.jpg", gray_jpeg)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert cloud.messages() == (1, 0)


RECORD = {
    "key": "a.jpg",
    "order": 1,
    "status": "queued",
    "strategy": "colornet",
    "source": {"etag": "e", "last_modified": "", "size": None},
    "correlation_id": "c",
}
STRANGE = [
    "no work",
    "[]",
    "{}",
    json.dumps({"key": "a.jpg", "order": 1, "correlation_id": "c"}),
    json.dumps(RECORD),
    "[" * 200_000,
]


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
def test_what_is_left_for_another_try_is_logged_with_its_id(
    cloud: Any, place: Any, jobs: Jobs, gray_jpeg: bytes, logged: Any, strange: str
) -> None:
    """Whatever a message says, the worker goes on."""
    lines = logged(jobs.logger)
    work = place("a.jpg", gray_jpeg)
    cloud.sqs.send_message(QueueUrl=cloud.settings.work_queue_url, MessageBody=strange)
    jobs.color = lambda _: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger).run(0)
    left = [line for line in lines() if line["message"] == "left for another try"]
    assert {line.get("correlation_id") or line["work"] for line in left} == {
        work.correlation_id,
        strange,
    }


@pytest.fixture
def torch_with_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What every Python that starts from now on takes for torch."""
    (tmp_path / "torch.py").write_text(
        "class cuda:\n"
        "    is_available = staticmethod(lambda: True)\n"
        "    get_device_name = staticmethod(lambda: 'Tesla T4')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_the_gpu_is_asked_for_its_name(torch_with_gpu: None) -> None:
    assert _gpu() == "Tesla T4"


def test_a_worker_with_a_gpu_is_ready_on_it(cloud: Any) -> None:
    code = """
import sys
from functions.colorize import __main__ as room
room._gpu = lambda: "Tesla T4"
sys.exit(room.main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "--exit-when-idle", "0"],
        cwd=ROOT,
        env=os.environ | {"DEEPCOLOR_WORKER": "gpu"},
        stdout=subprocess.PIPE,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["device"] for line in lines if line["message"] == "ready"] == ["Tesla T4"]


def test_a_worker_that_misses_its_gpu_says_so_and_takes_nothing(
    cloud: Any, place: Any, gray_jpeg: bytes
) -> None:
    """Else it would color on the processor, at the GPU's price."""
    place("a.jpg", gray_jpeg)
    code, [line] = ended(DEEPCOLOR_WORKER="gpu", CUDA_VISIBLE_DEVICES="")
    assert code == 3
    assert (line["level"], line["message"]) == ("CRITICAL", "cannot run")
    assert "PyTorch finds none" in line["error"]
    [message] = cloud.receive(cloud.settings.work_queue_url)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def ended(*arguments: str, **environment: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of a real worker and the lines it logged."""
    done = subprocess.run(
        [sys.executable, "-m", "functions.colorize", "--exit-when-idle", "0", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("what", ["SQS", "S3", "queue", "bucket"])
def test_a_worker_that_reaches_nothing_says_so_and_takes_nothing(
    cloud: Any, place: Any, gray_jpeg: bytes, what: str
) -> None:
    place("a.jpg", gray_jpeg)
    nowhere = f"http://127.0.0.1:{free_port()}"
    environment = {
        "SQS": {"AWS_ENDPOINT_URL_SQS": nowhere},
        "S3": {"AWS_ENDPOINT_URL_S3": nowhere},
        "queue": {"DEEPCOLOR_WORK_QUEUE_URL": f"{cloud.settings.work_queue_url}-gone"},
        "bucket": {"DEEPCOLOR_UPLOADS_BUCKET": "no-such-bucket"},
    }[what]
    code, [line] = ended(**environment)
    assert code == 4
    assert (line["level"], line["message"]) == ("CRITICAL", "out of reach")
    assert {"queue": "specified queue", "bucket": "no-such-bucket"}.get(what, nowhere) in line[
        "error"
    ]
    assert cloud.messages() == (1, 0)
    [message] = cloud.receive(cloud.settings.work_queue_url)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_worker_whose_default_strategy_cannot_run_says_so_and_takes_nothing(
    cloud: Any, place: Any, gray_jpeg: bytes, tmp_path: Path
) -> None:
    place("a.jpg", gray_jpeg)
    # An installed package's colornet, whose weights were lost on the way.
    (tmp_path / "sitecustomize.py").write_text(
        "from pathlib import Path\nfrom deepcolor import weights\n"
        "weights.path = lambda file: Path('/lost', file.filename)\n"
    )
    code, [line] = ended(PYTHONPATH=str(tmp_path))
    assert code == 3
    assert (line["level"], line["message"]) == ("CRITICAL", "cannot run")
    assert "colornet" in line["error"]
    [message] = cloud.receive(cloud.settings.work_queue_url)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_worker_whose_painter_cannot_start_says_so(cloud: Any, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit(9)")
    code, [line] = ended(PYTHONPATH=str(tmp_path))
    assert code == 3
    assert "exit code 9" in line["error"]


def test_an_outage_is_waited_out_and_uses_up_no_tries(
    cloud: Any, place: Any, jobs: Jobs, gray_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 fails over a message of the first batch; the next is received once S3 answers again."""
    monkeypatch.setattr(room, "LONG_POLL_SECONDS", 0)
    cloud.hide_for(1)
    place("a.jpg", gray_jpeg)
    looks = 0

    def cut(params: dict[str, Any], **_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=params["url"])

    def look(params: dict[str, Any], **_: Any) -> None:
        nonlocal looks
        looks += 1
        if looks < 3:
            cut(params)
        cloud.s3.meta.events.unregister("before-call.s3.GetObject", cut)

    worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
    cloud.s3.meta.events.register("before-call.s3.GetObject", cut)
    monkeypatch.setattr(
        jobs, "get_ready", lambda: cloud.s3.meta.events.register("before-call.s3.HeadBucket", look)
    )
    received: list[int] = []
    cloud.sqs.meta.events.register(
        "after-call.sqs.ReceiveMessage",
        lambda parsed, **_: received.extend(looks for _ in parsed.get("Messages", [])),
    )
    worker.run(idle_seconds=2)
    worker.stopping.set()
    assert cloud.record("a.jpg").status is Status.DONE
    assert received[0] == 0
    assert received[1] >= 3
    assert len(received) == 2


def test_a_long_outage_ends_the_worker(
    cloud: Any, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PATIENCE_SECONDS", 0)

    def cut(params: dict[str, Any], **_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=params["url"])

    cloud.sqs.meta.events.register("before-call.sqs.ReceiveMessage", cut)
    with pytest.raises(EndpointConnectionError):
        Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger).run()


def test_a_batch_costs_one_request_to_delete(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes
) -> None:
    for n in range(room.BATCH):
        place(f"{n}.jpg", gray_jpeg)
    asked: list[str] = []
    cloud.sqs.meta.events.register("before-call.sqs", lambda model, **_: asked.append(model.name))
    drain()
    assert asked.count("DeleteMessageBatch") == 1
    assert "DeleteMessage" not in asked
    assert cloud.messages() == (0, 0)


def test_what_was_not_deleted_comes_again_and_does_no_harm(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes, writes: list[str]
) -> None:
    cloud.hide_for(1)
    place("a.jpg", gray_jpeg)

    def cut(params: dict[str, Any], **_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=params["url"])

    cloud.sqs.meta.events.register("before-call.sqs.DeleteMessageBatch", cut)
    drain()
    record = cloud.record("a.jpg")
    assert record.status is Status.DONE
    wait_until(lambda: visible_again(cloud))
    cloud.sqs.meta.events.unregister("before-call.sqs.DeleteMessageBatch", cut)
    drain()
    assert cloud.messages() == (0, 0)
    assert cloud.record("a.jpg") == record
    assert writes.count("a.jpg") == 1


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Semaphore]:
    """One for each time that a perilous strategy begins to color."""
    heard = threading.Semaphore(0)

    class Bell(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.release()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Bell) as server:
        monkeypatch.setenv("CHAOS_BELL", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield heard
        server.shutdown()
        thread.join()


def test_a_photograph_that_outlasts_the_grace_time_is_given_back(
    cloud: Any,
    place: Any,
    start: Start,
    rings: threading.Semaphore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hangs; the worker still leaves with 0, and its message can be taken at once."""
    for name, value in plugin.install(tmp_path).items():
        monkeypatch.setenv(name, value)
    process = start(grace_seconds=1)
    wait_until(lambda: published(cloud), process)
    file = io.BytesIO()
    make_landscape(96, 64).save(file, "PNG")
    place("a.png", file.getvalue())
    cloud.alter("a.png", strategy="perilous", knobs={"peril": perilous.HANG})
    for _ in ("as it is made ready", "and over the photograph"):
        assert rings.acquire(timeout=PATIENCE_SECONDS)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert cloud.messages() == (1, 0)
    assert not cloud.record("a.png").status.is_final


def test_one_photograph_that_crashes_costs_no_other_its_tries(
    cloud: Any, place: Any, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in plugin.install(tmp_path).items():
        monkeypatch.setenv(name, value)
    file = io.BytesIO()
    make_landscape(96, 64).save(file, "BMP")
    keys = [f"{n}.bmp" for n in range(5)]
    for key in keys:
        fatal = perilous.FATAL if key == "2.bmp" else b""
        place(key, file.getvalue() + fatal)
        cloud.alter(key, strategy="perilous")
    assert start("--exit-when-idle", "0").wait(PATIENCE_SECONDS) == 0
    statuses = {key: cloud.record(key).status for key in keys}
    assert statuses.pop("2.bmp") is Status.FAILED
    assert set(statuses.values()) == {Status.DONE}
    assert cloud.record("2.bmp").error["code"] == "crashed"
    assert cloud.messages() == (0, 0)
