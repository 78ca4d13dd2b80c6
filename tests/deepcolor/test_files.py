from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from deepcolor.errors import (
    NamelessResultError,
    OneFileForManyError,
    SuffixAgainstFormatError,
    SuffixNotWrittenError,
)
from deepcolor.files.coloring import IfThere, color_files
from deepcolor.files.found import SHEET_NOTE, photographs_below
from deepcolor.files.plan import Plan, Settings
from tests.deepcolor.conftest import SETTINGS

pytestmark = pytest.mark.usefixtures("folder")


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def planned(
    *paths: str, output: str | None = None, settings: Settings = SETTINGS
) -> list[tuple[str, str]]:
    """What becomes what."""
    plan = Plan.of(paths, output, settings)
    return [(task.source.as_posix(), task.target.as_posix()) for task in plan.tasks]


def test_beside_the_original() -> None:
    assert planned("a.jpg", "scans/b.TIF") == [
        ("a.jpg", "a.colornet.jpg"),
        ("scans/b.TIF", "scans/b.colornet.TIF"),
    ]


def test_to_a_file() -> None:
    assert planned("a.jpg", output="color/x.jpg") == [("a.jpg", "color/x.jpg")]


def test_a_file_for_several_is_refused() -> None:
    touch("scans/a.jpg", "scans/b.jpg")
    for paths in (("a.jpg", "b.jpg"), ("scans/a.jpg", "scans/b.jpg")):
        with pytest.raises(OneFileForManyError, match=r"x\.jpg names one file") as caught:
            planned(*paths, output="x.jpg")
        assert caught.value.exit_code == 2


@pytest.mark.parametrize("output", ["out", "out/", "out.2026/"])
def test_to_a_folder(output: str) -> None:
    assert planned("scans/a.jpg", "b.png", output=output) == [
        ("scans/a.jpg", f"{output.rstrip('/')}/a.jpg"),
        ("b.png", f"{output.rstrip('/')}/b.png"),
    ]


def test_a_folder_that_is_there_may_look_like_a_file() -> None:
    Path("out.jpg").mkdir()
    assert planned("a.jpg", output="out.jpg") == [("a.jpg", "out.jpg/a.jpg")]


def test_a_name_with_a_dot_is_a_folders() -> None:
    for paths in (["a.jpg"], ["a.jpg", "b.jpg"]):
        for output in ("Oma 12.5.1920", "x.xyz"):
            assert planned(*paths, output=output) == [(path, f"{output}/{path}") for path in paths]


def test_standard_input_goes_to_a_file() -> None:
    assert planned("-", output="x.jpg") == [("-", "x.jpg")]
    assert Plan.of(["-"], "x.jpg", SETTINGS).tasks[0].piped
    for output in ("out", "out/", None):
        with pytest.raises(NamelessResultError, match="has no name; name a file with -o"):
            planned("-", output=output)


def test_a_photograph_counts_once() -> None:
    touch("in/a.jpg", "in/b.jpg")
    Path("in/link.jpg").symlink_to("a.jpg")
    once = [("in/a.jpg", "out/a.jpg"), ("in/b.jpg", "out/b.jpg"), ("in/link.jpg", "out/link.jpg")]
    assert planned("in", "in/a.jpg", "in/../in/b.jpg", str(Path("in/a.jpg").absolute())) == [
        (source, source.replace(".", ".colornet.")) for source, _ in once
    ]
    assert planned("in", "in/a.jpg", "in/*.jpg", output="out") == once


def test_locked_folders_are_told_of(nobody: None) -> None:
    touch("in/a.jpg", "in/locked/b.jpg")
    Path("in/locked").chmod(0)
    plan = Plan.of(["in", "in/locked/b.jpg", "in/locked"], None, SETTINGS)
    assert [str(task.source) for task in plan.tasks] == ["in/a.jpg", "in/locked/b.jpg"]
    assert [str(error) for error in plan.unreadable] == [
        "in/locked cannot be read: Permission denied; "
        "check that it is the one you mean, and that you may read it."
    ] * 2
    Path("in/locked").chmod(0o700)


def test_folders_are_mirrored() -> None:
    touch("in/a.jpg", "in/sub/a.jpg", "in/sub/deep/b.png", "in/notes.txt", "in/.hidden.jpg")
    assert planned("in", output="out") == [
        ("in/a.jpg", "out/a.jpg"),
        ("in/sub/a.jpg", "out/sub/a.jpg"),
        ("in/sub/deep/b.png", "out/sub/deep/b.png"),
    ]
    assert planned("in") == [
        ("in/a.jpg", "in/a.colornet.jpg"),
        ("in/sub/a.jpg", "in/sub/a.colornet.jpg"),
        ("in/sub/deep/b.png", "in/sub/deep/b.colornet.png"),
    ]


