from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from deepcolor import registry
from functions.contract.objects import head_of
from functions.contract.records import UPLOAD_GONE, Status
from functions.dispatch.orders import Orders, Outcome


@pytest.fixture
def orders(cloud: Any) -> Orders:
    cloud.publish_manifest()
    return Orders(cloud.s3, cloud.sqs, cloud.settings, Logger(service="dispatch"))


def opened(orders: Orders, key: str) -> Outcome:
    """What dispatch does with an upload's event."""
    outcome, record = orders.open(key)
    if outcome is Outcome.QUEUED:
        assert record is not None
        orders.send([record])
    return outcome


@pytest.mark.parametrize(
    ("key", "metadata", "strategy"),
    [
        ("album/photo.jpg", {}, "colornet"),
        ("photo.jpg", {}, "colornet"),
        ("richzhang/photo.jpg", {}, "richzhang"),
        ("richzhang/photo.jpg", {"strategy": "colornet"}, "colornet"),
        ("web/me/7/photo.jpg", {"strategy": "richzhang"}, "richzhang"),
        ("someone/photo.jpg", {"strategy": ""}, "colornet"),
    ],
)
def test_who_colors(
    orders: Orders, cloud: Any, key: str, metadata: dict[str, str], strategy: str
) -> None:
    cloud.upload(key, b"some bytes", **metadata)
    assert opened(orders, key) is Outcome.QUEUED
    assert cloud.record(key).strategy == strategy


def refused(cloud: Any, key: str) -> tuple[str, str]:
    record = cloud.record(key)
    assert record.status is Status.FAILED
    assert list(record.times) == ["queued", "failed"]
    assert cloud.take_work() == []
    return record.error["code"], record.error["message"]


def test_more_than_a_batch_is_sent(orders: Orders, cloud: Any) -> None:
    keys = [f"{n}.jpg" for n in range(23)]
    records = []
    for key in keys:
        cloud.upload(key, b"some bytes")
        records.append(orders.open(key)[1])
    orders.send([record for record in records if record])
    assert sorted(work.key for work in cloud.take_work()) == sorted(keys)


def test_an_unknown_strategy_is_refused(orders: Orders, cloud: Any) -> None:
    cloud.upload("photo.jpg", b"some bytes", strategy="colournet")
    assert opened(orders, "photo.jpg") is Outcome.REFUSED
    code, message = refused(cloud, "photo.jpg")
    assert code == "unknown_strategy"
    known = ", ".join(registry.strategies())
    assert message == f"There is no strategy 'colournet'; there are: {known}."


def test_what_is_too_large_is_refused(orders: Orders, cloud: Any) -> None:
    cloud.upload("photo.jpg", b"\0" * (2**20 + 2**19))
    assert opened(orders, "photo.jpg") is Outcome.REFUSED
    code, message = refused(cloud, "photo.jpg")
    assert code == "too_large"
    assert message == "The file has 1.5 MiB, more than the 1 MiB allowed; make it smaller."


def test_the_limit_itself_is_allowed(orders: Orders, cloud: Any) -> None:
    cloud.upload("photo.jpg", b"\0" * 2**20)
    assert opened(orders, "photo.jpg") is Outcome.QUEUED


@pytest.mark.parametrize("key", ["strategies.json", "records/a.jpg.json", "visitors/a"])
def test_deepcolors_own_names_are_refused(orders: Orders, cloud: Any, key: str) -> None:
    cloud.upload(key, b"some bytes")
    assert opened(orders, key) is Outcome.REFUSED
    code, message = refused(cloud, key)
    assert code == "reserved_key"
    assert message.startswith(f"{key} is a name that deepcolor keeps for itself")
    assert orders.manifest.read().default == "colornet"


def test_folder_markers_are_passed_over(orders: Orders, cloud: Any) -> None:
    cloud.upload("album/", b"")
    assert opened(orders, "album/") is Outcome.IGNORED
    assert cloud.records.get("album/") is None


def test_what_is_not_there_is_passed_over(orders: Orders, cloud: Any) -> None:
    assert opened(orders, "nothing.jpg") is Outcome.VANISHED
    assert cloud.records.get("nothing.jpg") is None


