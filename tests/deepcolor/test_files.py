from __future__ import annotations

from pathlib import Path

import pytest

from deepcolor.errors import OneFileForManyError
from deepcolor.files import Plan, Settings, photographs_below, write_whole


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the test's relative paths begin."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def planned(
    *paths: str, output: str | None = None, settings: Settings | None = None
) -> list[tuple[str, str]]:
    """What becomes what."""
    plan = Plan.of(paths, output, settings or Settings())
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


def test_suffixes_follow_what_is_written() -> None:
    assert planned("a.gif", "b.BMP", "c.heic", "d.webp") == [
        ("a.gif", "a.colornet.png"),
        ("b.BMP", "b.colornet.png"),
        ("c.heic", "c.colornet.jpg"),
        ("d.webp", "d.colornet.webp"),
    ]
    png = Settings(format="png")
    assert planned("a.jpg", "b.PNG", settings=png) == [
        ("a.jpg", "a.colornet.png"),
        ("b.PNG", "b.colornet.PNG"),
    ]


def test_a_file_named_outright_tells_the_format() -> None:
    assert Plan.of(["a.jpg"], "x.png", Settings()).settings.format == "png"
    assert Plan.of(["a.jpg"], "x.png", Settings(format="tiff")).settings.format == "tiff"


def test_several_strategies_give_a_file_each() -> None:
    both = Settings(strategies=("colornet", "richzhang"))
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


def test_photographs_below_a_folder(folder: Path) -> None:
    touch("in/b.JPEG", "in/a.tiff", "in/.trash/c.jpg", "in/d.pdf", "in/e.avif")
    Path("in/folder.jpg").mkdir()
    found = [path.name for path in photographs_below(folder / "in")]
    assert found == ["a.tiff", "b.JPEG", "e.avif"]


def test_files_are_written_whole_or_not_at_all() -> None:
    path = Path("new/folder/a.jpg")
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]
    Path("full").mkdir()
    Path("full/a.jpg").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write_whole(Path("full/a.jpg"), b"content")
    assert list(Path("full").iterdir()) == [Path("full/a.jpg")]
