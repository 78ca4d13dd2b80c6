"""A folder and a bucket of the local stack's S3, and what keeps them from being the same."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import index as index_module
from infra.local import mirror as mirror_module
from infra.local.cloud import Cloud
from infra.local.contents import ENOUGH_BYTES, HEADER, PATH
from infra.local.index import Index
from infra.local.mirror import Mirror
from infra.local.ports import HOST
from tests.servers import free_port, serving


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the local stack's S3."""
    port, folder = free_port(), tmp_path_factory.mktemp("store")
    command = [sys.executable, "-m", "infra.local.object_store", HOST, str(port)]
    with serving(command, port, folder / "log", {}, Path.cwd()) as address:
        yield address


@pytest.fixture
def mirror(store: str, tmp_path: Path) -> Iterator[Mirror]:
    s3 = Cloud(store).s3()
    bucket = f"photographs-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    made = Mirror(s3, bucket, tmp_path / "uploads", Index(tmp_path / "uploads.json"))
    made.restore()
    yield made
    made.contents.connection.close()


def keys(mirror: Mirror) -> set[str]:
    listed = mirror.s3.list_objects_v2(Bucket=mirror.bucket)
    return {item["Key"] for item in listed.get("Contents", [])}


def turn(mirror: Mirror, times: int = 2) -> None:
    """What is new is taken at the second look, when it has stopped growing or changing."""
    for _ in range(times):
        mirror.sync()


def put(mirror: Mirror, key: str) -> None:
    mirror.s3.put_object(Bucket=mirror.bucket, Key=key, Body=b"in the bucket")


