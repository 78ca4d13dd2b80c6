from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import boto3
import numpy as np
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from PIL import Image

from deepcolor import __version__, registry, weights
from deepcolor.builtin.colornet import WEIGHTS
from deepcolor.builtin.richzhang import RichZhang
from functions.colorize.commission import OUT_OF_MEMORY, Commission, Refusal
from functions.colorize.jobs import Job, Jobs
from functions.contract import results
from functions.contract.manifest import Manifest, publish
from functions.contract.objects import put_if_unchanged
from functions.contract.records import UPLOAD_GONE, Record, Status

Orders = Callable[[int], Record]

PATIENCE_SECONDS = 60


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def colorful(image: Image.Image) -> bool:
    return bool(np.ptp(np.asarray(image.convert("RGB")).astype(int), axis=2).mean() > 2)


@pytest.fixture
def richzhang_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its weights are neither here nor to be had."""
    monkeypatch.setenv("DEEPCOLOR_HOME", str(tmp_path))
    file = replace(RichZhang.card.weights[0], url="http://127.0.0.1:9/net.pth")
    monkeypatch.setattr(RichZhang, "card", replace(RichZhang.card, weights=(file,)))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No photograph takes so long that its record tells, however slow the machine."""
    monkeypatch.setattr("functions.colorize.jobs.TOLD_AFTER_SECONDS", PATIENCE_SECONDS)


def test_a_photograph_is_colored(cloud: Any, place: Any, drain: Any, gray_jpeg: bytes) -> None:
    key = "colornet/album/grandma & me.jpg"
    work = place(key, gray_jpeg)
    drain()
    result, record = cloud.result(key), cloud.record(key)
    image = opened(result["Body"])
    assert (image.format, image.size) == ("JPEG", (320, 240))
    assert colorful(image)
    assert result["ContentType"] == "image/jpeg"
    assert result["Metadata"] == {
        "instance": results.instance(record),
        "source-key": "colornet/album/grandma%20%26%20me.jpg",
        "source-etag": record.source.etag.strip('"'),
        "strategy": "colornet",
        "weights": WEIGHTS.sha256,
        "knobs": "{}",
        "hints": hashlib.sha256(b"").hexdigest(),
        "version": __version__,
        "width": "320",
        "height": "240",
    }
    assert (record.status, record.order, record.error) == (Status.DONE, 1, None)
    assert record.correlation_id == work.correlation_id
    assert record.result == {
        "etag": result["ETag"],
        "size": len(result["Body"]),
        "content_type": "image/jpeg",
        "width": 320,
        "height": 240,
        "weights": WEIGHTS.sha256,
        "version": __version__,
    }
    assert list(record.times) == ["queued", "done"]
    assert list(record.times.values()) == sorted(record.times.values())
    assert set(record.milliseconds) >= {"fetch", "decode", "network", "join", "encode"}
    assert cloud.messages() == (0, 0)


def test_a_repeated_message_changes_nothing(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes
) -> None:
    """Nor does one that was sent twice: a worker finds that out once it has colored in vain."""
    place("a.jpg", gray_jpeg)
    [work] = cloud.take_work()
    cloud.send(work)
    drain()
    result, record = cloud.result("a.jpg"), cloud.record("a.jpg")
    cloud.send(work)
    cloud.send_again(work)
    drain()
    again = cloud.result("a.jpg")
    assert (again["ETag"], again["LastModified"]) == (result["ETag"], result["LastModified"])
    assert cloud.record("a.jpg") == record
    assert cloud.messages() == (0, 0)


def test_a_message_that_was_received_before_is_not_colored_again(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes, writes: list[str]
) -> None:
    place("a.jpg", gray_jpeg)
    [work] = cloud.take_work()
    cloud.send(work)
    drain()
    del writes[:]
    cloud.send_again(work)
    drain()
    assert writes == []
    assert cloud.messages() == (0, 0)


def test_a_result_without_its_record_is_not_colored_again(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes, writes: list[str]
) -> None:
    """As a worker leaves it that dies between the two."""
    work = place("a.jpg", gray_jpeg)
    running = cloud.record("a.jpg").moved(Status.RUNNING)
    drain()
    done = cloud.record("a.jpg")
    cloud.records.update("a.jpg", lambda _: running)
    del writes[:]
    cloud.send_again(work)
    drain()
    assert "a.jpg" not in writes
    assert "records/a.jpg.json" in writes
    again = cloud.record("a.jpg")
    assert (again.status, again.result) == (Status.DONE, done.result)


