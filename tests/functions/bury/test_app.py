from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import EndpointConnectionError

from functions.bury.app import GAVE_UP, handler, logger, s3
from functions.contract import results
from functions.contract.records import Record, Source, Status
from functions.contract.work import to_message
from functions.dispatch.orders import Orders

Recorded = Callable[[str], dict[str, Any]]

NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}


def dead(*bodies: str) -> dict[str, Any]:
    records = [
        {"messageId": f"message-{n}", "body": body, "attributes": {}}
        for n, body in enumerate(bodies)
    ]
    return {"Records": records}


@pytest.fixture
def order(cloud: Any) -> Callable[..., Record]:
    """Uploads and opens an order, and takes its message as the dead-letter queue would."""
    cloud.publish_manifest()
    orders = Orders(cloud.s3, cloud.sqs, cloud.settings, Logger(service="dispatch"))

    def place(key: str, content: bytes = b"some bytes") -> Record:
        cloud.upload(key, content)
        _, record = orders.open(key)
        orders.send([record])
        work: Record = cloud.take_work()[-1]
        return work

    return place


def assert_buried(record: Record, order: int = 1) -> None:
    assert (record.status, record.order, record.error) == (Status.FAILED, order, GAVE_UP)
    assert "failed" in record.times


def test_dead_work_is_recorded_as_failed(cloud: Any, context: Any, order: Any) -> None:
    work = [order("a.jpg"), order("ü 😀.jpg")]
    cloud.records.put(cloud.record("a.jpg").moved(Status.RUNNING))
    assert handler(dead(*[to_message(item) for item in work]), context) == NOTHING_FAILED
    for item in work:
        assert_buried(cloud.record(item.key))
        assert cloud.record(item.key).correlation_id == item.correlation_id


@pytest.mark.parametrize("status", [Status.DONE, Status.FAILED])
def test_finished_photographs_are_left_alone(
    cloud: Any, context: Any, order: Any, status: Status
) -> None:
    work = order("a.jpg")
    error = {"code": "own", "message": "An error of its own."} if status == "failed" else None
    finished = cloud.records.put(cloud.record("a.jpg").moved(status, error=error))
    assert handler(dead(to_message(work)), context) == NOTHING_FAILED
    assert cloud.record("a.jpg") == finished


def put_result(cloud: Any, record: Record, **metadata: str) -> str:
    """A colored photograph as a worker leaves it, but for its pixels; gives back its etag."""
    answer = {"weights": "w", "version": "1", "width": "4", "height": "3"}
    etag: str = cloud.s3.put_object(
        Bucket=cloud.settings.results_bucket,
        Key=record.key,
        Body=b"colors",
        ContentType="image/jpeg",
        Metadata=results.question(record) | answer | metadata,
    )["ETag"]
    return etag


def test_a_photograph_whose_result_is_there_is_done(cloud: Any, context: Any, order: Any) -> None:
    """Its last worker died between the result and the record."""
    work = order("a.jpg")
    cloud.records.put(cloud.record("a.jpg").moved(Status.RUNNING))
    etag = put_result(cloud, cloud.record("a.jpg"))
    assert handler(dead(to_message(work)), context) == NOTHING_FAILED
    record = cloud.record("a.jpg")
    assert (record.status, record.error) == (Status.DONE, None)
    assert record.result["etag"] == etag
    assert (record.result["width"], record.result["height"]) == (4, 3)


@pytest.mark.parametrize("other", ["instance", "source-etag", "strategy", "knobs", "hints"])
def test_a_result_that_answers_another_question_does_not_count(
    cloud: Any, context: Any, order: Any, other: str
) -> None:
    work = order("a.jpg")
    put_result(cloud, cloud.record("a.jpg"), **{other: "another"})
    assert handler(dead(to_message(work)), context) == NOTHING_FAILED
    assert_buried(cloud.record("a.jpg"))


def test_an_older_orders_message_buries_no_newer_order(
    cloud: Any, context: Any, order: Any
) -> None:
    first = order("a.jpg", b"first")
    order("a.jpg", b"second")
    newer = cloud.record("a.jpg")
    assert newer.order == 2
    assert handler(dead(to_message(first)), context) == NOTHING_FAILED
    assert cloud.record("a.jpg") == newer


def test_dead_work_buries_no_upload_that_came_after_its_record_was_deleted(
    cloud: Any, context: Any, order: Any
) -> None:
    """Both are order 1 of their key."""
    first = order("a.jpg", b"first")
    cloud.s3.delete_object(Bucket=cloud.settings.results_bucket, Key="records/a.jpg.json")
    order("a.jpg", b"second")
    standing = cloud.record("a.jpg")
    assert handler(dead(to_message(first)), context) == NOTHING_FAILED
    assert cloud.record("a.jpg") == standing


def test_work_without_a_record_is_passed_over(cloud: Any, context: Any, order: Any) -> None:
    work = order("gone.jpg")
    cloud.s3.delete_object(Bucket=cloud.settings.results_bucket, Key="records/gone.jpg.json")
    assert handler(dead(to_message(work)), context) == NOTHING_FAILED
    assert cloud.records.get("gone.jpg") is None


@pytest.mark.parametrize(
    ("event", "key"),
    [("aws_put", "colornet/album/photo.jpg"), ("moto_put", "colornet/album/a b+c%d.jpg")],
)
def test_an_upload_that_dispatch_gave_up_is_recorded_as_failed(
    cloud: Any, context: Any, recorded: Recorded, event: str, key: str
) -> None:
    cloud.upload(key, b"some bytes")
    assert handler(recorded(event), context) == NOTHING_FAILED
    record = cloud.record(key)
    assert_buried(record)
    head = cloud.s3.head_object(Bucket=cloud.settings.uploads_bucket, Key=key)
    assert record.source == Source.of(head)


