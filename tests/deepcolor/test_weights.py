from __future__ import annotations

import hashlib
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from deepcolor import weights
from deepcolor.card import License, StrategyCard, WeightFile
from deepcolor.errors import (
    WeightsBrokenOffError,
    WeightsCorruptError,
    WeightsFolderError,
    WeightsMissingError,
    WeightsPackageError,
)

CONTENT = bytes(range(256)) * 9000  # more than two chunks
KEPT = f"{hashlib.sha256(CONTENT).hexdigest()[:12]}-net-1.pth"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEEPCOLOR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights, "PAUSE_SECONDS", 0)
    return tmp_path / "home"


@pytest.fixture
def part(home: Path) -> Path:
    """A million bytes of a fetch that broke off."""
    part = home / f"weights/.{KEPT}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:1_000_000])
    return part


@pytest.fixture
def card(file_server: Any) -> StrategyCard:
    file_server.files["/net.pth"] = CONTENT
    file = WeightFile(
        filename="net-1.pth",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        url=f"{file_server.url}/net.pth",
    )
    return StrategyCard(
        name="served",
        title="Served",
        description="",
        url="",
        license=License("MIT", "MIT"),
        training_data="none",
        size=64,
        weights=(file,),
    )


def with_file(card: StrategyCard, **changes: Any) -> StrategyCard:
    return replace(card, weights=(replace(card.weights[0], **changes),))


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_fetched_once_and_kept(card: StrategyCard, home: Path, file_server: Any) -> None:
    assert "are not here yet" in (weights.problem(card) or "")
    located = weights.locate(card)
    assert located == {"net-1.pth": home / f"weights/{KEPT}"}
    assert located["net-1.pth"].read_bytes() == CONTENT
    assert weights.locate(card) == located
    assert file_server.asked == ["/net.pth"]
    assert weights.problem(card) is None
    assert list(files_below(home)) == [located["net-1.pth"]]


def test_progress_is_told(card: StrategyCard) -> None:
    heard: list[tuple[str, int]] = []
    weights.locate(card, lambda file, received: heard.append((file.filename, received)))
    assert [name for name, _ in heard] == ["net-1.pth"] * len(heard)
    assert len(heard) >= 3
    assert [received for _, received in heard] == sorted({received for _, received in heard})
    assert heard[-1][1] == len(CONTENT)


def test_nothing_lies_at_the_final_path_before_it_is_verified(
    card: StrategyCard, home: Path
) -> None:
    target = home / f"weights/{KEPT}"
    seen = set()
    weights.locate(card, lambda *_: seen.add(target.exists()))
    assert seen == {False}


def test_a_cut_off_file_is_fetched_anew(card: StrategyCard, home: Path, file_server: Any) -> None:
    target = home / f"weights/{KEPT}"
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT[:1000])
    assert weights.problem(card) is not None
    weights.locate(card)
    assert target.read_bytes() == CONTENT
    assert file_server.asked == ["/net.pth"]


def test_a_wrong_hash_leaves_nothing(card: StrategyCard, home: Path) -> None:
    with pytest.raises(WeightsCorruptError, match=f"instead of {'0' * 64}") as caught:
        weights.locate(with_file(card, sha256="0" * 64))
    assert (caught.value.code, caught.value.exit_code) == ("weights_corrupt", 3)
    assert list(files_below(home)) == []


@pytest.mark.parametrize("ranges", [False, True])
def test_a_wrong_size_leaves_nothing(
    card: StrategyCard, home: Path, file_server: Any, ranges: bool
) -> None:
    file_server.ranges = ranges
    with pytest.raises(WeightsCorruptError, match="2,304,000 bytes instead of 2,304,001"):
        weights.locate(with_file(card, bytes=len(CONTENT) + 1))
    assert list(files_below(home)) == []


