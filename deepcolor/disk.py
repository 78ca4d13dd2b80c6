"""Files on disk: where paths lead, whether they can be written, and writing them whole."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from deepcolor.errors import NotWritableError, reason

if TYPE_CHECKING:
    from io import FileIO

PART_LETTERS = 50  # of a name; four bytes each at most, of the 255 that a name may have


def check_writable(path: Path) -> None:
    """Raises :class:`NotWritableError` for a folder, and where no file can be written."""
    if is_there_as_folder(path):
        raise NotWritableError(path, os.strerror(errno.EISDIR))
    above = next(parent for parent in path.parents if is_there(parent))
    if not is_there_as_folder(above):
        raise NotWritableError(path, os.strerror(errno.ENOTDIR))
    try:
        path.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:  # its name is too long
        raise NotWritableError(path, reason(error)) from error
    place, needed = (path, os.W_OK) if is_device(path) else (above, os.W_OK | os.X_OK)
    if not os.access(place, needed):
        raise NotWritableError(path, os.strerror(errno.EACCES))


def write_whole(
    path: Path, content: bytes | memoryview, *, replacing: bool = True, lasting: bool = False
) -> None:
    """Writes a file so that nobody ever sees half of it. A device is written to, and stays one.

    What is ``lasting`` is whole after a power failure, too, which takes a disk some milliseconds.
    Raises ``FileExistsError`` where something is there, or has come meanwhile, that is not to be
    replaced.
    """
    if is_device(path):
        path.write_bytes(content)
        return
    _make_folder(path.parent)
    writer = f"{os.getpid()}.{threading.get_ident()}"
    part = path.with_name(f".{writer}.{path.name[-PART_LETTERS:]}.part")
    try:
        part.unlink(missing_ok=True)
        with part.open("xb") as file:  # never through a link that somebody laid there
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        if replacing:
            part.replace(path)
        else:
            _name_anew(part, path)
    finally:
        part.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # which would be taken for one of the file itself
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


def _name_anew(part: Path, path: Path) -> None:
    """Gives a file a name that nothing has."""
    try:
        path.hardlink_to(part)  # unlike renaming it fails where something is there
    except FileExistsError:
        raise
    except OSError as error:  # not every file system has these links
        if is_taken(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        part.replace(path)


def locked(path: Path) -> FileIO:
    """A file to append to, made with its folder if need be, which nobody else is given meanwhile.

    It is let go of when it is closed. Who waits for it finds what the one before has left, and a
    file of its own where that was moved away or deleted.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Unbuffered, for what a full disk does not take must not be counted.
            file = path.open("ab", buffering=0)
        except FileNotFoundError:
            if path.is_symlink():  # which leads nowhere
                raise
            continue  # the folder was moved away or deleted meanwhile
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(file, path):
            return file
        file.close()


def held(path: Path) -> ExitStack:
    """Keeps others from holding a file or folder that is there, until what it gives is closed.

    The system lets go of what a process held that was killed. Where nothing can be locked, nobody
    is kept. Raises ``BlockingIOError`` while another holds it.
    """
    with ExitStack() as opened:
        place = os.open(path, os.O_RDONLY)
        opened.callback(os.close, place)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # some file systems of networks
            pass
        return opened.pop_all()


def _is_at(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def place_of(path: Path) -> Path:
    """Where the path leads. Unlike ``Path.resolve`` it takes links that lead to themselves."""
    return Path(os.path.realpath(path))


def is_there(path: str | Path) -> bool:
    """Unlike ``Path.exists`` it takes names that are too long, and folders that are locked."""
    return os.path.exists(path)  # noqa: PTH110


def is_pattern(name: str) -> bool:
    """Whether a name has signs that stand for others, as in ``*.jpg``; files may have them."""
    return any(sign in name for sign in "*?[")


def is_taken(path: Path) -> bool:
    """Whether a name is anything's, be it a link that leads nowhere."""
    return os.path.lexists(path)


def is_there_as_folder(path: str | Path) -> bool:
    """Unlike ``Path.is_dir`` it takes what :func:`is_there` does."""
    return os.path.isdir(path)  # noqa: PTH112


def is_device(path: Path) -> bool:
    """Whether a path is a device like /dev/null itself: a link to one may be a stranger's."""
    try:
        return stat.S_ISCHR(path.lstat().st_mode)
    except OSError:
        return False
