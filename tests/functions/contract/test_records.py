from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from functions.contract.records import ContendedError, Record, Records, Source, Status

SOURCE = Source(etag='"abc"', last_modified="2026-11-23T20:00:00+00:00", size=7)
Q, R, D, F = Status.QUEUED, Status.RUNNING, Status.DONE, Status.FAILED


def record(order: int = 1, status: Status = Q, key: str = "a/photo.jpg", **more: Any) -> Record:
    return Record(key, order, status, "colornet", SOURCE, "correlation", **more)


@pytest.fixture
def records(cloud: Any) -> Records:
    standing: Records = cloud.records
    return standing


def stand(records: Records, one: Record) -> Record:
    """Has a record stand, whatever stood there."""
    return records.update(one.key, lambda _: one)


def test_what_is_written_is_read_back(records: Records) -> None:
    full = record(
        status=D,
        knobs={"vividness": 1.5},
        hints=["3,4,#c84b31"],
        times={"done": "2026-11-23T20:00:01.000+00:00"},
        milliseconds={"network": 61.2},
        result={"etag": '"x"', "width": 3},
        error=None,
    )
    assert stand(records, full) == full
    assert records.get("a/photo.jpg") == full


def test_a_key_without_a_record(records: Records) -> None:
    assert records.get("nothing") is None


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"])
def test_a_key_that_no_answer_in_xml_can_repeat(records: Records, character: str) -> None:
    key = f"a/{character}.jpg"
    assert records.get(key) is None
    assert records.update(key, lambda _: record(key=key)) == records.get(key)


def test_records_of_different_keys_are_apart(records: Records) -> None:
    for key in ("ä ö/1+1.jpg", "a%20b", "x" * 1024):
        stand(records, record(key=key))
        assert records.get(key) == record(key=key)


def test_moving_stamps_the_time() -> None:
    moved = record().moved(R, error={"code": "c", "message": "m"})
    assert (moved.status, moved.error) == (R, {"code": "c", "message": "m"})
    assert list(moved.times) == ["running"]
    assert list(moved.moved(D).times) == ["running", "done"]


@pytest.mark.parametrize(("before", "after"), [(Q, R), (Q, D), (Q, F), (R, D), (R, F)])
def test_the_status_moves_forward(records: Records, before: Status, after: Status) -> None:
    stand(records, record(status=before))
    assert records.put(record(status=after)) == record(status=after)
    standing = records.get("a/photo.jpg")
    assert standing is not None
    assert standing.status is after


@pytest.mark.parametrize(
    ("before", "after"),
    [(R, Q), (D, Q), (D, R), (F, R), (F, Q), (D, F), (F, D), (R, R), (D, D), (F, F)],
)
def test_the_status_never_moves_back_or_from_an_end(
    records: Records, before: Status, after: Status
) -> None:
    first = stand(records, record(status=before, milliseconds={"fetch": 1}))
    assert records.put(record(status=after, milliseconds={"fetch": 2})) == first
    assert records.get("a/photo.jpg") == first


@pytest.mark.parametrize("late", list(Status))
@pytest.mark.parametrize("order", [1, 3])
def test_no_order_moves_another_on(records: Records, order: int, late: Status) -> None:
    """An earlier one comes late; a later number is from before the record was deleted."""
    stand(records, record(2, Q))
    assert records.put(record(order, late)) == record(2, Q)
    assert records.get("a/photo.jpg") == record(2, Q)


@pytest.mark.parametrize("late", list(Status))
def test_of_one_number_only_the_order_of_the_same_upload_is_moved_on(
    records: Records, late: Status
) -> None:
    """The record was deleted, and another upload has come under its key."""
    other = replace(record(), source=replace(SOURCE, etag='"other"'))
    stand(records, other)
    assert records.put(record(1, late)) == other
    assert records.get("a/photo.jpg") == other


def test_of_sixteen_that_race_exactly_one_wins(records: Records) -> None:
    stand(records, record())
    start = threading.Barrier(16)

    def race(number: int) -> bool:
        start.wait()
        mine = record(status=D, result={"winner": number})
        return records.put(mine) == mine

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(race, range(16)))
    assert won.count(True) == 1
    standing = records.get("a/photo.jpg")
    assert standing is not None
    assert standing.result == {"winner": won.index(True)}


def test_of_sixteen_that_open_the_first_exactly_one_wins(records: Records) -> None:
    start = threading.Barrier(16)

    def race(number: int) -> bool:
        start.wait()
        mine = replace(record(), correlation_id=str(number))
        return records.update(mine.key, lambda current: current or mine) == mine

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(race, range(16))).count(True) == 1


def test_no_change_of_sixteen_is_lost(records: Records) -> None:
    start = threading.Barrier(16)

    def next_order(current: Record | None) -> Record:
        return record(current.order + 1 if current else 1)

    def race(_: int) -> int:
        start.wait()
        return records.update("a/photo.jpg", next_order).order

    with ThreadPoolExecutor(16) as pool:
        orders = list(pool.map(race, range(16)))
    assert sorted(orders) == list(range(1, 17))


def test_who_never_wins_gives_up(records: Records) -> None:
    def outrun(current: Record | None) -> Record:
        other = record(current.order + 1 if current else 1)
        records.update("a/photo.jpg", lambda _: other)
        return record(other.order + 1)

    with pytest.raises(ContendedError, match=r"a/photo\.jpg changed at each of 20 attempts"):
        records.update("a/photo.jpg", outrun)


def test_no_change_writes_nothing(records: Records, cloud: Any) -> None:
    stand(records, record())
    bucket, key = cloud.settings.results_bucket, "records/a/photo.jpg.json"
    before = cloud.s3.head_object(Bucket=bucket, Key=key)["ResponseMetadata"]["HTTPHeaders"]
    wrote: list[str] = []
    cloud.s3.meta.events.register("before-call.s3.PutObject", lambda **_: wrote.append("put"))
    assert Records(cloud.s3, bucket).update("a/photo.jpg", lambda r: r or record()) == record()
    assert wrote == []
    after = cloud.s3.head_object(Bucket=bucket, Key=key)["ResponseMetadata"]["HTTPHeaders"]
    assert before["etag"] == after["etag"]


@pytest.mark.parametrize("status", list(Status))
def test_what_was_deleted_stays_deleted(records: Records, status: Status) -> None:
    assert records.put(record(status=status)) is None
    assert records.get("a/photo.jpg") is None


def test_a_source_is_one_state_of_an_upload(cloud: Any) -> None:
    def source() -> Source:
        return Source.of(cloud.s3.head_object(Bucket=cloud.settings.uploads_bucket, Key="a"))

    cloud.upload("a", b"first")
    first = source()
    assert first == source()
    assert first.size == 5
    cloud.upload("a", b"second")
    assert source() != first


def test_a_copy_onto_itself_is_another_source(cloud: Any) -> None:
    """The page's way to ask for other colors: S3's times may be the same, to the second."""
    bucket = cloud.settings.uploads_bucket
    cloud.upload("a", b"first", **{"correlation-id": "one"})
    first = cloud.s3.head_object(Bucket=bucket, Key="a")
    cloud.s3.copy_object(
        Bucket=bucket,
        Key="a",
        CopySource={"Bucket": bucket, "Key": "a"},
        MetadataDirective="REPLACE",
        Metadata={"correlation-id": "two"},
    )
    second = cloud.s3.head_object(Bucket=bucket, Key="a") | {"LastModified": first["LastModified"]}
    assert second["ETag"] == first["ETag"]
    assert Source.of(second) != Source.of(first)
