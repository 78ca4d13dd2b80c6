"""A gray photograph falls into the bucket, a color one comes out: the real stack, each way in."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

from infra.local.cloud import Cloud
from infra.local.mirror import Mirror
from infra.local.ports import free_port
from infra.local.stack import Piece, Stack
from tests.end_to_end.running_stack import (
    DONE_SECONDS,
    ROOT,
    RunningStack,
    chroma,
    eventually,
    start_stack,
)

CLEARLY_COLORED = 3.0


def test_the_welcome_names_page_endpoint_and_folder(stack: RunningStack) -> None:
    assert f"aws --endpoint-url {stack.s3_endpoint}" in stack.welcome
    assert "s3 cp photo.jpg s3://deepcolor-uploads/colornet/album/photo.jpg" in stack.welcome
    assert str(stack.folder / "uploads") in stack.welcome
    with urllib.request.urlopen(f"{stack.page}health") as reply:
        assert reply.status == 200


def test_an_s3_upload_is_colored(stack: RunningStack, photographs: list[Path]) -> None:
    key = "colornet/album/first.jpg"
    stack.s3.upload_file(str(photographs[0]), "deepcolor-uploads", key)
    record = stack.finished(key)
    assert record["status"] == "done", record["error"]
    assert record["strategy"] == "colornet"
    colored = stack.result(key)
    with Image.open(io.BytesIO(colored)) as out, Image.open(photographs[0]) as original:
        assert out.size == original.size
        assert out.format == original.format
    assert chroma(colored) > CLEARLY_COLORED
    head = stack.s3.head_object(Bucket="deepcolor-results", Key=key)
    source = stack.s3.head_object(Bucket="deepcolor-uploads", Key=key)
    assert head["Metadata"]["source-etag"] == source["ETag"].strip('"')
    assert head["Metadata"]["strategy"] == "colornet"


def test_the_api_as_the_docs_tell(
    stack: RunningStack, photographs: list[Path], tmp_path: Path
) -> None:
    if not (shutil.which("curl") and shutil.which("jq")):
        pytest.skip("no curl or no jq on the path")
    shutil.copy(photographs[0], tmp_path / "photo.jpg")
    page = (ROOT / "docs" / "api.md").read_text()
    script = "".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    assert "http://127.0.0.1:8000" in script
    script = script.replace("http://127.0.0.1:8000", stack.page.rstrip("/"))
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    run = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=DONE_SECONDS
    )
    assert run.returncode == 0, run.stderr
    assert chroma((tmp_path / "color.jpg").read_bytes()) > CLEARLY_COLORED
    [shown] = re.findall(r"^```\n(urn:.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert run.stdout.endswith(f'done\n"waiting"\n{shown}')


def test_the_s3_command_line_uploads(
    stack: RunningStack, photographs: list[Path], tmp_path: Path
) -> None:
    """By README's lines, in a shell that knows nothing of AWS."""
    if shutil.which("aws") is None:
        pytest.skip("no aws command on the path")
    [block] = re.findall(r"```sh\n( *local_aws.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    block = block.replace("http://127.0.0.1:9000", stack.s3_endpoint)
    *upload, download = textwrap.dedent(block).splitlines()
    shutil.copy(photographs[0], tmp_path / "photo.jpg")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def type_in(*lines: str) -> None:
        subprocess.run(
            ["sh", "-e", "-c", "\n".join(lines)], check=True, cwd=tmp_path, env=environment
        )

    type_in(*upload)
    assert stack.finished("colornet/album/photo.jpg")["status"] == "done"
    type_in(*upload[:-1], download)
    assert chroma((tmp_path / "color.jpg").read_bytes()) > CLEARLY_COLORED


def test_a_file_in_the_folder_is_colored_into_the_folder(
    stack: RunningStack, photographs: list[Path]
) -> None:
    name = "Großmutter's album/50 % + #1.jpg"
    target = stack.folder / "uploads" / name
    target.parent.mkdir(parents=True)
    shutil.copy(photographs[1], target)
    result = stack.folder / "results" / name
    eventually(result.exists, f"the result of {name} in the folder")
    assert chroma(result.read_bytes()) > CLEARLY_COLORED
    record = stack.folder / "results" / "records" / f"{name}.json"
    eventually(record.exists, "the record in the folder")


def test_what_is_no_image_fails_with_a_sentence_and_the_next_is_colored(
    stack: RunningStack, photographs: list[Path]
) -> None:
    stack.s3.put_object(Bucket="deepcolor-uploads", Key="notes.jpg", Body=b"no photograph at all")
    stack.s3.upload_file(str(photographs[2]), "deepcolor-uploads", "after.jpg")
    record = stack.finished("notes.jpg")
    assert record["status"] == "failed"
    assert record["error"]["code"] == "not_a_photograph"
    assert record["error"]["message"].endswith(".")
    assert stack.finished("after.jpg")["status"] == "done"


def test_a_strategy_without_weights_fails_with_a_cure(
    stack: RunningStack, photographs: list[Path]
) -> None:
    card = _strategies(stack)["richzhang"]
    if card["ready"]:
        pytest.skip("the weights of richzhang are here")
    stack.s3.upload_file(str(photographs[0]), "deepcolor-uploads", "richzhang/a.jpg")
    record = stack.finished("richzhang/a.jpg")
    if record["status"] == "done":
        pytest.skip("the weights of richzhang could be fetched")
    assert record["error"]["code"] == "weights_missing"


def test_an_upload_over_another_is_a_new_order(
    stack: RunningStack, photographs: list[Path]
) -> None:
    key = "twice.jpg"
    stack.s3.upload_file(str(photographs[0]), "deepcolor-uploads", key)
    first = stack.finished(key)
    stack.s3.upload_file(str(photographs[1]), "deepcolor-uploads", key)

    def second() -> dict[str, object] | None:
        record = stack.record(key)
        return record if record and record["order"] == 2 and record["status"] == "done" else None

    assert eventually(second, "the second order")["source"] != first["source"]
    with Image.open(io.BytesIO(stack.result(key))) as out, Image.open(photographs[1]) as original:
        assert out.size == original.size


def test_a_deleted_file_goes_from_the_bucket_too(
    stack: RunningStack, photographs: list[Path]
) -> None:
    key = "passing.jpg"
    stack.s3.upload_file(str(photographs[0]), "deepcolor-uploads", key)
    result = stack.folder / "results" / key
    stack.finished(key)
    eventually(result.exists, "the result in the folder")
    result.unlink()

    def gone() -> bool:
        listing = stack.s3.list_objects_v2(Bucket="deepcolor-results", Prefix=key)
        return listing["KeyCount"] == 0

    eventually(gone, "the deletion in the bucket")


def test_a_restart_finds_everything_again(tmp_path: Path, photographs: list[Path]) -> None:
    # Whatever clouds and proxies the shell knows of: all of this stays here.
    shell = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_PROFILE": "work"}
    proxy = {"http_proxy": "http://127.0.0.1:9", "no_proxy": "example.org"}
    first = start_stack(tmp_path / "bucket", shell | proxy)
    first.s3.upload_file(str(photographs[0]), "deepcolor-uploads", "colornet/old.jpg")
    before = first.finished("colornet/old.jpg")
    colored = first.result("colornet/old.jpg")
    assert first.stop() == 0
    assert _children_of(first.folder) == []
    shutil.copy(photographs[1], first.folder / "uploads" / "while-away.jpg")
    shutil.copy(photographs[1], first.folder / "uploads" / os.fsdecode(b"Gro\xdfmutter.jpg"))

    second = start_stack(tmp_path / "bucket")
    try:
        assert second.result("colornet/old.jpg") == colored
        assert second.record("colornet/old.jpg") == before
        metadata = second.s3.head_object(Bucket="deepcolor-results", Key="colornet/old.jpg")
        assert metadata["Metadata"]["strategy"] == "colornet"
        assert second.finished("while-away.jpg")["status"] == "done"
        assert second.record("colornet/old.jpg") == before
    finally:
        assert second.stop() == 0


def test_an_object_store_that_dies_ends_the_stack_with_a_sentence(tmp_path: Path) -> None:
    running = start_stack(tmp_path / "bucket")
    parent = ["-P", str(running.process.pid)]
    subprocess.run(["pkill", *parent, "-f", "infra.local.object_store"], check=True)
    assert running.process.wait(60) == 1
    said = (tmp_path / "bucket.out").read_text()
    assert "The object store ended by itself; the end of" in said
    assert "Traceback" not in said
    assert _children_of(running.folder) == []


def refused(*arguments: str) -> list[str]:
    """The lines that a stack says instead of starting."""
    run = subprocess.run(
        [sys.executable, "-m", "infra.local", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert run.returncode == 2
    return run.stderr.splitlines()


def test_a_taken_port_is_said_in_a_sentence(stack: RunningStack, tmp_path: Path) -> None:
    taken = stack.s3_endpoint.rpartition(":")[2]
    [said] = refused("--folder", str(tmp_path), "--s3-port", taken)
    assert said.startswith(f"Port {taken} is in use")


@pytest.mark.parametrize("port", ["0", "65536", "99999", "-1", "http", "²"])
def test_what_is_no_port_is_said_in_a_sentence(port: str) -> None:
    *_, said = refused(f"--page-port={port}")
    assert said.endswith(f"{port!r} is no port; give a number from 1 to 65535.")


def test_two_pieces_want_two_ports() -> None:
    *_, said = refused("--page-port=8123", "--s3-port=8123")
    assert said.endswith("--page-port and --s3-port are the same; give two ports.")
    found = free_port(None, near=8100)
    assert free_port(None, near=found, but=found) > found


def test_a_folder_belongs_to_one_stack(stack: RunningStack) -> None:
    log = stack.folder / ".stack" / "object-store.log"
    before = log.stat().st_ino
    [said] = refused("--folder", str(stack.folder))
    assert said.startswith(f"Another deepcolor runs on {stack.folder}; end it, or")
    assert log.stat().st_ino == before


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "bucket"
    file.write_text("a file")
    [said] = refused("--folder", str(file))
    assert said.startswith(f"{file} cannot be used (Not a directory: ")


def test_the_object_store_ends_even_if_the_last_look_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(mirror: Mirror) -> float:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(Mirror, "sync", fail)
    store = Piece("object store", ["-c", "import time; time.sleep(60)"], {}, tmp_path / "log")
    store.start()
    mirror = Mirror(Cloud("http://127.0.0.1:1").s3(), "b", tmp_path, tmp_path / "index")
    stack = Stack(tmp_path, 1, 2, pieces=[store], mirrors=[mirror])
    with pytest.raises(RuntimeError):
        stack.stop()
    assert not store.is_running()


def _strategies(stack: RunningStack) -> dict[str, dict[str, object]]:
    listing = json.loads(stack.result("strategies.json"))
    return {entry["name"]: entry for entry in listing["strategies"]}


def _children_of(folder: Path) -> list[str]:
    """Processes that still write into the stack's folder."""
    if not Path("/proc").is_dir():
        return []
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            log = (process / "fd" / "1").resolve()
        except OSError:
            continue
        if log.is_relative_to(folder):
            found.append(process.name)
    return found


def test_what_was_unfinished_is_colored_after_a_restart(
    tmp_path: Path, photographs: list[Path]
) -> None:
    first = start_stack(tmp_path / "bucket")
    first.s3.upload_file(str(photographs[0]), "deepcolor-uploads", "underway.jpg")
    first.finished("underway.jpg")
    assert first.stop() == 0
    for name in ("underway.jpg", "records/underway.jpg.json"):  # as if nobody had got that far
        (first.folder / "results" / name).unlink()
    second = start_stack(tmp_path / "bucket")
    try:
        assert second.finished("underway.jpg")["status"] == "done"
        assert (second.folder / ".stack/web-secret").stat().st_mode & 0o077 == 0
    finally:
        assert second.stop() == 0


def test_a_worker_that_dies_is_replaced(tmp_path: Path, photographs: list[Path]) -> None:
    running = start_stack(tmp_path / "bucket")
    try:
        parent = ["-P", str(running.process.pid)]
        subprocess.run(["pkill", "-KILL", *parent, "-f", "functions.colorize"], check=True)
        running.s3.upload_file(str(photographs[0]), "deepcolor-uploads", "after.jpg")
        assert running.finished("after.jpg")["status"] == "done"
    finally:
        assert running.stop() == 0
    assert "another takes over" in (tmp_path / "bucket.out").read_text()


def test_a_worker_that_fails_at_once_is_not_started_again_and_again(tmp_path: Path) -> None:
    """As when its code was broken while the stack runs: the reason is told, and all ends."""
    flag = tmp_path / "broken"
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        f"if 'functions.colorize' in sys.orig_argv and os.path.exists({str(flag)!r}):\n"
        "    print('SyntaxError: broken meanwhile', flush=True)\n"
        "    os._exit(1)\n"
    )
    running = start_stack(tmp_path / "bucket", {"PYTHONPATH": str(tmp_path)})
    flag.touch()
    parent = ["-P", str(running.process.pid)]
    subprocess.run(["pkill", "-KILL", *parent, "-f", "functions.colorize"], check=True)
    assert running.process.wait(60) == 1
    told = (tmp_path / "bucket.out").read_text()
    assert told.count("another takes over") == 1
    assert "SyntaxError: broken meanwhile" in told