def test_results_of_an_earlier_run_are_no_originals() -> None:
    touch("in/a.jpg", "in/a.colornet.jpg", "in/out/a.jpg", "in/only.colornet.jpg")
    assert [source for source, _ in planned("in", output="in/out")] == [
        "in/a.jpg",
        "in/only.colornet.jpg",
    ]


def test_what_lies_in_the_output_is_no_original_by_whatever_link() -> None:
    touch("in/a.jpg", "in/out/b.jpg", "elsewhere/c.jpg")
    Path("out").symlink_to("in/out")
    Path("album").symlink_to("in")
    Path("in/b.jpg").symlink_to("out/b.jpg")
    Path("in/c.jpg").symlink_to("../elsewhere/c.jpg")
    Path("in/out/c.jpg").symlink_to("../../elsewhere/c.jpg")
    for folder in ("in", "album"):
        for output in ("in/out", "out", "album/out"):
            assert [source for source, _ in planned(folder, output=output)] == [
                f"{folder}/a.jpg",
                f"{folder}/c.jpg",
                f"{folder}/out/c.jpg",  # which lies elsewhere
            ]


def test_the_output_may_lie_above() -> None:
    touch("in/scans/a.jpg")
    for output in ("in", "."):
        assert planned("in/scans", output=output) == [
            ("in/scans/a.jpg", (Path(output) / "a.jpg").as_posix())
        ]


def test_results_of_any_strategy_are_no_originals() -> None:
    touch("in/a.jpg", "in/a.richzhang.jpg", "in/a.colornet.jpg", "in/a.colornet.richzhang.jpg")
    touch("in/a.painter.jpg", "in/b.bmp", "in/b.ddcolor-artistic.png", "in/a.1912.jpg")
    assert [source for source, _ in planned("in")] == [
        "in/a.1912.jpg",
        "in/a.jpg",
        "in/a.painter.jpg",  # which is not installed
        "in/b.bmp",
    ]
    assert [
        source for source, _ in planned("in", settings=replace(SETTINGS, strategies=("painter",)))
    ] == [
        "in/a.1912.jpg",
        "in/a.jpg",
        "in/b.bmp",
    ]
    assert [source for source, _ in planned("in/a*.jpg")] == [
        "in/a.1912.jpg",
        "in/a.jpg",
        "in/a.painter.jpg",
    ]
    for named in ("in/a.colornet.jpg", "in/a.painter.jpg"):
        assert [source for source, _ in planned(named)] == [named]


def test_what_a_shell_makes_of_a_pattern_is_as_the_pattern() -> None:
    touch("in/a.jpg", "in/a.colornet.jpg", "in/b.richzhang.jpg")
    Path("in/sheet.jpg").write_bytes(b"\xff\xd8" + SHEET_NOTE)
    kept = ["in/a.jpg", "in/b.richzhang.jpg"]
    assert [source for source, _ in planned("in/*.jpg")] == kept
    assert [source for source, _ in planned(*sorted(map(str, Path("in").iterdir())))] == kept
    assert [source for source, _ in planned("in/sheet.jpg")] == ["in/sheet.jpg"]


def test_a_dot_in_a_name_begins_no_suffix_unless_of_a_format() -> None:
    assert planned("Mr. Smith", "scan.001") == [
        ("Mr. Smith", "Mr. Smith.colornet"),
        ("scan.001", "scan.001.colornet"),
    ]
    in_a_folder = planned(
        "Mr. Smith", "Mr. Jones", output="o", settings=replace(SETTINGS, format="png")
    )
    assert [target for _, target in in_a_folder] == ["o/Mr. Smith.png", "o/Mr. Jones.png"]


def test_results_of_what_has_no_suffix_are_no_originals() -> None:
    touch("in/scan.001", "in/scan.001.colornet.jpg", "in/scan", "in/scan.colornet.jpg")
    Path("in/only").mkdir()
    touch("in/only.colornet.jpg")
    assert [source for source, _ in planned("in")] == ["in/only.colornet.jpg"]
    everything = sorted(map(str, Path("in").glob("scan*")))
    assert [source for source, _ in planned(*everything)] == ["in/scan", "in/scan.001"]


