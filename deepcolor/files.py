"""Coloring files on disk: which ones, where the results go, and what became of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcolor.errors import DeepcolorError


class NoSuchPathError(DeepcolorError):
    """A path that was named is not there, or can't be read."""

    code = "no_such_file"

    def __init__(self, path: Path, reason: str):
        super().__init__(f"{path} cannot be read: {reason}.")


class NotWritableError(DeepcolorError):
    """A result could not be written."""

    code = "not_writable"

    def __init__(self, path: Path, reason: str):
        super().__init__(f"{path} cannot be written: {reason}.")


class AlreadyThereError(DeepcolorError):
    """A result is there from before."""

    code = "already_there"

    def __init__(self, path: Path):
        super().__init__(f"{path} is already there; --overwrite replaces it.")


class OneFileForManyError(DeepcolorError):
    """Several photographs were to become one file."""

    code = "one_file_for_many"
    exit_code = 2

    def __init__(self, output: Path):
        super().__init__(
            f"{output} names one file, but there are several photographs; name a folder instead."
        )


@dataclass(frozen=True)
class Task:
    """One photograph and where its color goes."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a task; ``error`` is ``{"code", "message"}`` or ``None``."""

    task: Task
    strategy: str
    device: str
    width: int | None = None
    height: int | None = None
    milliseconds: dict[str, float] = field(default_factory=dict)
    error: dict[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "input": str(self.task.source),
            "output": None if self.error else str(self.task.target),
            "strategy": self.strategy,
            "device": self.device,
            "width": self.width,
            "height": self.height,
            "milliseconds": self.milliseconds,
            "error": self.error,
        }


def plan(paths: Sequence[Path], output: Path | None, strategy: str) -> list[Task]:
    """A task for each file named and each photograph below each folder named.

    Folders are mirrored below ``output``; without it a result lies beside its original. Raises
    :class:`OneFileForManyError` when ``output`` looks like a file and there are several.
    """
    found = [(path, below) for path in paths for below in _photographs(path, strategy)]
    if output is None:
        return [Task(p, p.with_name(f"{p.stem}.{strategy}{p.suffix}")) for _, p in found]
    if output.suffix and not output.is_dir():
        if len(found) > 1 or any(path.is_dir() for path in paths):
            raise OneFileForManyError(output)
        return [Task(path, output) for _, path in found]
    return [
        Task(path, output / (path.relative_to(root) if root != path else path.name))
        for root, path in found
    ]


def color_files(tasks: Iterable[Task], strategy: str, *, overwrite: bool) -> Iterator[Outcome]:
    """Colors each task's photograph; one that fails is reported and the next goes on.

    Raises the errors of :func:`deepcolor.load` before the first.
    """
    from deepcolor.colorizer import load

    colorizer = load(strategy)
    device = str(colorizer.device)
    for task in tasks:
        try:
            if task.target.exists() and not overwrite:
                raise AlreadyThereError(task.target)
            try:
                encoded = colorizer.file(task.source)
            except OSError as error:
                raise NoSuchPathError(task.source, error.strerror or str(error)) from error
            try:
                write_whole(task.target, encoded.content)
            except OSError as error:
                raise NotWritableError(task.target, error.strerror or str(error)) from error
        except DeepcolorError as error:
            reason = {"code": error.code, "message": str(error)}
            yield Outcome(task, strategy, device, error=reason)
        else:
            yield Outcome(
                task, strategy, device, encoded.width, encoded.height, encoded.milliseconds
            )


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _photographs(path: Path, strategy: str) -> Iterator[Path]:
    """The path itself, or the photographs below it, but for those that are results already."""
    if not path.is_dir():
        yield path
        return
    from deepcolor.photograph import SUFFIXES

    for file in sorted(path.rglob("*")):
        is_result = file.stem.endswith(f".{strategy}")
        if file.suffix.lower() in SUFFIXES and file.is_file() and not is_result:
            yield file
