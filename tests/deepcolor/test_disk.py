"""Files on disk: written whole, never onto what must stay, and what is known before."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from deepcolor.disk import check_writable, held, write_whole
from deepcolor.errors import NotWritableError

pytestmark = pytest.mark.usefixtures("folder")


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


def test_what_is_there_is_not_written_over_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise PermissionError("this file system has no hard links")

    path = Path("a.jpg")
    for links in (True, False):
        if not links:
            monkeypatch.setattr(Path, "hardlink_to", refuse)
        write_whole(path, b"first", replacing=False)
        with pytest.raises(FileExistsError):
            write_whole(path, b"second", replacing=False)
        assert path.read_bytes() == b"first"
        path.unlink()
        path.symlink_to("nowhere")
        with pytest.raises(FileExistsError):
            write_whole(path, b"second", replacing=False)
        assert path.readlink() == Path("nowhere")
        path.unlink()
        assert not list(Path().iterdir())


def test_the_longest_names_are_written() -> None:
    for name in ("写" * 82 + ".jpg", "l" * 251 + ".jpg"):
        write_whole(Path(name), b"content")
        assert Path(name).read_bytes() == b"content"


@pytest.mark.parametrize("name", ["file", "."])
def test_what_is_held_is_held_by_nobody_else(name: str) -> None:
    Path("file").touch()
    with held(Path(name)), pytest.raises(BlockingIOError):
        held(Path(name))
    held(Path(name)).close()
    with pytest.raises(FileNotFoundError):
        held(Path("nowhere"))


def test_where_nothing_can_be_locked_nobody_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with held(Path()), held(Path()):
        pass


def test_a_device_stays_one(folder: Path) -> None:
    path = folder / "null"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")
    write_whole(path, b"content")
    assert path.is_char_device()


def test_what_cannot_be_written_is_known_before(nobody: None) -> None:
    Path("file").touch()
    Path("locked").mkdir(mode=0o500)
    check_writable(Path("new/folder/x.jpg"))
    check_writable(Path("file"))
    for path, reason in [
        (".", "Is a directory"),
        ("file/x.jpg", "Not a directory"),
        ("locked/x.jpg", "Permission denied"),
        ("locked/new/x.jpg", "Permission denied"),
    ]:
        with pytest.raises(NotWritableError, match=f"^{path} cannot be written: {reason}; choose"):
            check_writable(Path(path))