def test_an_untouched_record_is_not_read_and_no_result_looked_for(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes
) -> None:
    place("a.jpg", gray_jpeg)
    asked: list[tuple[str, str]] = []
    cloud.s3.meta.events.register(
        "before-call.s3",
        lambda model, params, **_: asked.append((model.name, params["url_path"])),
    )
    drain()
    assert [step for step in asked if step[1].endswith(("a.jpg", "a.jpg.json"))] == [
        ("GetObject", "/a.jpg"),
        ("PutObject", "/a.jpg"),
        ("PutObject", "/records/a.jpg.json"),
    ]
    assert cloud.record("a.jpg").status is Status.DONE


def test_what_lies_in_the_way_of_a_first_result_is_replaced(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes
) -> None:
    """Left there from before the records were lost, say."""
    cloud.s3.put_object(Bucket=cloud.settings.results_bucket, Key="a.jpg", Body=b"of old")
    place("a.jpg", gray_jpeg)
    drain()
    assert cloud.record("a.jpg").result["etag"] == cloud.result("a.jpg")["ETag"]
    assert colorful(opened(cloud.result("a.jpg")["Body"]))
    assert cloud.messages() == (0, 0)


@pytest.mark.parametrize("change", ["upload", "knobs"])
def test_a_new_order_replaces_the_result(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes, change: str
) -> None:
    place("a.jpg", gray_jpeg)
    drain()
    before = cloud.result("a.jpg")
    if change == "upload":
        file = io.BytesIO()
        opened(gray_jpeg).rotate(180).save(file, "JPEG")
        place("a.jpg", file.getvalue())
    else:
        # As the page asks for another vividness.
        def recolor(record: Record | None) -> Record:
            assert record is not None
            return replace(record, order=2, status=Status.QUEUED, knobs={"vividness": 2.0})

        cloud.send(cloud.records.update("a.jpg", recolor))
    drain()
    after, record = cloud.result("a.jpg"), cloud.record("a.jpg")
    assert after["ETag"] != before["ETag"]
    assert (record.order, record.status) == (2, Status.DONE)
    assert record.result is not None
    assert record.result["etag"] == after["ETag"]
    assert json.loads(after["Metadata"]["knobs"]) == record.knobs
    assert after["Metadata"]["source-etag"] == record.source.etag.strip('"')