PAGES = "web/06peejmfvxp054dwtwjyfj2t1y/zybqtp0btjqpc3b8av5yjqa9em/grandma.jpg"
NOTE = "visitors/06peejmfvxp054dwtwjyfj2t1y/zybqtp0btjqpc3b8av5yjqa9em.json"


@pytest.mark.parametrize("wish", [{}, {"vividness": "much"}])
def test_what_a_visitor_deleted_while_it_was_on_its_way_goes(
    orders: Orders, cloud: Any, wish: dict[str, str]
) -> None:
    cloud.upload(PAGES, b"some bytes", **wish)
    assert opened(orders, PAGES) is Outcome.DELETED
    assert cloud.records.get(PAGES) is None
    assert head_of(cloud.s3, cloud.settings.uploads_bucket, PAGES) is None
    assert cloud.take_work() == []
    assert opened(orders, PAGES) is Outcome.VANISHED  # when its event comes again
    assert cloud.records.get(PAGES) is None


def test_what_the_page_knows_of_is_colored_and_kept(orders: Orders, cloud: Any) -> None:
    """Its note may be gone once it is colored: notes are kept for a time of their own."""
    cloud.s3.put_object(Bucket=cloud.settings.results_bucket, Key=NOTE, Body=b"{}")
    cloud.upload(PAGES, b"some bytes")
    assert opened(orders, PAGES) is Outcome.QUEUED
    [record] = cloud.take_work()
    cloud.records.update(PAGES, lambda current: current.moved(Status.FAILED, error=UPLOAD_GONE))
    cloud.s3.delete_object(Bucket=cloud.settings.results_bucket, Key=NOTE)
    assert opened(orders, PAGES) is Outcome.FINISHED
    assert record.key == PAGES
    assert head_of(cloud.s3, cloud.settings.uploads_bucket, PAGES) is not None