def test_what_came_before_the_connection_broke_is_kept(
    card: StrategyCard, home: Path, file_server: Any
) -> None:
    file_server.cut_off = 1_500_000
    with pytest.raises(WeightsBrokenOffError) as caught:
        weights.locate(card)
    assert str(caught.value) == (
        "The weights of 'served' (net-1.pth) are not here yet, for the connection broke after "
        "1,500,000 of 2,304,000 bytes (the server closed it); "
        "run 'deepcolor weights fetch served' to go on from there."
    )
    assert (caught.value.code, caught.value.exit_code) == ("weights_missing", 3)
    assert isinstance(caught.value, WeightsMissingError)
    [part] = files_below(home)
    assert part.read_bytes() == CONTENT[:1_500_000]
    file_server.cut_off, file_server.ranges, file_server.sent = None, True, 0
    assert weights.locate(card)["net-1.pth"].read_bytes() == CONTENT
    assert file_server.sent == 804_000


@pytest.mark.parametrize(("cut_off", "times"), [(1_500_000, 2), (200_000, 12)])
def test_a_broken_connection_is_taken_up_where_it_broke_however_often(
    card: StrategyCard, home: Path, file_server: Any, cut_off: int, times: int
) -> None:
    file_server.cut_off, file_server.ranges = cut_off, True
    assert weights.locate(card)["net-1.pth"].read_bytes() == CONTENT
    assert len(file_server.asked) == times
    assert file_server.sent == len(CONTENT)
    assert len(list(files_below(home))) == 1


def test_a_part_outlives_a_network_that_is_down(
    card: StrategyCard, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "PAUSE_SECONDS", 0.02)
    begin = time.monotonic()
    with pytest.raises(WeightsBrokenOffError, match=r"1,000,000 of 2,304,000 bytes \(.*refused"):
        weights.locate(with_file(card, url="http://127.0.0.1:9/net.pth"))
    assert time.monotonic() - begin >= 0.02 * (1 + 2 + 4 + 8)
    assert part.read_bytes() == CONTENT[:1_000_000]


def test_a_network_that_comes_back_is_waited_for(
    card: StrategyCard, part: Path, file_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def come_back(seconds: float) -> None:
        file_server.raw = None

    file_server.raw, file_server.ranges = b"", True
    monkeypatch.setattr(time, "sleep", come_back)
    assert weights.locate(card)["net-1.pth"].read_bytes() == CONTENT
    assert file_server.sent == len(CONTENT) - 1_000_000
    assert not part.exists()


@pytest.mark.parametrize("rest", [b"not the rest", bytes(len(CONTENT))])
def test_a_part_of_something_else_is_not_kept(
    card: StrategyCard, home: Path, part: Path, file_server: Any, rest: bytes
) -> None:
    file_server.ranges = True
    part.write_bytes(rest)
    with pytest.raises(WeightsCorruptError, match="the sha256 is"):
        weights.locate(card)
    part.write_bytes(CONTENT + b"!")
    with pytest.raises(WeightsCorruptError, match="2,304,001 bytes instead"):
        weights.locate(card)
    assert list(files_below(home)) == []


def test_a_full_disk_keeps_what_it_took(card: StrategyCard, part: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_234_567, limits[1]))
    try:
        with pytest.raises(WeightsBrokenOffError, match=r"1,234,567 of .* \(.*File too large"):
            weights.locate(card)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert part.read_bytes() == CONTENT[:1_234_567]


def test_a_killed_fetch_is_taken_up_by_the_next(
    card: StrategyCard, home: Path, file_server: Any
) -> None:
    def die_on_the_way(file: WeightFile, received: int) -> None:
        if received > len(CONTENT) // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weights.locate(card, die_on_the_way)
    assert weights.problem(card) is not None
    (part,) = files_below(home)
    left = part.stat().st_size
    assert 0 < left < len(CONTENT)
    file_server.ranges, file_server.sent = True, 0
    assert weights.locate(card)["net-1.pth"].read_bytes() == CONTENT
    assert file_server.sent == len(CONTENT) - left
    assert len(list(files_below(home))) == 1


