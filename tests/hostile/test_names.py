"""Folders from strangers, with links and names that are more than names: nothing leaves -o."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepcolor.files.coloring import IfThere, Outcome, color_files
from deepcolor.files.plan import Plan
from tests.deepcolor.conftest import SETTINGS
from tests.hostile.samples import samples

PHOTOGRAPH = samples("BMP")[0]  # whose result is a PNG
PNG = replace(SETTINGS, device="cpu", format="png", knobs={"size": 64})

Color = Callable[..., list[Outcome]]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder that nobody named, with a photograph in it."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "private.bmp").write_bytes(PHOTOGRAPH)
    return folder


@pytest.fixture
def color(tmp_path: Path, album: Path) -> Color:
    def run(if_there: IfThere = IfThere.FAIL, output: str | None = "colored") -> list[Outcome]:
        target = None if output is None else str(tmp_path / output)
        return list(color_files(Plan.of([str(album)], target, PNG), if_there))

    return run


def below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def codes(outcomes: list[Outcome]) -> list[str | None]:
    return [outcome.error["code"] if outcome.error else None for outcome in outcomes]


def test_linked_folders_are_not_entered(color: Color, album: Path, elsewhere: Path) -> None:
    (album / "sub").symlink_to(elsewhere)
    (album / "round").symlink_to(album)
    (album / "a.bmp").write_bytes(PHOTOGRAPH)
    assert [outcome.task.source.name for outcome in color()] == ["a.bmp"]


def test_a_linked_photograph_is_colored_where_the_link_is(
    color: Color, album: Path, elsewhere: Path, tmp_path: Path
) -> None:
    (album / "a.bmp").symlink_to(elsewhere / "private.bmp")
    before = below(elsewhere)
    assert codes(color(output=None)) == [None]
    assert (album / "a.colornet.png").is_file()
    assert codes(color()) == [None]
    assert not (tmp_path / "colored/a.png").is_symlink()
    assert below(elsewhere) == before


def test_links_to_nothing_to_themselves_and_to_devices_are_passed_over(
    color: Color, album: Path
) -> None:
    (album / "nothing.bmp").symlink_to("gone.bmp")
    (album / "loop.bmp").symlink_to("loop.bmp")
    (album / "endless.bmp").symlink_to("/dev/zero")
    os.mkfifo(album / "pipe.bmp")
    assert color() == []


@pytest.mark.parametrize("if_there", [IfThere.FAIL, IfThere.REPLACE])
def test_a_link_where_the_result_goes_is_never_written_through(
    color: Color, album: Path, elsewhere: Path, tmp_path: Path, if_there: IfThere
) -> None:
    out = tmp_path / "colored"
    out.mkdir()
    for name, target in (("a", "private.bmp"), ("b", "new.png")):
        (album / f"{name}.bmp").write_bytes(PHOTOGRAPH)
        (out / f"{name}.png").symlink_to(elsewhere / target)
    before = below(elsewhere)
    outcomes = color(if_there)
    assert codes(outcomes) == ["already_there" if if_there is IfThere.FAIL else None] * 2
    assert below(elsewhere) == before


def test_a_linked_folder_in_the_output_is_not_followed_out_of_it(
    color: Color, album: Path, elsewhere: Path, tmp_path: Path
) -> None:
    for name in ("sub", "other"):
        (album / name).mkdir()
        (album / name / "a.bmp").write_bytes(PHOTOGRAPH)
    (tmp_path / "colored").mkdir()
    (tmp_path / "colored/sub").symlink_to(elsewhere)
    before = below(elsewhere)
    assert codes(color()) == [None, "outside_output"]
    assert below(elsewhere) == before
    assert (tmp_path / "colored/other/a.png").is_file()


def test_a_link_where_the_unfinished_result_goes_is_not_written_through(
    color: Color, album: Path, elsewhere: Path, tmp_path: Path
) -> None:
    (album / "a.bmp").write_bytes(PHOTOGRAPH)
    out = tmp_path / "colored"
    out.mkdir()
    part = f".{os.getpid()}.{threading.get_ident()}.a.png.part"
    (out / part).symlink_to(elsewhere / "private.bmp")
    before = below(elsewhere)
    assert codes(color()) == [None]
    assert below(elsewhere) == before
    assert below(out).keys() == {"a.png"}


def test_a_result_that_is_a_link_to_itself_harms_no_other(
    color: Color, album: Path, tmp_path: Path
) -> None:
    for name in "ab":
        (album / f"{name}.bmp").write_bytes(PHOTOGRAPH)
    (tmp_path / "colored").mkdir()
    (tmp_path / "colored/a.png").symlink_to("a.png")
    assert codes(color()) == ["already_there", None]


ODD = [
    "-o.bmp",
    "--overwrite.bmp",
    "two\nlines.bmp",
    "a..%2F..%2Fb.bmp",
    "a\\..\\..\\b.bmp",
    "$(touch pwned).bmp",
    "*[!a]?.bmp",
    "tab\tand \x1b[31mred.bmp",
    "\u202egnp.bmp",
    "con.bmp",
]


@pytest.mark.parametrize("output", ["colored", None])
def test_odd_names_stay_names(
    color: Color, album: Path, tmp_path: Path, output: str | None
) -> None:
    for name in ODD:
        (album / name).write_bytes(PHOTOGRAPH)
    outcomes = color(output=output)
    assert codes(outcomes) == [None] * len(ODD)
    label = "" if output else ".colornet"
    wanted = {f"{Path(name).stem}{label}.png" for name in ODD}
    folder = tmp_path / (output or "album")
    assert below(folder).keys() - set(ODD) == wanted
    assert {path.name for path in tmp_path.iterdir()} <= {"album", "colored"}


def test_a_name_that_grows_too_long_harms_no_other(color: Color, album: Path) -> None:
    (album / ("l" * 251 + ".bmp")).write_bytes(PHOTOGRAPH)
    (album / "a.bmp").write_bytes(PHOTOGRAPH)
    assert codes(color(output=None)) == [None, "not_writable"]


def test_names_that_are_no_text_are_colored_and_told(album: Path, tmp_path: Path) -> None:
    """The whole command: what prints names is part of it."""
    if sys.platform != "linux":
        pytest.skip("only Linux has names that are no text")
    Path(os.fsdecode(bytes(album) + b"/\xff\xfe.bmp")).write_bytes(PHOTOGRAPH)
    (album / "damaged.bmp").write_bytes(PHOTOGRAPH[:100])
    Path(os.fsdecode(bytes(album) + b"/\xfd.bmp")).write_bytes(b"")
    for form in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "deepcolor", "colorize", album, "--size=64", "--device=cpu",
             "-o", tmp_path / f"out{len(form)}", *form],
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert b"Traceback" not in done.stderr
        told: list[Any] = done.stdout.splitlines()
        assert len(told) == (3 if form else 1)
        if form:
            assert sum(json.loads(line)["error"] is None for line in told) == 1
