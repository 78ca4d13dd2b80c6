from __future__ import annotations

import functools
import hashlib
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deepcolor.builtin.colornet import WEIGHTS
from deepcolor.builtin.richzhang import RichZhang
from deepcolor.cli.progress import Progress

CONTENT = b"some weights" * 1000
KEPT = f"{hashlib.sha256(CONTENT).hexdigest()[:12]}-{RichZhang.card.weights[0].filename}"


@pytest.fixture
def served(file_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """richzhang's card, with a file on loopback in place of the published one."""
    file_server.files["/net.pth"] = CONTENT
    file = replace(
        RichZhang.card.weights[0],
        url=f"{file_server.url}/net.pth",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )
    monkeypatch.setattr(RichZhang, "card", replace(RichZhang.card, weights=(file,)))
    return file_server


def test_fetch_verify_and_path(run: Any, folder: Path, served: Any) -> None:
    path = folder / "home/weights" / KEPT
    assert run("weights", "path", "richzhang").stdout == f"{path}\n"
    assert run("weights", "path").stdout == f"{folder / 'home/weights'}\n"
    assert "not here" in run("weights", "verify", "richzhang").stdout
    assert run("weights", "verify", "richzhang").exit_code == 3
    fetched = run("weights", "fetch", "richzhang")
    assert (fetched.exit_code, fetched.stdout) == (0, f"{path}\n")
    assert path.read_bytes() == CONTENT
    assert run("weights", "verify").exit_code == 0
    path.write_bytes(CONTENT[::-1])
    bad = run("weights", "verify")
    assert bad.exit_code == 3
    assert f"BAD       {path}: the sha256 is " in bad.stdout
    assert "; delete it and fetch again\n" in bad.stdout
    assert served.asked == ["/net.pth"]


def test_what_a_package_carries_cannot_be_fetched_again(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = run("weights", "verify", "colornet")
    assert good.exit_code == 0
    assert good.stdout.split()[:2] == ["colornet", "good"]
    path = tmp_path / WEIGHTS.filename
    path.write_bytes(bytes(WEIGHTS.bytes))
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    bad = run("weights", "verify", "colornet")
    assert bad.exit_code == 3
    assert bad.stdout.startswith(f"colornet BAD       {path}: the sha256 is ")
    assert bad.stdout.endswith("; install its package anew\n")
    path.unlink()
    listed = run("strategies").stdout
    assert f"The weights of 'colornet' in its package ({path}) are not those of its card" in listed
    for command in (("weights", "fetch", "colornet"), ("colorize", "photo.jpg")):
        told = run(*command)
        assert told.exit_code == 3
        assert "install the package anew" in told.stderr


def test_weights_that_may_not_be_read(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("deepcolor.weights.sha256_of", refused)
    told = run("weights", "verify", "colornet")
    assert told.exit_code == 1
    assert f"{WEIGHTS.filename} cannot be read: Permission denied; " in told.stderr


@pytest.mark.usefixtures("served")
def test_a_wrong_file_is_exit_code_three(run: Any, folder: Path, served: Any) -> None:
    served.files["/net.pth"] = CONTENT[::-1]
    result = run("weights", "fetch", "richzhang")
    assert result.exit_code == 3
    assert "are not the published ones" in result.stderr
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    "arguments",
    [
        ["weights", "fetch", "richzhang"],
        ["colorize", "photo.png", "-s", "richzhang"],
        ["evaluate", ".", "-s", "richzhang"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_whoever_fetches_shows_how_far(
    run: Any, monkeypatch: pytest.MonkeyPatch, arguments: list[str], landscape: Image.Image
) -> None:
    landscape.save("photo.png")
    monkeypatch.setattr(RichZhang, "prepare", lambda *_: None)
    monkeypatch.setattr(RichZhang, "predict", lambda _, l, *__: l.new_zeros(len(l), 2, 8, 8))
    monkeypatch.setattr("deepcolor.cli.fetching.Progress", functools.partial(Progress, shown=True))
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    name = RichZhang.card.weights[0].filename
    assert f"█ 0/0 MB {name}" in result.stderr  # 12 kB
    assert result.stderr.endswith("\r")  # made room


def test_a_mirror_without_a_scheme_is_told_what_a_folder_needs(
    run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCOLOR_WEIGHTS_URL", str(folder))
    result = run("weights", "fetch", "richzhang")
    assert result.exit_code == 3
    assert "a folder's begins with file://" in result.stderr
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_an_unknown_strategy(run: Any) -> None:
    result = run("weights", "fetch", "richzang")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean 'richzhang'?" in result.stderr


def test_the_list(run: Any) -> None:
    lines = run("weights", "list").stdout.splitlines()
    line_of = {line.split()[0]: line for line in lines}
    assert "  here " in line_of["colornet"]
    assert "129.0 MB  not here" in line_of["richzhang"]
    assert len({line.index(" MB ") for line in lines}) == 1  # one below the other


def test_the_doctor_tells_what_is_missing(run: Any) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    for part in ("deepcolor        0.", "torch", "colornet         ready", "fetch richzhang"):
        assert part in result.stdout