def watched(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of what is fetched from now on."""
    fetched: list[str] = []
    objects = mirror.contents.objects

    def noted(keys: list[str]) -> Any:
        fetched.extend(keys)
        return objects(keys)

    monkeypatch.setattr(mirror.contents, "objects", noted)
    return fetched


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
        for module in (mirror_module, index_module):
            patch.setattr(module, "write_whole", full)
        turn(mirror, 3)
    assert keys(mirror) == {"a.jpg", "mine.jpg"}
    said = lines(capsys)
    assert f"{mirror.folder}/a.jpg is not mirrored: No space left on device." in said
    assert f"{mirror.index.path} is not mirrored: No space left on device." in said
    assert len(said) == 2
    turn(mirror)
    assert (mirror.folder / "a.jpg").read_bytes() == b"in the bucket"
    assert mirror.index.path.exists()


def test_what_s3_refuses_is_said_and_the_next_goes_on(
    mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject"}
    policy = {"Statement": [refused | {"Resource": f"arn:aws:s3:::{mirror.bucket}/no.jpg"}]}
    mirror.s3.put_bucket_policy(Bucket=mirror.bucket, Policy=json.dumps(policy))
    (mirror.folder / "no.jpg").write_bytes(b"x")
    (mirror.folder / "photo.jpg").write_bytes(b"x")
    turn(mirror, 4)
    assert keys(mirror) == {"photo.jpg"}
    assert capsys.readouterr().err.count("no.jpg is not mirrored: ") == 1


def test_a_name_of_two_lines_is_a_key_like_any_other(mirror: Mirror) -> None:
    (mirror.folder / "two\nlines.jpg").write_bytes(b"x")
    turn(mirror, 4)
    assert keys(mirror) == {"two\nlines.jpg"}


def test_a_bucket_that_cannot_be_listed_loses_nothing(
    mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    (mirror.folder / "photo.jpg").write_bytes(b"x")
    turn(mirror)
    mirror.contents.bucket = "never-made"
    turn(mirror)
    assert "NoSuchBucket: never-made" in capsys.readouterr().err
    mirror.contents.bucket = mirror.bucket
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


@pytest.mark.parametrize("target", ["moved", "empty"])
def test_a_folder_that_became_a_link_deletes_nothing(
    mirror: Mirror, tmp_path: Path, target: str
) -> None:
    album = mirror.folder / "album"
    put(mirror, "album/x.jpg")
    turn(mirror)
    album.rename(tmp_path / "moved")
    (tmp_path / "empty").mkdir()
    album.symlink_to(tmp_path / target)
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
    turn(mirror)

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
    turn(mirror)
    put(mirror, "a/b")
    put(mirror, "a/b/c")

    fetched = watched(mirror, monkeypatch)
    turn(mirror, 3)
    assert fetched == []
    assert len(lines(capsys)) == 2
    assert keys(mirror) == {"a", "a/b", "a/b/c"}
    (mirror.folder / "a").unlink()
    turn(mirror)
    assert keys(mirror) == {"a/b", "a/b/c"}
    assert any((mirror.folder / "a").iterdir())


def test_a_folder_that_is_gone_is_said_to_be(
    mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    put(mirror, "a.jpg")
    turn(mirror)
    (mirror.folder / "a.jpg").unlink()
    mirror.folder.rmdir()
    turn(mirror)
    assert lines(capsys) == [
        f"{mirror.folder} is not mirrored: it is gone, and so all that was in it goes."
    ]
    assert keys(mirror) == set()
    put(mirror, "b.jpg")
    turn(mirror)
    assert (mirror.folder / "b.jpg").exists()


def test_a_file_in_place_of_a_folder_is_as_good_as_a_deletion(mirror: Mirror) -> None:
    put(mirror, "a")
    turn(mirror)
    (mirror.folder / "a").unlink()
    (mirror.folder / "a").mkdir()
    (mirror.folder / "a" / "b").write_bytes(b"x")
    turn(mirror)
    assert keys(mirror) == {"a/b"}


def test_an_object_that_soon_changes_again_is_fetched_once(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = watched(mirror, monkeypatch)
    for status in ("queued", "running", "done"):
        mirror.s3.put_object(Bucket=mirror.bucket, Key="record.json", Body=status.encode())
        mirror.sync()
    turn(mirror, 3)
    assert fetched == ["record.json"]
    assert (mirror.folder / "record.json").read_bytes() == b"done"


def test_many_large_objects_are_told_a_few_at_a_time(mirror: Mirror) -> None:
    """Each whole, with its own content, and none for one that went meanwhile."""
    large = {f"{n}.jpg": bytes([n]) * (ENOUGH_BYTES // 2 + n) for n in range(5)}
    for key, content in large.items():
        mirror.s3.put_object(
            Bucket=mirror.bucket, Key=key, Body=content, ContentType=f"image/{key}"
        )
    told = dict(mirror.contents.objects(["gone.jpg", *large]))
    assert {key: one.content for key, one in told.items()} == large
    assert {key: one.content_type for key, one in told.items()} == {
        key: f"image/{key}" for key in large
    }
    turn(mirror)
    assert {path.name: path.read_bytes() for path in mirror.folder.iterdir()} == large


def test_of_two_keys_that_come_at_once_and_cannot_both_be_files_one_is(
    mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    put(mirror, "a")
    put(mirror, "a/b")
    turn(mirror, 4)
    [said] = lines(capsys)
    assert said.endswith(" is not mirrored: a file, a folder or a link is in the way.")
    assert keys(mirror) == {"a", "a/b"}
    assert len([path for path in mirror.folder.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("origin", ["bucket", "folder"])
def test_metadata_that_a_copy_onto_itself_changes_are_kept(mirror: Mirror, origin: str) -> None:
    if origin == "bucket":
        put(mirror, "a.jpg")
    else:
        (mirror.folder / "a.jpg").write_bytes(b"in the folder")
    turn(mirror, 3)
    mirror.s3.copy_object(
        Bucket=mirror.bucket,
        Key="a.jpg",
        CopySource={"Bucket": mirror.bucket, "Key": "a.jpg"},
        Metadata={"strategy": "richzhang"},
        ContentType="image/jpeg",
        MetadataDirective="REPLACE",
    )
    turn(mirror)
    again = Mirror(mirror.s3, mirror.bucket, mirror.folder, Index(mirror.index.path))
    mirror.s3.delete_object(Bucket=mirror.bucket, Key="a.jpg")
    again.restore()
    head = mirror.s3.head_object(Bucket=mirror.bucket, Key="a.jpg")
    assert (head["ContentType"], head["Metadata"]) == ("image/jpeg", {"strategy": "richzhang"})


def test_a_store_that_hung_up_is_asked_again(mirror: Mirror) -> None:
    put(mirror, "a.jpg")
    turn(mirror)
    assert mirror.contents.connection.sock is not None
    mirror.contents.connection.sock.shutdown(socket.SHUT_RDWR)
    put(mirror, "b.jpg")
    turn(mirror)
    assert {path.name for path in mirror.folder.iterdir()} == {"a.jpg", "b.jpg"}


def test_only_who_sends_the_header_is_told(store: str, mirror: Mirror) -> None:
    """A page of another site cannot, unless it is allowed to."""
    put(mirror, "a.jpg")
    address = f"{store}{PATH}?bucket={mirror.bucket}"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address)
    other = {HEADER: "yes", "Origin": "https://example.org"}
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(address, headers=other))
    with urllib.request.urlopen(urllib.request.Request(address, headers={HEADER: "yes"})) as reply:
        assert list(json.load(reply)) == ["a.jpg"]


def test_a_hidden_file_stays_where_it_is(mirror: Mirror) -> None:
    (mirror.folder / ".DS_Store").write_bytes(b"x")
    turn(mirror, 4)
    assert (mirror.folder / ".DS_Store").exists()
    assert keys(mirror) == set()


def test_a_file_that_still_grows_is_not_uploaded(mirror: Mirror) -> None:
    with (mirror.folder / "photo.jpg").open("wb", buffering=0) as file:
        for _ in range(3):
            file.write(b"more")
            mirror.sync()
            assert keys(mirror) == set()
    mirror.sync()
    assert keys(mirror) == {"photo.jpg"}


def test_a_file_that_changed_while_the_stack_was_down_is_an_upload(mirror: Mirror) -> None:
    for name in ("same.jpg", "changed.jpg"):
        (mirror.folder / name).write_bytes(b"x")
    turn(mirror)
    for name in ("same.jpg", "changed.jpg"):
        mirror.s3.delete_object(Bucket=mirror.bucket, Key=name)
    (mirror.folder / "changed.jpg").write_bytes(b"another")
    again = Mirror(mirror.s3, mirror.bucket, mirror.folder, Index(mirror.index.path))
    again.restore()
    assert keys(again) == {"same.jpg"}  # which is no event yet
    turn(again)
    assert keys(again) == {"same.jpg", "changed.jpg"}
    again.contents.connection.close()
