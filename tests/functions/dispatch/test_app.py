from __future__ import annotations

import json
import re
import shlex
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.contract.records import Status
from functions.dispatch.app import handler, logger, orders
from functions.dispatch.orders import NotSentError
from functions.workers.wake import Fleet, waker_from_environment

RUNBOOK = Path(__file__).parents[3] / "docs/runbook.md"

Recorded = Callable[[str], dict[str, Any]]

FUNCTION_SECONDS = 30  # as template.yaml has it
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def dispatch(cloud: Any, context: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The handler, with a manifest in the bucket."""
    cloud.publish_manifest()

    def invoke(event: dict[str, Any]) -> dict[str, Any]:
        return dict(handler(event, context))

    return invoke


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        ("aws_put", ["colornet/album/photo.jpg"]),
        (
            "aws_odd_keys",
            [
                "album/my photo (1).jpg",
                "album/a+b.jpg",
                "album/100%.jpg",
                "Müller/Straße.jpg",
                "📷/😀.jpg",
                "album/a%20b.jpg",
            ],
        ),
        ("aws_multipart", ["album/big.tif"]),
        ("aws_longest_key", [f"album/{'ü' * 100}{'😀' * 200}{'x' * 14}.jpg"]),
        ("aws_several_records", ["album/first.jpg", "album/second one.jpg"]),
        ("moto_put", ["colornet/album/a b+c%d.jpg", "Müller/😀.jpg"]),
    ],
)
def test_each_upload_is_recorded_and_queued(
    dispatch: Any, cloud: Any, recorded: Recorded, event: str, keys: list[str]
) -> None:
    for key in keys:
        cloud.upload(key, b"some bytes")
    assert dispatch(recorded(event)) == NOTHING_FAILED
    work = cloud.take_work()
    assert sorted(item.key for item in work) == sorted(keys)
    for item in work:
        record = cloud.record(item.key)
        assert (record.status, record.order, record.strategy) == (Status.QUEUED, 1, "colornet")
        assert (item.order, item.correlation_id) == (1, record.correlation_id)
        assert record.source.size == len(b"some bytes")
        assert list(record.times) == ["queued"]


def test_new_uploads_cost_one_look_one_record_and_a_share_of_a_message_each(
    dispatch: Any, cloud: Any, recorded: Recorded
) -> None:
    keys = ["album/first.jpg", "album/second one.jpg"]
    for key in keys:
        cloud.upload(key, b"some bytes")
    orders().manifest.read()
    asked: Counter[str] = Counter()
    for client in (orders().s3, orders().sqs):
        client.meta.events.register("before-call", lambda model, **_: asked.update([model.name]))
    assert dispatch(recorded("aws_several_records")) == NOTHING_FAILED
    assert asked == {"HeadObject": 2, "PutObject": 2, "SendMessageBatch": 1}


def test_messages_that_sqs_did_not_take_are_sent_at_the_next_try(
    dispatch: Any, cloud: Any, recorded: Recorded
) -> None:
    keys = {"album/first.jpg", "album/second one.jpg"}
    for key in keys:
        cloud.upload(key, b"some bytes")

    def refuse(parsed: dict[str, Any], **_: Any) -> None:
        orders().sqs.meta.events.unregister("after-call.sqs.SendMessageBatch", refuse)
        parsed["Failed"] = [{"Id": "1", "Code": "InternalError", "SenderFault": False}]

    orders().sqs.meta.events.register("after-call.sqs.SendMessageBatch", refuse)
    with pytest.raises(NotSentError, match="1 of the messages: InternalError"):
        dispatch(recorded("aws_several_records"))
    cloud.take_work()
    assert dispatch(recorded("aws_several_records")) == NOTHING_FAILED
    assert {work.key for work in cloud.take_work()} == keys


@pytest.mark.parametrize("event", ["aws_test_event", "moto_test_event", "aws_not_created"])
def test_other_events_are_passed_over(
    dispatch: Any, cloud: Any, recorded: Recorded, event: str
) -> None:
    cloud.upload("colornet/album/photo.jpg", b"some bytes")
    assert dispatch(recorded(event)) == NOTHING_FAILED
    assert cloud.take_work() == []
    assert cloud.records.get("colornet/album/photo.jpg") is None


@pytest.mark.parametrize(
    ("event", "key"),
    [("aws_duplicate", "colornet/album/photo.jpg"), ("moto_multipart", "big.tif")],
)
def test_a_repeated_event_opens_no_second_order(
    dispatch: Any, cloud: Any, recorded: Recorded, event: str, key: str
) -> None:
    cloud.upload(key, b"some bytes")
    assert dispatch(recorded(event)) == NOTHING_FAILED
    assert dispatch(recorded(event)) == NOTHING_FAILED
    assert cloud.record(key).order == 1
    assert {(work.key, work.order) for work in cloud.take_work()} == {(key, 1)}


def test_an_object_that_vanished_is_passed_over(
    dispatch: Any, cloud: Any, recorded: Recorded
) -> None:
    assert dispatch(recorded("aws_put")) == NOTHING_FAILED
    assert cloud.take_work() == []
    assert cloud.records.get("colornet/album/photo.jpg") is None


def test_without_a_manifest_the_message_comes_again(
    cloud: Any, context: Any, recorded: Recorded
) -> None:
    cloud.upload("colornet/album/photo.jpg", b"some bytes")
    event = recorded("aws_put")
    failed = [{"itemIdentifier": event["Records"][0]["messageId"]}]
    assert handler(event, context) == {"batchItemFailures": failed}
    assert cloud.take_work() == []
    cloud.publish_manifest()
    assert handler(event, context) == NOTHING_FAILED
    assert [work.key for work in cloud.take_work()] == ["colornet/album/photo.jpg"]


def test_one_message_that_makes_no_sense_costs_no_other(
    dispatch: Any, cloud: Any, recorded: Recorded
) -> None:
    cloud.upload("colornet/album/photo.jpg", b"some bytes")
    event = recorded("not_an_event")
    response = dispatch(event)
    failed = [item["itemIdentifier"] for item in response["batchItemFailures"]]
    assert failed == [record["messageId"] for record in event["Records"][:2]]
    assert [work.key for work in cloud.take_work()] == ["colornet/album/photo.jpg"]


def test_metrics_count_what_became_of_uploads(
    dispatch: Any, cloud: Any, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.upload("colornet/album/a b+c%d.jpg", b"some bytes")
    dispatch(recorded("moto_put"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [blob] = [line for line in lines if "_aws" in line]
    assert (blob["Messages"], blob["Queued"], blob["Vanished"]) == ([2], [1], [1])


def test_the_log_says_by_the_pages_correlation_id_what_became_of_an_upload(
    dispatch: Any, cloud: Any, recorded: Recorded, logged: Any
) -> None:
    lines = logged(logger)
    key = "web/06peejmfvxp054dwtwjyfj2t1y/zybqtp0btjqpc3b8av5yjqa9em/grandma.jpg"
    cloud.upload(key, b"some bytes", **{"correlation-id": "zybqtp0btjqpc3b8av5yjqa9em"})
    note = "visitors/06peejmfvxp054dwtwjyfj2t1y/zybqtp0btjqpc3b8av5yjqa9em.json"
    cloud.s3.put_object(Bucket=cloud.settings.results_bucket, Key=note, Body=b"{}")
    dispatch(recorded("aws_recolored"))
    [line] = [line for line in lines() if line["message"] == "upload"]
    assert line["correlation_id"] == "zybqtp0btjqpc3b8av5yjqa9em"
    assert (line["key"], line["outcome"], line["strategy"]) == (key, "Queued", "colornet")
    assert [work.correlation_id for work in cloud.take_work()] == [line["correlation_id"]]


class Waker:
    """Notes what it is called for, or fails at it; ``failed`` workers it found."""

    def __init__(self, *, fails: bool = False, failed: int = 0):
        self.calls: list[int] = []
        self.fails, self.failed = fails, failed

    def wake(self, just_sent: int) -> Fleet:
        self.calls.append(just_sent)
        if self.fails:
            raise TimeoutError("Batch does not answer")
        return Fleet(photographs=just_sent, running=0, starting=0, woken=1, failed=self.failed)


@pytest.fixture
def wakes_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Waker], Waker]:
    def use(waker: Waker) -> Waker:
        monkeypatch.setattr("functions.dispatch.app.waker_from_environment", lambda: waker)
        return waker

    return use


def test_workers_are_woken_for_what_was_queued_only(
    dispatch: Any, cloud: Any, recorded: Recorded, wakes_with: Any
) -> None:
    waker = wakes_with(Waker())
    dispatch(recorded("aws_put"))  # there is no such object
    assert waker.calls == []
    cloud.upload("album/first.jpg", b"some bytes")
    cloud.upload("album/second one.jpg", b"x" * 2**21)  # refused
    dispatch(recorded("aws_several_records"))
    assert waker.calls == [1]


def test_workers_that_had_failed_are_counted(
    dispatch: Any,
    cloud: Any,
    recorded: Recorded,
    wakes_with: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else nobody counts them: sweep, looking later, finds others in their slots."""
    wakes_with(Waker(failed=2))
    cloud.upload("colornet/album/photo.jpg", b"some bytes")
    dispatch(recorded("aws_put"))
    [blob] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (blob["Woken"], blob["WorkersFailed"]) == ([1], [2])


def test_a_failed_wake_up_makes_no_message_come_again(
    dispatch: Any,
    cloud: Any,
    recorded: Recorded,
    wakes_with: Any,
    logged: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else two hours without Batch would have healthy photographs given up."""
    wakes_with(Waker(fails=True))
    lines = logged(logger)
    cloud.upload("colornet/album/photo.jpg", b"some bytes")
    assert dispatch(recorded("aws_put")) == NOTHING_FAILED
    [blob] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (blob["Queued"], blob["WakeFailed"]) == ([1], [1])
    assert "Batch does not answer" in lines()[-1]["exception"]


def test_from_the_bucket_through_the_queue_to_the_work_queue(dispatch: Any, cloud: Any) -> None:
    """With S3's own events on their own way."""
    name = cloud.uploads_queue_url.rpartition("/")[2]
    cloud.s3.put_bucket_notification_configuration(
        Bucket=cloud.settings.uploads_bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{name}",
                    "Events": ["s3:ObjectCreated:*"],
                }
            ]
        },
    )
    keys = ["richzhang/a b+c%d/ü 😀.jpg", "a%2Fb.jpg", "web/me/7/grandma (2).jpg"]
    for key in keys:
        cloud.upload(key, b"some bytes")
    messages = cloud.receive(cloud.uploads_queue_url, wait_seconds=5)
    assert len(messages) == 1 + len(keys)
    records = [
        {
            "messageId": message["MessageId"],
            "body": message["Body"],
            "attributes": message["Attributes"],
        }
        for message in messages
    ]
    assert dispatch({"Records": records}) == NOTHING_FAILED
    assert sorted(work.key for work in cloud.take_work()) == sorted(keys)
    assert cloud.record(keys[0]).strategy == "richzhang"