def test_an_upload_given_up_over_a_finished_one_is_the_next_order(
    cloud: Any, context: Any, recorded: Recorded, order: Any
) -> None:
    key = "colornet/album/photo.jpg"
    order(key, b"first")
    cloud.records.put(cloud.record(key).moved(Status.DONE))
    cloud.upload(key, b"second")
    handler(recorded("aws_put"), context)
    assert_buried(cloud.record(key), order=2)


def test_an_upload_given_up_that_is_gone_ends_the_order_it_has(
    cloud: Any, context: Any, recorded: Recorded, order: Any
) -> None:
    key = "colornet/album/photo.jpg"
    order(key)
    cloud.s3.delete_object(Bucket=cloud.settings.uploads_bucket, Key=key)
    assert handler(recorded("aws_put"), context) == NOTHING_FAILED
    assert_buried(cloud.record(key))


def test_an_upload_that_was_colored_after_all_is_left_alone(
    cloud: Any, context: Any, recorded: Recorded, order: Any
) -> None:
    key = "colornet/album/photo.jpg"
    order(key)
    done = cloud.records.put(cloud.record(key).moved(Status.DONE))
    assert handler(recorded("aws_put"), context) == NOTHING_FAILED
    assert cloud.record(key) == done


def test_what_was_removed_tagged_or_restored_fails_nothing(
    cloud: Any, context: Any, recorded: Recorded
) -> None:
    """Only news of an upload can be given up; a dead message of another kind is but news."""
    key = "colornet/album/photo.jpg"
    cloud.upload(key, b"some bytes")
    assert handler(recorded("aws_not_created"), context) == NOTHING_FAILED
    assert cloud.records.get(key) is None
    dead_uploads = recorded("dead_uploads")
    cloud.upload("album/removed.jpg", b"some bytes")
    assert handler(dead_uploads, context) == NOTHING_FAILED
    assert cloud.records.get("album/removed.jpg") is None
    assert_buried(cloud.record(key))


def test_a_photograph_given_up_keeps_the_pages_correlation_id(
    cloud: Any, context: Any, recorded: Recorded, logged: Any
) -> None:
    key, lines = "colornet/album/photo.jpg", logged(logger)
    cloud.upload(key, b"some bytes", **{"correlation-id": "zybqtp0btjqpc3b8av5yjqa9em"})
    handler(recorded("aws_put"), context)
    assert cloud.record(key).correlation_id == "zybqtp0btjqpc3b8av5yjqa9em"
    [line] = [line for line in lines() if line["message"] == "gave up"]
    assert line["correlation_id"] == "zybqtp0btjqpc3b8av5yjqa9em"


@pytest.mark.parametrize("event", ["aws_put", "aws_test_event", "aws_not_created"])
def test_where_there_is_no_upload_there_is_nothing_to_record(
    cloud: Any, context: Any, recorded: Recorded, event: str
) -> None:
    assert handler(recorded(event), context) == NOTHING_FAILED
    listed = cloud.s3.list_objects_v2(Bucket=cloud.settings.results_bucket)
    assert listed["KeyCount"] == 0


def test_a_message_that_makes_no_sense_costs_no_other(cloud: Any, context: Any, order: Any) -> None:
    work = order("a.jpg")
    response = handler(dead("this is no JSON", to_message(work)), context)
    assert response == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert_buried(cloud.record("a.jpg"))


def test_the_log_names_the_photographs_of_what_is_left_for_another_try(
    cloud: Any, context: Any, order: Any, recorded: Recorded, logged: Any
) -> None:
    """Work, an upload's event, and what nobody can read."""
    work, lines = to_message(order("a.jpg")), logged(logger)
    event = recorded("aws_put")["Records"][0]["body"]

    def cut(params: dict[str, Any], **_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=params["url"])

    s3().meta.events.register("before-call.s3.GetObject", cut)
    handler(dead(work, event, "this is no JSON", "[]", "1"), context)
    left = [line for line in lines() if line["message"] == "left for another try"]
    assert [line["keys"] for line in left] == [["a.jpg"], ["colornet/album/photo.jpg"], [], [], []]


def test_burials_are_counted_once(
    cloud: Any, context: Any, order: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    work = order("a.jpg")
    handler(dead(to_message(work), to_message(work)), context)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [blob] = [line for line in lines if "_aws" in line]
    assert blob["Messages"] == [2]
    assert blob["Buried"] == [1]


def test_an_upload_given_up_is_looked_at_after_its_record(
    cloud: Any, context: Any, recorded: Recorded, order: Any
) -> None:
    """Else what was there before could be buried over an upload that has come since."""
    key = "colornet/album/photo.jpg"
    cloud.upload(key, b"first")
    client = s3()

    def outrun(**_: Any) -> None:
        client.meta.events.unregister("after-call.s3.HeadObject", outrun)
        order(key, b"second")
        cloud.records.put(cloud.record(key).moved(Status.DONE))

    client.meta.events.register("after-call.s3.HeadObject", outrun)
    assert handler(recorded("aws_put"), context) == NOTHING_FAILED
    record = cloud.record(key)
    assert (record.order, record.status) == (1, Status.DONE)