def test_offline_nothing_is_asked_for(
    card: StrategyCard, file_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCOLOR_OFFLINE", "1")
    with pytest.raises(WeightsMissingError, match="fetching is off; fetch http"):
        weights.locate(card)
    assert file_server.asked == []


@pytest.mark.parametrize(("told", "is_so"), [("", False), ("0", False), ("1", True)])
def test_offline_is_what_is_set_to_anything_but_0(
    monkeypatch: pytest.MonkeyPatch, told: str, is_so: bool
) -> None:
    monkeypatch.setenv("DEEPCOLOR_OFFLINE", told)
    assert weights.is_offline() is is_so


def test_a_failed_fetch_keeps_what_was_there(card: StrategyCard, home: Path) -> None:
    target = home / f"weights/{KEPT}"
    weights.locate(card)
    with pytest.raises(WeightsCorruptError):
        weights.locate(with_file(card, bytes=1))
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("reply", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 500 no\r\n\r\n"])
def test_a_server_that_makes_no_sense(
    card: StrategyCard, home: Path, file_server: Any, reply: bytes
) -> None:
    file_server.raw = reply
    with pytest.raises(WeightsMissingError) as caught:
        weights.locate(card)
    assert (caught.value.code, caught.value.exit_code) == ("weights_missing", 3)
    assert list(files_below(home)) == []


def test_a_file_that_is_not_served(card: StrategyCard, home: Path, file_server: Any) -> None:
    url = f"{file_server.url}/moved.pth"
    with pytest.raises(WeightsMissingError, match="Not Found") as caught:
        weights.locate(with_file(card, url=url))
    sentence = str(caught.value)
    assert sentence.startswith("The weights of 'served' (net-1.pth) are not here and could not be")
    assert "; name a mirror that has them in DEEPCOLOR_WEIGHTS_URL, or fetch " in sentence
    assert sentence.endswith(f"fetch {url} by other means and put it at {home}/weights/{KEPT}.")
    assert list(files_below(home)) == []


def test_nobody_listens(card: StrategyCard, home: Path) -> None:
    with pytest.raises(WeightsMissingError, match="refused"):
        weights.locate(with_file(card, url="http://127.0.0.1:9/net.pth"))
    assert list(files_below(home)) == []


@pytest.mark.parametrize("url", ["/srv/weights", "weights", "http://[::1", "gopher://x", "http://"])
def test_a_mirror_that_is_no_address(
    card: StrategyCard, home: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DEEPCOLOR_WEIGHTS_URL", url)
    with pytest.raises(WeightsMissingError):
        weights.locate(card)
    assert list(files_below(home)) == []


def test_a_folder_that_cannot_be(card: StrategyCard, home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(WeightsFolderError, match="set DEEPCOLOR_HOME to a folder") as caught:
        weights.locate(card)
    assert f"cannot be kept in {home}/weights" in str(caught.value)
    assert (caught.value.code, caught.value.exit_code) == ("weights_folder", 3)
    assert home.read_text() == "a file where the folder should be"


@pytest.fixture
def no_root(tmp_path: Path) -> Iterator[None]:
    """Root may write everywhere; for a while this process is somebody else."""
    if os.geteuid() != 0:
        yield
        return
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.mark.usefixtures("no_root")
def test_a_folder_that_may_not_be_written(card: StrategyCard, home: Path) -> None:
    with pytest.raises(WeightsFolderError, match="Permission denied"):
        weights.locate(card)
    assert not home.exists()


def test_a_mirror_takes_the_publishers_place(
    card: StrategyCard, file_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_server.files = {"/mirror/net-1.pth": CONTENT}
    monkeypatch.setenv("DEEPCOLOR_WEIGHTS_URL", f"{file_server.url}/mirror/")
    assert weights.locate(card)["net-1.pth"].read_bytes() == CONTENT
    assert file_server.asked == ["/mirror/net-1.pth"]


def test_a_mirror_that_lacks_a_file_is_named(
    card: StrategyCard, home: Path, file_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCOLOR_WEIGHTS_URL", f"{file_server.url}/mirror")
    with pytest.raises(WeightsMissingError, match=f"fetch {file_server.url}/mirror/net-1.pth by"):
        weights.locate(card)
    assert file_server.asked == ["/mirror/net-1.pth"]  # and not the publisher
    assert list(files_below(home)) == []


def test_a_mirror_does_not_replace_what_a_package_carries(
    card: StrategyCard, file_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCOLOR_WEIGHTS_URL", file_server.url)
    carried = with_file(card, url=None, package="deepcolor", filename="lost.safetensors")
    with pytest.raises(WeightsPackageError, match="the file is not there"):
        weights.locate(carried)
    assert file_server.asked == []


def test_a_mirror_in_a_folder(
    card: StrategyCard, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / "our weights"
    mirror.mkdir()
    monkeypatch.setenv("DEEPCOLOR_WEIGHTS_URL", mirror.as_uri())
    with pytest.raises(WeightsMissingError, match="No such file"):
        weights.locate(card)
    (mirror / "net-1.pth").write_bytes(CONTENT)
    # Half of it is here from a fetch that was killed.
    (home / f"weights/.{KEPT}.part").write_bytes(CONTENT[:1_000_000])
    assert weights.locate(card)["net-1.pth"].read_bytes() == CONTENT
    assert len(list(files_below(home))) == 1


def test_a_mirror_in_a_bucket(
    card: StrategyCard, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="models")
        s3.put_object(Bucket="models", Key="color/net-1.pth", Body=CONTENT)
        monkeypatch.setenv("DEEPCOLOR_WEIGHTS_URL", "s3://models/elsewhere")
        with pytest.raises(WeightsMissingError, match="NoSuchKey"):
            weights.locate(card)
        monkeypatch.setenv("DEEPCOLOR_WEIGHTS_URL", "s3://models/color")
        with pytest.raises(WeightsCorruptError, match="2,304,000 bytes instead of"):
            weights.locate(with_file(card, bytes=len(CONTENT) + 1))
        (home / f"weights/.{KEPT}.part").write_bytes(CONTENT[:1_000_000])
        assert weights.locate(card)["net-1.pth"].read_bytes() == CONTENT
    finally:
        server.stop()
    assert len(list(files_below(home))) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "the file is not there, or not all of it"),
        (CONTENT[:-1], "it has 2,303,999 bytes instead of 2,304,000"),
        (CONTENT[::-1], f"the sha256 is {hashlib.sha256(CONTENT[::-1]).hexdigest()} instead of "),
    ],
)
def test_a_package_that_does_not_carry_what_its_card_says(
    card: StrategyCard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    problem: str,
) -> None:
    package = tmp_path / "painters"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "painters", raising=False)
    carried = with_file(card, url=None, package="painters")
    (package / "net-1.pth").write_bytes(CONTENT)
    assert weights.locate(carried) == {"net-1.pth": package / "net-1.pth"}
    (package / "net-1.pth").unlink()
    if content is not None:
        (package / "net-1.pth").write_bytes(content)
    with pytest.raises(WeightsPackageError) as caught:
        weights.locate(carried)
    told = str(caught.value)
    assert f"'served' in its package ({package / 'net-1.pth'}) are not those of its card" in told
    assert problem in told
    assert "; install the package anew or, if it is yours, see that it is built with" in told
    assert (caught.value.code, caught.value.exit_code) == ("weights_corrupt", 3)
    if content != CONTENT[::-1]:  # whose size alone tells nothing
        assert "install the package anew" in (weights.problem(carried) or "")


def test_new_weights_of_an_old_name_are_fetched(card: StrategyCard, file_server: Any) -> None:
    """Of the same size, as a network trained once more has them; and both may be used."""
    newer = CONTENT[::-1]
    file_server.files["/newer.pth"] = newer
    retrained = with_file(
        card, url=f"{file_server.url}/newer.pth", sha256=hashlib.sha256(newer).hexdigest()
    )
    assert weights.locate(card)["net-1.pth"].read_bytes() == CONTENT
    assert "are not here yet" in (weights.problem(retrained) or "")
    assert weights.locate(retrained)["net-1.pth"].read_bytes() == newer
    assert weights.locate(card)["net-1.pth"].read_bytes() == CONTENT
    assert file_server.asked == ["/net.pth", "/newer.pth"]


def test_the_weights_of_a_strategy_have_one_name(card: StrategyCard) -> None:
    [file] = card.weights
    other = replace(file, filename="net-2.pth", sha256="0" * 64)
    assert weights.identity(card) == file.sha256
    both = weights.identity(replace(card, weights=(file, other)))
    assert len(both) == 64
    assert both not in {file.sha256, other.sha256}
    assert both != weights.identity(replace(card, weights=(other, file)))


def test_where_weights_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere/cache")
    monkeypatch.setenv("DEEPCOLOR_HOME", "/chosen")
    assert weights.home() == Path("/chosen/weights")
    monkeypatch.delenv("DEEPCOLOR_HOME")
    assert weights.home() == Path("/somewhere/cache/deepcolor/weights")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert weights.home() == tmp_path / ".cache/deepcolor/weights"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert weights.home() == tmp_path / ".cache/deepcolor/weights"


def test_who_has_no_home_has_what_packages_carry() -> None:
    """As the users of containers that the system does not know."""
    code = """
import os, pathlib
from deepcolor import registry, weights
def homeless(path):
    raise RuntimeError("Could not determine home directory.")
pathlib.Path.expanduser = homeless
for strategy in registry.manifest()["strategies"]:
    print(strategy["name"], strategy["ready"], strategy["problem"])
"""
    unset = {"HOME", "XDG_CACHE_HOME", "DEEPCOLOR_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert told["colornet"] == "True None"
    assert told["richzhang"].startswith("False Weights cannot be kept in ~/.cache/deepcolor")
    assert "set DEEPCOLOR_HOME" in told["richzhang"]


def test_who_waited_for_a_file_that_was_deleted_meanwhile_gets_a_new_one(part: Path) -> None:
    waiting, ended = Event(), Event()

    def wait() -> int:
        waiting.set()
        with weights._locked(part) as out:
            assert ended.is_set()
            out.write(b"new")
            return part.stat().st_size

    with ThreadPoolExecutor(1) as pool:
        with weights._locked(part):
            size = pool.submit(wait)
            waiting.wait()
            time.sleep(0.2)  # until it waits for the lock, if it is to have the deleted file
            part.unlink()
            ended.set()
        assert size.result() == 3


def test_who_fetches_beside_another_waits_and_asks_for_nothing(
    card: StrategyCard, file_server: Any
) -> None:
    begun, go_on = Event(), Event()

    def hold(*_: object) -> None:
        begun.set()
        assert go_on.wait(20)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(weights.locate, card, hold)
        assert begun.wait(20)
        second = pool.submit(weights.locate, card)
        try:
            with pytest.raises(TimeoutError):
                second.result(0.5)
        finally:
            go_on.set()
        assert first.result() == second.result()
    assert len(file_server.asked) == 1


def test_a_server_without_end_fills_no_disk(
    card: StrategyCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Endless:
        given = 0

        def read(self, size: int) -> bytes:
            self.given += size
            assert self.given < card.weights[0].bytes + 2 * weights.CHUNK
            return bytes(size)

    monkeypatch.setattr(weights, "opened", lambda _, start: nullcontext((Endless(), start)))
    with pytest.raises(WeightsCorruptError, match="bytes instead of"):
        weights.locate(card)


def test_a_server_that_falls_silent(card: StrategyCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepcolor.transport.TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/net.pth"
        with pytest.raises(WeightsMissingError, match="timed out"):
            weights.locate(with_file(card, url=url))