def test_what_cannot_be_deleted_yet_is_deleted_when_its_event_comes_again(
    orders: Orders, cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.upload(PAGES, b"some bytes")

    def fails(**_: Any) -> None:
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(orders.s3, "delete_object", fails)
        with pytest.raises(TimeoutError):
            orders.open(PAGES)
    assert opened(orders, PAGES) is Outcome.DELETED
    assert head_of(cloud.s3, cloud.settings.uploads_bucket, PAGES) is None


def test_an_upload_over_another_is_the_next_order(orders: Orders, cloud: Any) -> None:
    cloud.upload("photo.jpg", b"first")
    opened(orders, "photo.jpg")
    first = cloud.record("photo.jpg")
    cloud.records.put(first.moved(Status.DONE))
    cloud.upload("photo.jpg", b"second")
    assert opened(orders, "photo.jpg") is Outcome.QUEUED
    second = cloud.record("photo.jpg")
    assert (second.order, second.status) == (2, Status.QUEUED)
    assert second.source != first.source
    assert second.correlation_id != first.correlation_id
    assert [work.order for work in cloud.take_work()] == [1, 2]


@pytest.mark.parametrize("status", [Status.DONE, Status.FAILED])
def test_a_finished_upload_is_left_alone(orders: Orders, cloud: Any, status: Status) -> None:
    cloud.upload("photo.jpg", b"first")
    opened(orders, "photo.jpg")
    cloud.take_work()
    finished = cloud.records.put(cloud.record("photo.jpg").moved(status))
    assert opened(orders, "photo.jpg") is Outcome.FINISHED
    assert cloud.record("photo.jpg") == finished
    assert cloud.take_work() == []


def test_a_refused_upload_mended_by_another_is_colored(orders: Orders, cloud: Any) -> None:
    cloud.upload("photo.jpg", b"first", strategy="colournet")
    opened(orders, "photo.jpg")
    cloud.upload("photo.jpg", b"second", strategy="colornet")
    assert opened(orders, "photo.jpg") is Outcome.QUEUED
    record = cloud.record("photo.jpg")
    assert (record.order, record.status, record.error) == (2, Status.QUEUED, None)


def test_an_order_whose_message_was_never_sent_is_sent_at_the_next_try(
    orders: Orders, cloud: Any
) -> None:
    cloud.upload("photo.jpg", b"first")
    lost = Orders(
        cloud.s3,
        cloud.sqs,
        replace(cloud.settings, work_queue_url=f"{cloud.settings.work_queue_url}-none"),
        orders.logger,
    )
    with pytest.raises(ClientError, match="NonExistentQueue"):
        opened(lost, "photo.jpg")
    queued = cloud.record("photo.jpg")
    assert queued.status is Status.QUEUED
    assert opened(orders, "photo.jpg") is Outcome.QUEUED
    assert cloud.record("photo.jpg") == queued
    assert [work.order for work in cloud.take_work()] == [1]


def test_the_page_may_name_the_correlation(orders: Orders, cloud: Any) -> None:
    cloud.upload("photo.jpg", b"some bytes", **{"correlation-id": "visit-7"})
    opened(orders, "photo.jpg")
    assert cloud.record("photo.jpg").correlation_id == "visit-7"
    assert [work.correlation_id for work in cloud.take_work()] == ["visit-7"]


def test_knobs_and_hints_reach_the_record(orders: Orders, cloud: Any) -> None:
    cloud.upload("photo.jpg", b"some bytes", vividness="1.5", saturation="0.8")
    assert opened(orders, "photo.jpg") is Outcome.QUEUED
    assert cloud.record("photo.jpg").knobs == {"vividness": 1.5, "saturation": 0.8}


def test_knobs_that_make_no_sense_are_refused(orders: Orders, cloud: Any) -> None:
    cloud.upload("photo.jpg", b"some bytes", vividness="bold")
    assert opened(orders, "photo.jpg") is Outcome.REFUSED
    assert refused(cloud, "photo.jpg")[0] == "knob_out_of_range"
    assert cloud.take_work() == []


def test_a_look_that_was_outrun_opens_no_order(orders: Orders, cloud: Any) -> None:
    """Between the two requests of one dispatcher comes an upload, and another that opens its order:
    the first must not open an order for what is no longer there.
    """
    other = Orders(boto3.client("s3"), cloud.sqs, cloud.settings, Logger(service="dispatch"))
    cloud.upload("photo.jpg", b"first")

    def outrun(**_: Any) -> None:
        cloud.s3.meta.events.unregister("after-call.s3.HeadObject", outrun)
        other.s3.put_object(Bucket=cloud.settings.uploads_bucket, Key="photo.jpg", Body=b"second")
        assert opened(other, "photo.jpg") is Outcome.QUEUED

    cloud.s3.meta.events.register("after-call.s3.HeadObject", outrun)
    assert opened(orders, "photo.jpg") is Outcome.QUEUED
    record = cloud.record("photo.jpg")
    head = cloud.s3.head_object(Bucket=cloud.settings.uploads_bucket, Key="photo.jpg")
    assert record.source.etag == head["ETag"]
    assert {work.order for work in cloud.take_work()} == {record.order}


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_what_was_replaced_and_then_deleted_has_an_end(
    orders: Orders, cloud: Any, status: Status
) -> None:
    """The worker left it to the second upload's event, which finds nothing any more."""
    cloud.upload("photo.jpg", b"first")
    opened(orders, "photo.jpg")
    if status is Status.RUNNING:
        cloud.records.put(cloud.record("photo.jpg").moved(status))
    cloud.s3.delete_object(Bucket=cloud.settings.uploads_bucket, Key="photo.jpg")
    assert opened(orders, "photo.jpg") is Outcome.VANISHED
    record = cloud.record("photo.jpg")
    assert (record.status, record.error) == (Status.FAILED, UPLOAD_GONE)


def test_what_was_colored_and_then_deleted_stays_done(orders: Orders, cloud: Any) -> None:
    cloud.upload("photo.jpg", b"first")
    opened(orders, "photo.jpg")
    done = cloud.records.put(cloud.record("photo.jpg").moved(Status.DONE))
    cloud.s3.delete_object(Bucket=cloud.settings.uploads_bucket, Key="photo.jpg")
    assert opened(orders, "photo.jpg") is Outcome.VANISHED
    assert cloud.record("photo.jpg") == done
