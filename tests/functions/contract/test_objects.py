from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.contract.objects import head_of, put_if_unchanged

KEY = "a/photo.jpg"


def put(cloud: Any, body: bytes, read_etag: str | None) -> str | None:
    return put_if_unchanged(cloud.s3, cloud.settings.results_bucket, KEY, body, read_etag)


def lies_there(cloud: Any) -> bytes:
    content: bytes = cloud.result(KEY)["Body"]
    return content


def test_only_the_first_writes_where_there_was_nothing(cloud: Any) -> None:
    etag = put(cloud, b"first", None)
    assert etag is not None
    assert put(cloud, b"second", None) is None
    assert lies_there(cloud) == b"first"
    head = head_of(cloud.s3, cloud.settings.results_bucket, KEY)
    assert head is not None
    assert head["ETag"] == etag


def test_only_who_read_the_last_writes_over_it(cloud: Any) -> None:
    first = put(cloud, b"first", None)
    second = put(cloud, b"second", first)
    assert second not in {None, first}
    assert put(cloud, b"third", first) is None
    assert lies_there(cloud) == b"second"


def test_what_was_deleted_is_not_written_over(cloud: Any) -> None:
    etag = put(cloud, b"first", None)
    cloud.s3.delete_object(Bucket=cloud.settings.results_bucket, Key=KEY)
    assert put(cloud, b"second", etag) is None
    assert cloud.results() == []


@contextmanager
def answering(cloud: Any, status: int, code: str) -> Iterator[None]:
    """Has S3 answer what moto never does."""

    def answer(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        http_response.status_code = parsed["ResponseMetadata"]["HTTPStatusCode"] = status
        parsed["Error"] = {"Code": code, "Message": "said so"}

    event = "after-call.s3.PutObject"
    cloud.s3.meta.events.register(event, answer)
    yield
    cloud.s3.meta.events.unregister(event, answer)


def test_who_writes_at_the_same_time_has_lost_as_well(cloud: Any) -> None:
    with answering(cloud, 409, "ConditionalRequestConflict"):
        assert put(cloud, b"first", None) is None


def test_what_is_no_race_is_raised(cloud: Any) -> None:
    with answering(cloud, 403, "AccessDenied"), pytest.raises(ClientError, match="AccessDenied"):
        put(cloud, b"first", None)
    assert head_of(cloud.s3, cloud.settings.results_bucket, "nothing") is None