def test_what_is_no_photograph_fails_and_the_next_is_colored(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes
) -> None:
    place("letter.jpg", b"Dear grandmother, ...")
    place("empty.jpg", b"")
    place("half.jpg", gray_jpeg[: len(gray_jpeg) // 2])
    place("photo.jpg", gray_jpeg)
    drain()
    errors = {key: cloud.record(key).error for key in ("letter.jpg", "empty.jpg", "half.jpg")}
    assert {key: error["code"] for key, error in errors.items()} == {
        "letter.jpg": "not_a_photograph",
        "empty.jpg": "not_a_photograph",
        "half.jpg": "damaged_photograph",
    }
    assert errors["letter.jpg"]["message"].startswith("The file is not a photograph")
    assert "failed" in cloud.record("letter.jpg").times
    assert cloud.record("photo.jpg").status is Status.DONE
    assert cloud.results() == ["photo.jpg"]
    assert cloud.messages() == (0, 0)


def test_a_deleted_upload_fails(cloud: Any, place: Any, drain: Any, gray_jpeg: bytes) -> None:
    place("a.jpg", gray_jpeg)
    cloud.s3.delete_object(Bucket=cloud.settings.uploads_bucket, Key="a.jpg")
    drain()
    record = cloud.record("a.jpg")
    assert record.status is Status.FAILED
    assert record.error == {
        "code": "upload_gone",
        "message": "The photograph was deleted before it could be colored.",
    }
    assert cloud.messages() == (0, 0)


def test_an_overwritten_upload_waits_for_its_own_event(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes
) -> None:
    place("a.jpg", b"not what will be there")
    cloud.upload("a.jpg", gray_jpeg)
    drain()
    assert cloud.results() == []
    assert not cloud.record("a.jpg").status.is_final
    assert cloud.messages() == (0, 0)
    place("a.jpg", gray_jpeg)
    drain()
    record = cloud.record("a.jpg")
    assert (record.order, record.status) == (2, Status.DONE)


def two_orders(jobs: Jobs, place: Any, cloud: Any, gray_jpeg: bytes) -> tuple[Any, Any]:
    """The jobs of an upload and of another over it, both fetched before either is stored."""
    first = jobs.fetch(place("a.jpg", gray_jpeg))
    file = io.BytesIO()
    opened(gray_jpeg).resize((100, 80)).save(file, "JPEG")
    second = jobs.fetch(place("a.jpg", file.getvalue()))
    assert first is not None
    assert second is not None
    cloud.take_work()
    return first, second


@pytest.mark.parametrize("finish", [(0, 1), (1, 0), (0, 1, 0)])
def test_the_newest_order_wins_in_whatever_turn_they_finish(
    jobs: Jobs, place: Any, cloud: Any, gray_jpeg: bytes, finish: tuple[int, ...]
) -> None:
    orders = two_orders(jobs, place, cloud, gray_jpeg)
    outcomes = [jobs.color(order) for order in orders]
    for turn in finish:
        jobs.store(orders[turn], outcomes[turn])
    record = cloud.record("a.jpg")
    assert (record.order, record.status) == (2, Status.DONE)
    assert (record.result["width"], record.result["height"]) == (100, 80)
    assert opened(cloud.result("a.jpg")["Body"]).size == (100, 80)


def test_a_result_stays_until_the_next_orders_replaces_it(
    jobs: Jobs, place: Any, cloud: Any, gray_jpeg: bytes
) -> None:
    first = jobs.fetch(place("a.jpg", gray_jpeg))
    assert first is not None
    outcome = jobs.color(first)
    place("a.jpg", gray_jpeg + b"\0")
    jobs.store(first, outcome)
    record = cloud.record("a.jpg")
    assert (record.order, record.status) == (2, Status.QUEUED)
    assert cloud.results() == ["a.jpg"]


@pytest.fixture
def orders(cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes) -> Orders:
    """Gives the order of that number: vividly, faintly, vividly, … The first is done already."""

    def given(number: int) -> Record:
        vividness = "1.5" if number % 2 else "0.5"
        place("a.jpg", gray_jpeg, vividness=vividness, **{"correlation-id": str(number)})
        [work] = cloud.take_work()
        assert work.order == number
        return work

    do(jobs, given(1))
    return given


def do(jobs: Jobs, work: Record) -> None:
    job = jobs.fetch(work)
    assert job is not None
    jobs.store(job, jobs.color(job))


def once(cloud: Any, event: str, act: Callable[[], None]) -> None:
    """Does something in between: at the next event of botocore's about a photograph's result."""

    def hook(params: dict[str, Any], **_: Any) -> None:
        if params["url_path"] == "/a.jpg":
            cloud.s3.meta.events.unregister(event, hook)
            act()

    cloud.s3.meta.events.register(event, hook)


def assert_vivid(cloud: Any) -> None:
    """The third order is done, and it is its result that lies there."""
    record, result = cloud.record("a.jpg"), cloud.result("a.jpg")
    assert (record.order, record.status) == (3, Status.DONE)
    assert record.result["etag"] == result["ETag"]
    assert json.loads(result["Metadata"]["knobs"]) == {"vividness": 1.5}
    assert result["Metadata"]["instance"] == results.instance(record)


def test_a_wish_that_comes_again_is_another_file_of_the_same_colors(
    cloud: Any, jobs: Jobs, orders: Orders
) -> None:
    """So that whoever is to replace the one can't replace the other."""
    first = cloud.result("a.jpg")
    do(jobs, orders(2))
    do(jobs, orders(3))
    third = cloud.result("a.jpg")
    assert third["ETag"] != first["ETag"]
    assert np.array_equal(opened(third["Body"]), opened(first["Body"]))
    assert_vivid(cloud)


def test_an_order_in_work_while_the_one_before_it_is_asked_for_again(
    cloud: Any, jobs: Jobs, orders: Orders
) -> None:
    """What the first order left answers the third's wish, but the second might still replace it."""
    second = jobs.fetch(orders(2))
    assert second is not None
    do(jobs, orders(3))
    jobs.store(second, jobs.color(second))
    assert_vivid(cloud)


def test_an_order_that_was_overtaken_is_not_put(
    cloud: Any, jobs: Jobs, orders: Orders, writes: list[str]
) -> None:
    second = jobs.fetch(orders(2))
    assert second is not None
    orders(3)
    del writes[:]
    jobs.store(second, jobs.color(second))
    assert writes == []


@pytest.mark.parametrize("event", ["before-call.s3.PutObject", "before-call.s3.HeadObject"])
def test_an_order_that_is_overtaken_amid_its_last_steps(
    cloud: Any, jobs: Jobs, orders: Orders, event: str
) -> None:
    second = jobs.fetch(orders(2))
    assert second is not None
    outcome = jobs.color(second)
    if event.endswith("HeadObject"):  # asked for where something else lies there by now
        cloud.s3.put_object(Bucket=cloud.settings.results_bucket, Key="a.jpg", Body=b"another")
    once(cloud, event, lambda: do(jobs, orders(3)))
    jobs.store(second, outcome)
    assert_vivid(cloud)


@pytest.mark.parametrize("is_first_try", [True, False])
def test_an_order_that_is_overtaken_amid_its_first_steps(
    cloud: Any, jobs: Jobs, orders: Orders, is_first_try: bool
) -> None:
    work = orders(2)
    if not is_first_try:
        jobs.fetch(work)
    once(cloud, "before-call.s3.HeadObject", lambda: do(jobs, orders(3)))
    second = jobs.fetch(work)
    if second is not None:
        jobs.store(second, jobs.color(second))
    assert_vivid(cloud)


@pytest.fixture
def slow(jobs: Jobs, cloud: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Coloring takes as long as ``until`` does not hold of the record."""
    monkeypatch.setattr("functions.colorize.jobs.TOLD_AFTER_SECONDS", 0.01)
    paint = jobs.painter.paint

    def wait(until: Callable[[], bool]) -> None:
        def painted(commission: Commission) -> Any:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not until():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            return paint(commission)

        monkeypatch.setattr(jobs.painter, "paint", painted)

    return wait


def test_the_record_of_what_takes_long_tells_so(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes, slow: Any
) -> None:
    slow(until=lambda: cloud.record("a.jpg").status is Status.RUNNING)
    place("a.jpg", gray_jpeg)
    [work] = cloud.take_work()
    do(jobs, work)
    record = cloud.record("a.jpg")
    assert list(record.times) == ["queued", "running", "done"]
    assert list(record.times.values()) == sorted(record.times.values())
    assert record.status is Status.DONE


def test_a_record_that_cannot_tell_fails_no_photograph(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes, slow: Any
) -> None:
    place("a.jpg", gray_jpeg)
    [work] = cloud.take_work()
    refused: list[str] = []

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if b'"running"' in params["body"].getvalue():
            refused.append("running")
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    cloud.s3.meta.events.register("before-call.s3.PutObject", refuse)
    slow(until=lambda: bool(refused))
    do(jobs, work)
    assert cloud.record("a.jpg").status is Status.DONE


def test_a_deleted_record_is_not_told_anew(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes, slow: Any, writes: list[str]
) -> None:
    place("a.jpg", gray_jpeg)
    [work] = cloud.take_work()
    delete_all(cloud, "a.jpg")
    cloud.upload("a.jpg", gray_jpeg)  # which the worker has in hand as it is deleted
    del writes[:]
    slow(until=lambda: bool(writes))
    do(jobs, work)
    assert writes[0] == "records/a.jpg.json"
    assert cloud.records.get("a.jpg") is None
    assert cloud.results() == []


def test_of_orders_that_wait_only_the_newest_is_colored(
    cloud: Any, jobs: Jobs, orders: Orders
) -> None:
    """Whoever tries one vividness after the other waits for none but the last."""
    second, third = orders(2), orders(3)
    assert jobs.fetch(second) is None
    do(jobs, third)
    assert_vivid(cloud)


def test_a_second_order_looks_for_a_result_and_once_more_for_its_record(
    cloud: Any, jobs: Jobs, orders: Orders
) -> None:
    work = orders(2)
    asked: list[tuple[str, str]] = []
    cloud.s3.meta.events.register(
        "before-call.s3",
        lambda model, params, **_: asked.append((model.name, params["url_path"])),
    )
    do(jobs, work)
    assert asked == [
        ("GetObject", "/records/a.jpg.json"),
        ("HeadObject", "/a.jpg"),
        ("GetObject", "/a.jpg"),
        ("GetObject", "/records/a.jpg.json"),
        ("PutObject", "/a.jpg"),
        ("PutObject", "/records/a.jpg.json"),
    ]


def test_an_older_orders_failure_is_not_the_newers(
    jobs: Jobs, place: Any, cloud: Any, gray_jpeg: bytes
) -> None:
    first, _ = two_orders(jobs, place, cloud, gray_jpeg)
    jobs.store(first, Refusal("code", "message"))
    assert cloud.record("a.jpg").status is Status.QUEUED


@pytest.mark.parametrize("offset", [-1, 1])
def test_work_of_another_order_is_passed_over(
    jobs: Jobs, place: Any, gray_jpeg: bytes, offset: int
) -> None:
    work = place("a.jpg", gray_jpeg)
    assert jobs.fetch(replace(work, order=work.order + offset), is_again=True) is None
    assert jobs.fetch(replace(work, key="another.jpg"), is_again=True) is None


@pytest.mark.usefixtures("richzhang_out_of_reach")
@pytest.mark.parametrize("colored_before", [False, True])
def test_weights_that_cannot_be_had_fail_the_photograph(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes, colored_before: bool
) -> None:
    if colored_before:
        place("a.jpg", gray_jpeg, strategy="colornet")
        drain()
    place("a.jpg", gray_jpeg + b"\0", strategy="richzhang")
    place("b.jpg", gray_jpeg)
    drain()
    record = cloud.record("a.jpg")
    assert (record.status, record.strategy) == (Status.FAILED, "richzhang")
    assert record.error["code"] == "weights_missing"
    assert record.error["message"].startswith("The weights of 'richzhang'")
    assert cloud.record("b.jpg").status is Status.DONE
    assert cloud.messages() == (0, 0)


def test_what_is_deleted_while_it_is_colored_leaves_nothing(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes
) -> None:
    job = jobs.fetch(place("web/v/i/a.jpg", gray_jpeg))
    assert job is not None
    outcome = jobs.color(job)
    cloud.s3.delete_object(Bucket=cloud.settings.results_bucket, Key="records/web/v/i/a.jpg.json")
    jobs.store(job, outcome)
    assert cloud.results() == []
    assert cloud.records.get("web/v/i/a.jpg") is None


def delete_all(cloud: Any, key: str) -> None:
    """As the page does."""
    cloud.s3.delete_object(Bucket=cloud.settings.uploads_bucket, Key=key)
    for there in (f"records/{key}.json", key):
        cloud.s3.delete_object(Bucket=cloud.settings.results_bucket, Key=there)


@pytest.mark.parametrize("is_colored_before", [False, True])
def test_what_is_uploaded_where_another_was_deleted_is_not_its_end(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes, is_colored_before: bool
) -> None:
    """Both are order 1 of their key."""
    first = jobs.fetch(place("a.jpg", gray_jpeg))
    assert first is not None
    outcome = jobs.color(first)
    delete_all(cloud, "a.jpg")
    file = io.BytesIO()
    opened(gray_jpeg).resize((100, 80)).save(file, "JPEG")
    second = jobs.fetch(place("a.jpg", file.getvalue()))
    assert second is not None
    if is_colored_before:
        jobs.store(second, jobs.color(second))
    jobs.store(first, outcome)
    assert cloud.results() == (["a.jpg"] if is_colored_before else [])
    assert jobs.fetch(first.record, is_again=True) is None
    jobs.store(second, jobs.color(second))
    record = cloud.record("a.jpg")
    assert (record.status, record.source) == (Status.DONE, second.record.source)
    assert opened(cloud.result("a.jpg")["Body"]).size == (100, 80)


def test_the_failure_of_what_was_deleted_is_not_that_of_the_next_upload(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes
) -> None:
    first = jobs.fetch(place("a.jpg", gray_jpeg))
    assert first is not None
    delete_all(cloud, "a.jpg")
    place("a.jpg", gray_jpeg + b"\0")
    jobs.store(first, Refusal("code", "message"))
    assert cloud.record("a.jpg").status is Status.QUEUED


def test_what_is_given_up_while_it_is_colored_leaves_no_result(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes
) -> None:
    """A failed record is the end of its order; a result beside it would be another."""
    job = jobs.fetch(place("a.jpg", gray_jpeg))
    assert job is not None
    outcome = jobs.color(job)
    buried = cloud.records.put(job.record.moved(Status.FAILED, error=UPLOAD_GONE))
    jobs.store(job, outcome)
    assert cloud.results() == []
    assert cloud.record("a.jpg") == buried


@pytest.mark.parametrize("end", ["failed", "deleted"])
def test_what_is_over_while_s3s_answer_is_lost_leaves_no_result(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes, monkeypatch: Any, end: str
) -> None:
    """The result is there, boto3 asks again and is told that something is."""
    job = jobs.fetch(place("a.jpg", gray_jpeg))
    assert job is not None
    outcome = jobs.color(job)

    def put(*arguments: Any, **options: Any) -> str | None:
        put_if_unchanged(*arguments, **options)
        return put_if_unchanged(*arguments, **options)

    monkeypatch.setattr("functions.colorize.jobs.put_if_unchanged", put)
    if end == "failed":
        cloud.records.put(job.record.moved(Status.FAILED, error=UPLOAD_GONE))
    else:
        delete_all(cloud, "a.jpg")
    jobs.store(job, outcome)
    assert cloud.results() == []


def test_an_end_is_told_once(
    cloud: Any, place: Any, drain: Any, jobs: Jobs, gray_jpeg: bytes, logged: Any
) -> None:
    """The alarms count these lines: not those of a message that was sent twice, nor of what was
    deleted before.
    """
    lines = logged(jobs.logger)
    for key, content in (("good.jpg", gray_jpeg), ("bad.jpg", b"no photograph")):
        place(key, content)
    place("gone.jpg", gray_jpeg)
    delete_all(cloud, "gone.jpg")
    for work in cloud.take_work():
        cloud.send(work)
        cloud.send(work)
    drain()
    ends = [(line["message"], line["key"]) for line in lines() if "key" in line]
    assert sorted(ends) == [("done", "good.jpg"), ("failed", "bad.jpg")]


def test_of_two_workers_with_one_message_the_first_result_stays(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes, writes: list[str]
) -> None:
    """The first has written its result, and not its record yet."""
    work = place("a.jpg", gray_jpeg)
    first, second = jobs.fetch(work), jobs.fetch(work)
    assert first is not None
    assert second is not None
    outcome = jobs.color(first)
    other = replace(outcome, content=outcome.content + b"as another GPU would round it")
    jobs.store(first, outcome)
    cloud.records.update("a.jpg", lambda _: first.record)
    written = cloud.result("a.jpg")["ETag"]
    jobs.store(second, other)
    record = cloud.record("a.jpg")
    assert cloud.result("a.jpg")["ETag"] == written
    assert (record.status, record.result["etag"]) == (Status.DONE, written)


def leave_result_alone(jobs: Jobs, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends a job as a worker does that dies between the result and the record."""

    def die(*_: Any) -> None:
        raise SystemExit

    outcome = jobs.color(job)
    with monkeypatch.context() as dying:
        dying.setattr(jobs, "_finish", die)
        with pytest.raises(SystemExit):
            jobs.store(job, outcome)


@pytest.mark.parametrize("dies", ["first", "second"])
def test_of_two_workers_with_one_message_none_fails_beside_the_others_result(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes, monkeypatch: Any, dies: str
) -> None:
    work = place("a.jpg", gray_jpeg)
    pair = [jobs.fetch(work), jobs.fetch(work)]
    dead, living = pair if dies == "first" else reversed(pair)
    assert dead is not None
    assert living is not None
    leave_result_alone(jobs, dead, monkeypatch)
    jobs.store(living, OUT_OF_MEMORY)
    record = cloud.record("a.jpg")
    assert (record.status, record.error) == (Status.DONE, None)
    assert record.result["etag"] == cloud.result("a.jpg")["ETag"]


@pytest.mark.parametrize("end", ["failed", "deleted", "uploaded anew"])
def test_a_dead_workers_result_is_taken_back_when_its_message_comes_again(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes, monkeypatch: Any, end: str
) -> None:
    """Its order is over: the result was put just after another worker had looked for one, say."""
    place("a.jpg", gray_jpeg)
    [work] = cloud.take_work()
    job = jobs.fetch(work)
    assert job is not None
    if end == "failed":
        cloud.records.put(job.record.moved(Status.FAILED, error=UPLOAD_GONE))
    else:
        delete_all(cloud, "a.jpg")
    if end == "uploaded anew":
        place("a.jpg", gray_jpeg + b"\0")
    leave_result_alone(jobs, job, monkeypatch)
    assert cloud.results() == ["a.jpg"]
    assert jobs.fetch(work, is_again=True) is None
    assert cloud.results() == []


def test_a_result_of_an_earlier_order_stays_beside_a_failure(
    cloud: Any, jobs: Jobs, orders: Orders
) -> None:
    before, work = cloud.result("a.jpg"), orders(2)
    job = jobs.fetch(work)
    assert job is not None
    jobs.store(job, OUT_OF_MEMORY)
    assert jobs.fetch(work, is_again=True) is None
    assert cloud.record("a.jpg").status is Status.FAILED
    assert cloud.result("a.jpg")["ETag"] == before["ETag"]


@pytest.mark.parametrize(
    ("hint", "code"), [("over there", "hint_format"), ("9999,9,#00ff00", "hint_outside")]
)
def test_hints_that_cannot_be_met_fail_the_photograph(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes, hint: str, code: str
) -> None:
    place("a.jpg", gray_jpeg)
    cloud.alter("a.jpg", hints=[hint])
    drain()
    assert cloud.record("a.jpg").error["code"] == code


def test_hints_reach_the_network(cloud: Any, place: Any, drain: Any, gray_jpeg: bytes) -> None:
    for key, hints in (("plain.jpg", []), ("guided.jpg", ["160,120,#c03030"])):
        place(key, gray_jpeg)
        cloud.alter(key, hints=hints)
    drain()
    plain, guided = (
        np.asarray(opened(cloud.result(key)["Body"]).convert("RGB")).astype(int)
        for key in ("plain.jpg", "guided.jpg")
    )
    redder = (guided[..., 0] - guided[..., 1]) - (plain[..., 0] - plain[..., 1])
    assert redder[110:130, 150:170].mean() > 5


def test_a_strategy_that_is_gone_fails_the_photograph(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes
) -> None:
    place("a.jpg", gray_jpeg)
    drain()

    def recolor(record: Record | None) -> Record:
        assert record is not None
        return replace(record, order=2, status=Status.QUEUED, strategy="uninstalled")

    cloud.send(cloud.records.update("a.jpg", recolor))
    drain()
    assert cloud.record("a.jpg").error["code"] == "unknown_strategy"


@pytest.mark.parametrize("strategy", ["newest", "colornet"])
def test_what_a_later_deployment_brought_is_left_to_its_workers(
    cloud: Any, place: Any, drain: Any, jobs: Jobs, gray_jpeg: bytes, strategy: str
) -> None:
    """A strategy or a knob that the manifest has and this worker has not."""
    jobs.publish_manifest()
    later = registry.manifest()
    card = next(one for one in later["strategies"] if one["name"] == "colornet")
    warmth = {"name": "warmth", "low": 0, "default": 0, "high": 1, "description": ""}
    later["strategies"].append(card | {"name": "newest"})
    card["knobs"] = [*card["knobs"], warmth]
    place("a.jpg", gray_jpeg)
    publish(cloud.s3, cloud.settings.results_bucket, later)
    knobs = {"warmth": 0.5} if strategy == "colornet" else {}

    def recolor(record: Record | None) -> Record:
        assert record is not None
        return replace(record, order=2, strategy=strategy, knobs=knobs)

    cloud.take_work()
    cloud.send(cloud.records.update("a.jpg", recolor))
    drain()
    assert jobs.is_outdated
    assert cloud.record("a.jpg").status is Status.QUEUED
    assert sum(cloud.messages()) == 1


@pytest.mark.parametrize(
    ("knobs", "code"),
    [({"vividness": 7.0}, "knob_out_of_range"), ({"warmth": 1.0}, "unknown_knob")],
)
def test_knobs_that_the_strategy_lacks_fail_the_photograph(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes, knobs: dict[str, float], code: str
) -> None:
    place("a.jpg", gray_jpeg)
    cloud.alter("a.jpg", order=2, knobs=knobs)
    drain()
    assert cloud.record("a.jpg").error["code"] == code


@pytest.mark.parametrize("key", ["ü 😀/+%.png", "ä" * 480 + ".png"])
def test_keys_that_metadata_cannot_hold(
    cloud: Any, place: Any, drain: Any, gray_jpeg: bytes, key: str
) -> None:
    place(key, gray_jpeg)
    drain()
    assert cloud.record(key).status is Status.DONE
    name = cloud.result(key)["Metadata"]["source-key"]
    if len(key) < 100:
        assert name == quote(key)
    else:
        assert name.startswith("sha256:")


def test_the_manifest_is_published_when_it_changes(
    cloud: Any, jobs: Jobs, writes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCOLOR_HOME", str(tmp_path))

    def published() -> Manifest:
        return Manifest.parse(cloud.result("strategies.json")["Body"])

    jobs.publish_manifest()
    jobs.publish_manifest()
    assert writes == ["strategies.json"]
    assert json.loads(cloud.result("strategies.json")["Body"]) == json.loads(
        json.dumps(registry.manifest())
    )
    assert published().strategies["richzhang"]["ready"] is False
    # Its weights arrive: no more than their size is asked for.
    file = RichZhang.card.weights[0]
    path = weights.path(file)
    path.parent.mkdir(parents=True)
    with path.open("wb") as sparse:
        sparse.truncate(file.bytes)
    jobs.publish_manifest()
    assert writes == ["strategies.json"] * 2
    assert published().strategies["richzhang"]["ready"] is True


def test_a_worker_that_starts_after_a_later_deployment_leaves_its_manifest(
    cloud: Any, jobs: Jobs, writes: list[str]
) -> None:
    """Dispatch would refuse what the later workers can do."""
    publish(cloud.s3, cloud.settings.results_bucket, registry.manifest(), deployment=8)
    del writes[:]
    jobs.settings = replace(jobs.settings, deployment=7)
    jobs.get_ready()
    assert writes == []
    jobs.settings = replace(jobs.settings, deployment=9)  # as where an earlier image is had back
    jobs.publish_manifest()
    assert writes == ["strategies.json"]
    assert json.loads(cloud.result("strategies.json")["Body"])["deployment"] == 9


def test_an_upload_that_s3_refuses_for_now_is_left_for_another_try(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes
) -> None:
    work = place("a.jpg", gray_jpeg)
    refusal = {
        "Error": {"Code": "SlowDown", "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": 503},
    }

    def refuse(params: dict[str, Any], **_: Any) -> Any:
        if params["url_path"].endswith("/a.jpg"):
            return SimpleNamespace(status_code=503), refusal
        return None

    cloud.s3.meta.events.register("before-call.s3.GetObject", refuse)
    with pytest.raises(ClientError, match="SlowDown"):
        jobs.fetch(work)


def test_what_has_taken_the_results_place_is_not_deleted(
    cloud: Any, jobs: Jobs, place: Any, gray_jpeg: bytes
) -> None:
    """Uploaded anew, and colored, while what was deleted is being cleared away."""
    job = jobs.fetch(place("a.jpg", gray_jpeg))
    assert job is not None
    outcome = jobs.color(job)
    cloud.s3.delete_object(Bucket=cloud.settings.results_bucket, Key="records/a.jpg.json")
    other = boto3.client("s3")

    def outrun(**_: Any) -> None:
        other.put_object(Bucket=cloud.settings.results_bucket, Key="a.jpg", Body=b"another's")

    cloud.s3.meta.events.register("before-call.s3.DeleteObject", outrun)
    jobs.store(job, outcome)
    assert cloud.result("a.jpg")["Body"] == b"another's"
