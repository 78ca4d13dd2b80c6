from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.contract import manifest
from functions.contract.manifest import (
    ManifestMissingError,
    ManifestReader,
    publish,
    publish_unless_outdated,
    renumber,
)

CARDS = {"default": "colornet", "strategies": [{"name": "colornet", "ready": True}]}
MORE = {"default": "painter", "strategies": [{"name": "painter"}, {"name": "colornet"}]}


@pytest.fixture
def statuses(cloud: Any) -> list[int]:
    """What S3 answered to each GET."""
    seen: list[int] = []

    def note(http_response: Any, **_: Any) -> None:
        seen.append(http_response.status_code)

    cloud.s3.meta.events.register("after-call.s3.GetObject", note)
    return seen


@pytest.fixture
def reader(cloud: Any) -> ManifestReader:
    return ManifestReader(cloud.s3, cloud.settings.results_bucket)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest is never fresh enough."""
    monkeypatch.setattr(manifest, "FRESH_SECONDS", -1.0)


def test_before_a_worker_ever_started(reader: ManifestReader, cloud: Any) -> None:
    with pytest.raises(ManifestMissingError, match=r"no strategies\.json in results-\d+ yet"):
        reader.read()
    publish(cloud.s3, reader.bucket, CARDS)
    assert reader.read().default == "colornet"


def test_what_is_published_is_read(reader: ManifestReader, cloud: Any) -> None:
    publish(cloud.s3, reader.bucket, CARDS)
    read = reader.read()
    assert read.default == "colornet"
    assert read.strategies == {"colornet": {"name": "colornet", "ready": True}}


def test_it_is_kept_for_a_while(reader: ManifestReader, cloud: Any, statuses: list[int]) -> None:
    publish(cloud.s3, reader.bucket, CARDS)
    first = reader.read()
    assert reader.read() is first
    assert statuses == [200]


def test_but_for_a_few_seconds_only(
    reader: ManifestReader, cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(manifest, "time", clock)
    publish(cloud.s3, reader.bucket, CARDS)
    reader.read()
    publish(cloud.s3, reader.bucket, MORE)
    for seconds, default in ((3, "colornet"), (10, "painter")):
        clock.now = seconds
        assert reader.read().default == default


@pytest.mark.usefixtures("impatient")
def test_then_it_is_asked_only_whether_it_changed(
    reader: ManifestReader, cloud: Any, statuses: list[int]
) -> None:
    publish(cloud.s3, reader.bucket, CARDS)
    first = reader.read()
    assert reader.read() is first
    publish(cloud.s3, reader.bucket, MORE)
    assert reader.read().default == "painter"
    assert list(reader.read().strategies) == ["painter", "colornet"]
    assert statuses == [200, 304, 200, 304]


@pytest.mark.parametrize(
    ("before", "deployment", "is_written"),
    [
        (None, 0, True),
        (None, 3, True),
        (0, 0, True),
        (0, 3, True),
        (2, 3, True),
        (3, 3, True),
        (4, 3, False),
        (4, 0, False),
    ],
)
def test_a_manifest_is_replaced_by_no_earlier_deployments(
    reader: ManifestReader, cloud: Any, before: int | None, deployment: int, is_written: bool
) -> None:
    if before is not None:
        publish(cloud.s3, reader.bucket, CARDS, before)
    assert publish_unless_outdated(cloud.s3, reader.bucket, MORE, deployment) is is_written
    assert reader.read().default == ("painter" if is_written else "colornet")


def test_a_manifest_that_is_replaced_while_it_is_looked_at_stays(
    reader: ManifestReader, cloud: Any
) -> None:
    publish(cloud.s3, reader.bucket, CARDS, 3)

    def deploy(**_: Any) -> None:
        cloud.s3.meta.events.unregister("before-call.s3.PutObject", deploy)
        publish(cloud.s3, reader.bucket, MORE, 4)

    cloud.s3.meta.events.register("before-call.s3.PutObject", deploy)
    assert not publish_unless_outdated(cloud.s3, reader.bucket, CARDS, 3)
    assert reader.read().default == "painter"


def test_other_errors_are_not_hidden(cloud: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        ManifestReader(cloud.s3, "a-bucket-that-nobody-made").read()


def test_a_deployment_is_told_of_before_its_workers_say_what_they_run(
    reader: ManifestReader, cloud: Any
) -> None:
    renumber(cloud.s3, reader.bucket, 3)
    with pytest.raises(ManifestMissingError):
        reader.read()
    publish(cloud.s3, reader.bucket, CARDS, 3)

    def publish_others(**_: Any) -> None:
        cloud.s3.meta.events.unregister("before-call.s3.PutObject", publish_others)
        publish(cloud.s3, reader.bucket, MORE, 4)

    cloud.s3.meta.events.register("before-call.s3.PutObject", publish_others)
    renumber(cloud.s3, reader.bucket, 4)
    assert (reader.read().default, reader.read().deployment) == ("painter", 4)