def test_suffixes_follow_what_is_written() -> None:
    assert planned("a.gif", "b.BMP", "c.heic", "d.webp", "e.jfif", "f.jpe") == [
        ("a.gif", "a.colornet.png"),
        ("b.BMP", "b.colornet.png"),
        ("c.heic", "c.colornet.jpg"),
        ("d.webp", "d.colornet.webp"),
        ("e.jfif", "e.colornet.jpg"),
        ("f.jpe", "f.colornet.jpg"),
    ]
    png = replace(SETTINGS, format="png")
    assert planned("a.jpg", "b.PNG", settings=png) == [
        ("a.jpg", "a.colornet.png"),
        ("b.PNG", "b.colornet.PNG"),
    ]


def test_a_file_named_outright_tells_the_format() -> None:
    assert Plan.of(["a.jpg"], "x.png", SETTINGS).settings.format == "png"
    assert Plan.of(["a.jpg"], "x.AVIF", SETTINGS).settings.format == "avif"
    assert Plan.of(["a.jpg"], "x.jpeg", replace(SETTINGS, format="jpeg")).settings.format == "jpeg"


def test_a_device_takes_every_format() -> None:
    assert Plan.of(["a.jpg"], os.devnull, SETTINGS).settings.format == "keep"


def test_a_file_named_outright_must_end_in_what_is_written() -> None:
    touch("there", "there.xyz")
    for output in ("x.gif", "x.bmp", "x.heic", "x.jfif", "there", "there.xyz"):
        with pytest.raises(
            SuffixNotWrittenError, match=r"must end in \.jpg, .*or \.avif"
        ) as caught:
            planned("a.jpg", output=output)
        assert caught.value.exit_code == 2
    with pytest.raises(
        SuffixAgainstFormatError, match=r"x\.jpg is no name .* end in \.png"
    ) as told:
        planned("a.jpg", output="x.jpg", settings=replace(SETTINGS, format="png"))
    assert told.value.exit_code == 2


def test_several_strategies_give_a_file_each() -> None:
    both = replace(SETTINGS, strategies=("colornet", "richzhang"))
    assert planned("a.jpg", output="out", settings=both) == [
        ("a.jpg", "out/a.colornet.jpg"),
        ("a.jpg", "out/a.richzhang.jpg"),
    ]
    with pytest.raises(OneFileForManyError):
        planned("a.jpg", output="x.jpg", settings=both)


def test_patterns() -> None:
    touch("in/a.jpg", "in/b.jpg", "in/c.png", "in/sub/d.jpg", "in/[1].jpg")
    assert [source for source, _ in planned("in/*.jpg")] == ["in/[1].jpg", "in/a.jpg", "in/b.jpg"]
    assert [source for source, _ in planned("in/**/*.jpg")][-1] == "in/sub/d.jpg"
    assert [source for source, _ in planned("in/[1].jpg")] == ["in/[1].jpg"]


def test_a_pattern_waits_for_no_pipe() -> None:
    touch("in/a.jpg")
    os.mkfifo("in/pipe.jpg")
    assert [source for source, _ in planned("in/*.jpg")] == ["in/a.jpg", "in/pipe.jpg"]


def test_a_file_that_may_not_be_read_is_told_of_when_it_is_colored(nobody: None) -> None:
    touch("in/a.jpg")
    Path("in/a.jpg").chmod(0)
    assert [source for source, _ in planned("in")] == ["in/a.jpg"]


def test_photographs_below_a_folder(folder: Path) -> None:
    touch("in/b.JPEG", "in/a.tiff", "in/.trash/c.jpg", "in/d.pdf", "in/e.avif", "in/f.jfif")
    Path("in/folder.jpg").mkdir()
    found = [path.name for path in photographs_below(folder / "in")]
    assert found == ["a.tiff", "b.JPEG", "e.avif", "f.jfif"]


@pytest.mark.parametrize("if_there", [IfThere.FAIL, IfThere.SKIP])
def test_what_comes_while_a_photograph_is_colored_stays(
    if_there: IfThere, landscape: Image.Image
) -> None:
    Path("in").mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        landscape.save(Path("in", name))
    Path("out").mkdir()
    Path("out/c.jpg").symlink_to("nowhere.jpg")
    outcomes = color_files(Plan.of(["in"], "out", SETTINGS), if_there)
    assert next(outcomes).error is None
    Path("out/b.jpg").write_bytes(b"a stranger's")
    for outcome in outcomes:
        assert outcome.skipped is (if_there is IfThere.SKIP)
        assert (outcome.error or {}).get("code") == (
            "already_there" if if_there is IfThere.FAIL else None
        )
    assert Path("out/b.jpg").read_bytes() == b"a stranger's"
    assert Path("out/c.jpg").readlink() == Path("nowhere.jpg")
