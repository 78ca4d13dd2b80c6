"""A folder and a bucket of a real moto server, and what keeps them from being the same."""

from __future__ import annotations

import errno
import os
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local import mirror as mirror_module
from infra.local.mirror import Mirror
from tests.infra.conftest import CREDENTIALS, REGION


@pytest.fixture
def mirror(moto: str, tmp_path: Path) -> Mirror:
    s3 = boto3.client(
        "s3",
        endpoint_url=moto,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    bucket = f"photographs-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    made = Mirror(s3, bucket, tmp_path / "uploads", tmp_path / "uploads.json")
    made.restore()
    return made


def keys(mirror: Mirror) -> set[str]:
    listed = mirror.s3.list_objects_v2(Bucket=mirror.bucket)
    return {item["Key"] for item in listed.get("Contents", [])}


def turn(mirror: Mirror, times: int = 2) -> None:
    """A new file is taken at the second look, when it has stopped growing."""
    for _ in range(times):
        mirror.sync()


def put(mirror: Mirror, key: str) -> None:
    mirror.s3.put_object(Bucket=mirror.bucket, Key=key, Body=b"in the bucket")


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_name_that_is_no_text_is_named_once(
    mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    album = mirror.folder / os.fsdecode(b"B\xe4lle")
    album.mkdir()
    for path in (album / "a.jpg", mirror.folder / os.fsdecode(b"Gro\xdfmutter.jpg")):
        path.write_bytes(b"x")
    (mirror.folder / "Großmutter.jpg").write_bytes(b"x")
    turn(mirror, 3)
    assert keys(mirror) == {"Großmutter.jpg"}
    mirror.restore()
    assert sorted(lines(capsys)) == [
        f"{mirror.folder}/B\\xe4lle is not mirrored: its name is not UTF-8; rename it.",
        f"{mirror.folder}/Gro\\xdfmutter.jpg is not mirrored: its name is not UTF-8; rename it.",
    ]


def test_a_pipe_is_passed_over(mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(mirror.folder / "pipe.jpg")
    (mirror.folder / "photo.jpg").write_bytes(b"x")
    turn(mirror, 3)
    assert keys(mirror) == {"photo.jpg"}
    assert lines(capsys) == [f"{mirror.folder}/pipe.jpg is not mirrored: it is no regular file."]


def test_a_file_that_cannot_be_read_keeps_no_other_waiting(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Root reads everything, so the system is made to refuse."""
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (mirror.folder / name).write_bytes(b"x")
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "b.jpg":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        turn(mirror, 5)
    assert keys(mirror) == {"a.jpg", "c.jpg"}
    assert lines(capsys) == [f"{mirror.folder}/b.jpg is not mirrored: Permission denied."]
    turn(mirror)
    assert keys(mirror) == {"a.jpg", "b.jpg", "c.jpg"}


def test_a_full_disk_is_waited_out(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    put(mirror, "a.jpg")
    (mirror.folder / "mine.jpg").write_bytes(b"x")
    with monkeypatch.context() as patch:
        patch.setattr(mirror_module, "write_whole", full)
        turn(mirror, 3)
    assert keys(mirror) == {"a.jpg", "mine.jpg"}
    said = lines(capsys)
    assert f"{mirror.folder}/a.jpg is not mirrored: No space left on device." in said
    assert f"{mirror.index} is not mirrored: No space left on device." in said
    assert len(said) == 2
    mirror.sync()
    assert (mirror.folder / "a.jpg").read_bytes() == b"in the bucket"
    assert mirror.index.exists()


def test_what_s3_refuses_is_said_and_the_next_goes_on(
    mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    (mirror.folder / "two\nlines.jpg").write_bytes(b"x")  # moto knows no such key
    (mirror.folder / "photo.jpg").write_bytes(b"x")
    turn(mirror, 4)
    assert keys(mirror) == {"photo.jpg"}
    assert capsys.readouterr().err.count("lines.jpg is not mirrored: ") == 1


def test_a_bucket_that_cannot_be_listed_loses_nothing(
    mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    (mirror.folder / "photo.jpg").write_bytes(b"x")
    turn(mirror)
    bucket, mirror.bucket = mirror.bucket, "never-made"
    turn(mirror)
    assert "NoSuchBucket" in capsys.readouterr().err
    mirror.bucket = bucket
    turn(mirror)
    assert (mirror.folder / "photo.jpg").exists()
    assert keys(mirror) == {"photo.jpg"}


def test_nothing_is_written_through_a_linked_folder(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (mirror.folder / "album").symlink_to(outside)
    put(mirror, "album/x.jpg")
    put(mirror, "album/deep/y.jpg")
    turn(mirror, 3)
    assert [path.name for path in outside.rglob("*")] == ["deep"]
    assert keys(mirror) == {"album/x.jpg", "album/deep/y.jpg"}
    link = f"{mirror.folder}/album is not mirrored: it is a link; copy there what it leads to."
    assert link in lines(capsys)


def test_a_folder_that_became_a_link_deletes_nothing(mirror: Mirror, tmp_path: Path) -> None:
    album = mirror.folder / "album"
    put(mirror, "album/x.jpg")
    mirror.sync()
    album.rename(tmp_path / "moved")
    album.symlink_to(tmp_path / "moved")
    turn(mirror)
    assert keys(mirror) == {"album/x.jpg"}
    album.unlink()
    turn(mirror)
    assert keys(mirror) == set()


def test_a_folder_that_may_not_be_read_deletes_nothing(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Root reads everything, so the system is made to refuse."""
    album, scan = mirror.folder / "album", os.scandir
    put(mirror, "album/x.jpg")
    mirror.sync()

    def refuse(path: Any) -> Any:
        if Path(path) == album:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    turn(mirror, 3)
    assert keys(mirror) == {"album/x.jpg"}
    assert lines(capsys) == [f"{album} is not mirrored: Permission denied."]


def test_a_key_that_cannot_be_a_file_is_not_fetched_again(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(mirror, "a")
    mirror.sync()
    put(mirror, "a/b")
    put(mirror, "a/b/c")

    def never(**_: Any) -> None:
        raise AssertionError("it was fetched")

    with monkeypatch.context() as patch:
        patch.setattr(mirror.s3, "get_object", never)
        turn(mirror, 3)
    assert len(lines(capsys)) == 2
    assert keys(mirror) == {"a", "a/b", "a/b/c"}
    (mirror.folder / "a").unlink()
    turn(mirror)
    assert keys(mirror) == {"a/b", "a/b/c"}
    assert any((mirror.folder / "a").iterdir())


def test_a_file_in_place_of_a_folder_is_as_good_as_a_deletion(mirror: Mirror) -> None:
    put(mirror, "a")
    mirror.sync()
    (mirror.folder / "a").unlink()
    (mirror.folder / "a").mkdir()
    (mirror.folder / "a" / "b").write_bytes(b"x")
    turn(mirror)
    assert keys(mirror) == {"a/b"}
