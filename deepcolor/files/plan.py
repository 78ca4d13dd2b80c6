"""What is to be colored, by whom, and where its color goes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepcolor.disk import is_device, is_there, is_there_as_folder
from deepcolor.errors import (
    NamelessResultError,
    OneFileForManyError,
    SuffixAgainstFormatError,
    SuffixNotWrittenError,
    UnreadableFileError,
)
from deepcolor.files.found import STDIO, photographs_meant
from deepcolor.formats import (
    FORMAT_OF_SUFFIX,
    READABLE,
    SUFFIX_OF_FORMAT,
    WRITTEN_SUFFIX,
    Format,
    split_suffix,
)
from deepcolor.hints import Hint


@dataclass(frozen=True)
class Settings:
    """How to color and to write. ``jobs`` is how many are read and written at once."""

    strategies: tuple[str, ...]
    device: str
    format: Format
    quality: int | None
    keep_gps: bool
    max_pixels: int
    jobs: int | None
    knobs: dict[str, float]
    hints: tuple[Hint, ...]


@dataclass(frozen=True)
class Task:
    """One photograph, who colors it, and where its color goes: below ``folder``, if any."""

    source: Path
    target: Path
    strategy: str
    exact: bool = False  # the target was named outright, whatever the photograph's format
    piped: bool = False  # the photograph comes from standard input
    folder: Path | None = None


@dataclass(frozen=True)
class Plan:
    """Every task, strategy by strategy, so that one network is in memory at a time.

    ``unreadable`` are the folders that could not be looked into.
    """

    tasks: tuple[Task, ...]
    settings: Settings
    unreadable: tuple[UnreadableFileError, ...] = ()

    @classmethod
    def of(cls, paths: Sequence[str], output: str | None, settings: Settings) -> Plan:
        """A task for each file, each photograph below each folder, each match of a pattern.

        ``-`` is what comes from standard input; as ``output`` it is standard output, which is
        taken for a file. Raises :class:`OneFileForManyError` when ``output`` is a file and there
        are several, :class:`SuffixNotWrittenError` and :class:`SuffixAgainstFormatError` when it
        ends in the wrong format, and :class:`NamelessResultError` when standard input is to go
        elsewhere than to a file.
        """
        folder = Path(output) if output is not None and _is_folder(output) else None
        unreadable: list[UnreadableFileError] = []
        found = photographs_meant(paths, folder, settings.strategies, unreadable)
        if output is not None and folder is None:
            if len(found) > 1 or len(settings.strategies) > 1:
                raise OneFileForManyError(output)
            settings = replace(settings, format=_named_format(Path(output), settings.format))
            strategy, piped = settings.strategies[0], STDIO in paths
            tasks = [
                Task(source, Path(output), strategy, exact=True, piped=piped) for _, source in found
            ]
        elif STDIO in paths:
            raise NamelessResultError
        else:
            tasks = [
                Task(
                    source,
                    _target(root, source, folder, strategy, settings),
                    strategy,
                    folder=folder,
                )
                for strategy in settings.strategies
                for root, source in found
            ]
        return cls(tuple(tasks), settings, tuple(unreadable))


def _is_folder(output: str) -> bool:
    """Whether ``-o`` names a folder: it is one, or it is not there and ends in no known format."""
    if output == STDIO:
        return False
    if is_there_as_folder(output) or output.endswith(("/", os.sep)):
        return True
    return not is_there(output) and Path(output).suffix.lower() not in READABLE


def _named_format(output: Path, wanted: Format) -> Format:
    """The format of a file that was named outright."""
    if str(output) == STDIO or is_device(output):
        return wanted
    named = FORMAT_OF_SUFFIX.get(output.suffix.lower())
    if named is None:
        raise SuffixNotWrittenError(str(output), SUFFIX_OF_FORMAT.values())
    if wanted not in {"keep", named}:
        raise SuffixAgainstFormatError(str(output), wanted, SUFFIX_OF_FORMAT[wanted])
    return named


def _target(
    root: Path, source: Path, folder: Path | None, strategy: str, settings: Settings
) -> Path:
    stem, suffix = split_suffix(source)
    if settings.format == "keep":
        suffix = WRITTEN_SUFFIX.get(suffix.lower(), suffix)
    elif FORMAT_OF_SUFFIX.get(suffix.lower()) != settings.format:
        suffix = SUFFIX_OF_FORMAT[settings.format]
    if folder is None:
        return source.with_name(f"{stem}.{strategy}{suffix}")
    label = f".{strategy}" if len(settings.strategies) > 1 else ""
    return folder / source.relative_to(root).with_name(f"{stem}{label}{suffix}")
