"""The folder that outlives the local stack, and belongs to one stack at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepcolor import disk

HIDDEN = ".stack"  # where logs, indexes and the lock lie


class FolderError(Exception):
    """Why a stack cannot have a folder."""


class FolderUnusableError(FolderError):
    def __init__(self, folder: Path, error: OSError):
        super().__init__(
            f"{folder} cannot be used ({error.strerror}: {error.filename}); "
            "give a folder that can be written, by --folder."
        )


class FolderTakenError(FolderError):
    def __init__(self, folder: Path):
        super().__init__(
            f"Another deepcolor runs on {folder}; end it, or give this one a folder of its own, "
            "by --folder."
        )


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Makes a folder, with a hidden one for the stack in it, and holds it until the block ends.

    Raises :class:`FolderUnusableError` or :class:`FolderTakenError`.
    """
    hidden = folder / HIDDEN
    try:
        hidden.mkdir(parents=True, exist_ok=True)
        lock = hidden / "lock"
        lock.touch()
        alone = disk.held(lock)
    except BlockingIOError as error:
        raise FolderTakenError(folder) from error
    except OSError as error:
        raise FolderUnusableError(folder, error) from error
    with alone:
        yield