def test_the_runbooks_copy_orders_the_same_again(
    dispatch: Any, cloud: Any, recorded: Recorded
) -> None:
    key = "album/photo.jpg"
    cloud.upload(key, b"x", strategy="richzhang", vividness="1.5", **{"correlation-id": "first"})
    event = json.loads(json.dumps(recorded("aws_put")).replace("colornet/album", "album"))
    dispatch(event)
    first = cloud.record(key)
    [block] = re.findall(r"```sh\n(aws s3api copy-object .*?)```", RUNBOOK.read_text(), re.DOTALL)
    command = block.replace("<uploads bucket>", cloud.settings.uploads_bucket)
    words = shlex.split(command.replace("\\\n", " "))[3:]
    options = {
        "".join(part.title() for part in option.removeprefix("--").split("-")): value
        for option, value in zip(words[::2], words[1::2], strict=True)
    }
    time.sleep(1)  # S3 keeps time in seconds
    cloud.s3.copy_object(**options)
    dispatch(event)
    again = cloud.record(key)
    assert (first.order, again.order, again.status) == (1, 2, Status.QUEUED)
    assert (again.strategy, again.knobs) == ("richzhang", {"vividness": 1.5})
    assert [work.order for work in cloud.take_work()] == [1, 2]


def test_where_batch_does_not_answer_the_function_ends_before_its_time(
    dispatch: Any, cloud: Any, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else Lambda ends it, its messages come again, and photographs that are queued get buried."""
    cloud.upload("colornet/album/photo.jpg", b"some bytes")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for name, value in {
            "AWS_ENDPOINT_URL_BATCH": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "DEEPCOLOR_BATCH_JOB_QUEUE": "queue",
            "DEEPCOLOR_BATCH_JOB_DEFINITION": "arn:definition:1",
            "DEEPCOLOR_MAX_WORKERS": "1",
            "DEEPCOLOR_PHOTOGRAPHS_PER_WORKER": "1",
        }.items():
            monkeypatch.setenv(name, value)
        waker_from_environment.cache_clear()
        begin = time.monotonic()
        assert dispatch(recorded("aws_put")) == NOTHING_FAILED
        assert time.monotonic() - begin < FUNCTION_SECONDS / 2
    assert [work.key for work in cloud.take_work()] == ["colornet/album/photo.jpg"]


@pytest.mark.parametrize("status", [403, 503])
def test_an_upload_that_cannot_be_looked_at_comes_again(
    dispatch: Any, cloud: Any, recorded: Any, status: int
) -> None:
    """Only a 404 says that there is none."""
    cloud.upload("colornet/album/photo.jpg", b"some bytes")
    refusal = {
        "Error": {"Code": str(status), "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    orders().s3.meta.events.register(
        "before-call.s3.HeadObject", lambda **_: (SimpleNamespace(status_code=status), refusal)
    )
    assert len(dispatch(recorded("aws_put"))["batchItemFailures"]) == 1
    assert cloud.records.get("colornet/album/photo.jpg") is None
