from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.contract import manifest
from functions.contract.manifest import ManifestMissingError, ManifestReader, publish

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


def test_other_errors_are_not_hidden(cloud: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        ManifestReader(cloud.s3, "a-bucket-that-nobody-made").read()
