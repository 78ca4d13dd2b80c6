"""Coloring files on disk: which ones, where the results go, and what became of each."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepcolor.errors import (
    AlreadyThereError,
    DeepcolorError,
    NotWritableError,
    OneFileForManyError,
    OutsideOutputError,
    OverwritesInputError,
    SameResultError,
)
from deepcolor.formats import Format
from deepcolor.hints import Hint

if TYPE_CHECKING:
    from deepcolor import weights
    from deepcolor.colorizer import Colorizer, Encoded

READABLE = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif", ".heic", ".heif"}
)
"""Suffixes of the formats deepcolor reads."""

WRITTEN_SUFFIX = {".gif": ".png", ".bmp": ".png", ".heic": ".jpg", ".heif": ".jpg"}
"""What becomes of the suffixes whose formats are not written."""

FORMAT_OF_SUFFIX: dict[str, Format] = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".png": "png",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
}
SUFFIX_OF_FORMAT = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "tiff": ".tif"}


class IfThere(Enum):
    """What to do about a result that is there from before."""

    FAIL = "fail"
    SKIP = "skip"
    REPLACE = "replace"


@dataclass(frozen=True)
class Settings:
    """How to color and to write. ``jobs`` is how many are read and written at once."""

    strategies: tuple[str, ...] = ("colornet",)
    device: str = "auto"
    format: Format = "keep"
    quality: int | None = None
    keep_gps: bool = False
    max_pixels: int = 200_000_000
    jobs: int | None = None
    knobs: dict[str, float] = field(default_factory=dict)
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True)
class Task:
    """One photograph, who colors it, and where its color goes: below ``folder``, if any."""

    source: Path
    target: Path
    strategy: str
    exact: bool = False  # the target was named outright, whatever the photograph's format
    folder: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a task; ``error`` is ``{"code", "message"}`` or ``None``."""

    task: Task
    device: str
    skipped: bool = False
    width: int | None = None
    height: int | None = None
    milliseconds: dict[str, float] = field(default_factory=dict)
    error: dict[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "input": str(self.task.source),
            "output": None if self.error else str(self.task.target),
            "strategy": self.task.strategy,
            "device": self.device,
            "skipped": self.skipped,
            "width": self.width,
            "height": self.height,
            "milliseconds": self.milliseconds,
            "error": self.error,
        }


@dataclass(frozen=True)
class Plan:
    """Every task, strategy by strategy, so that one network is in memory at a time."""

    tasks: tuple[Task, ...]
    settings: Settings

    @classmethod
    def of(cls, paths: Sequence[str], output: str | None, settings: Settings) -> Plan:
        """A task for each file, each photograph below each folder, each match of a pattern.

        Raises :class:`OneFileForManyError` when ``output`` is a file and there are several.
        """
        folder = Path(output) if output is not None and _is_folder(output, paths) else None
        found = list(_found(paths, folder, settings.strategies))
        if output is not None and folder is None:
            if len(found) > 1 or len(settings.strategies) > 1:
                raise OneFileForManyError(output)
            named = FORMAT_OF_SUFFIX.get(Path(output).suffix.lower())
            if named and settings.format == "keep":
                settings = replace(settings, format=named)
            strategy = settings.strategies[0]
            tasks = [Task(source, Path(output), strategy, exact=True) for _, source in found]
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
        return cls(tuple(tasks), settings)


def color_files(
    plan: Plan, if_there: IfThere, fetching: weights.Progress | None = None
) -> Iterator[Outcome]:
    """Colors what is planned, in order; what fails is reported and the next goes on.

    ``fetching`` is told of weights that come meanwhile. Raises the errors of knobs and hints before
    all, those of :func:`deepcolor.load` before a strategy's first.
    """
    from deepcolor.check import check
    from deepcolor.colorizer import load
    from deepcolor.registry import find

    settings = plan.settings
    for strategy in settings.strategies:
        check(find(strategy).card, settings.knobs, settings.hints)
    sources = {_place(task.source): task.source for task in plan.tasks}
    claimed: dict[Path, Path] = {}
    for strategy in settings.strategies:
        colorizer = load(strategy, device=settings.device, progress=fetching)
        tasks = [task for task in plan.tasks if task.strategy == strategy]
        verdicts = [_admit(task, if_there, sources, claimed) for task in tasks]
        chosen = [task for task, verdict in zip(tasks, verdicts, strict=True) if verdict is None]
        colored = _color(colorizer, chosen, settings)
        for task, verdict in zip(tasks, verdicts, strict=True):
            device = str(colorizer.device)
            if verdict is None:
                yield _write(task, next(colored), device, if_there)
            elif isinstance(verdict, DeepcolorError):
                yield Outcome(task, device, error=verdict.to_json())
            else:
                yield Outcome(task, device, skipped=True)


def color_stream(
    content: bytes, settings: Settings, fetching: weights.Progress | None = None
) -> bytes:
    """One photograph's file in color; ``fetching`` as in :func:`color_files`."""
    from deepcolor.colorizer import load

    colorizer = load(settings.strategies[0], device=settings.device, progress=fetching)
    return colorizer.file(content, settings.knobs, **_file_options(settings)).content


def photographs_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder whose suffix names a readable format, sorted, hidden ones not."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in READABLE and not hidden and path.is_file():
            yield path


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{os.getpid()}.{path.name[-100:]}.part")
    try:
        part.unlink(missing_ok=True)
        with part.open("xb") as file:  # never through a link that somebody laid there
            file.write(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _is_folder(output: str, paths: Sequence[str]) -> bool:
    """Whether ``-o`` names a folder: it is one, looks like one, or must hold a folder's results."""
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)) or not path.suffix:
        return True
    return any(Path(given).is_dir() for given in paths) and path.suffix.lower() not in READABLE


def _found(
    paths: Sequence[str], output: Path | None, strategies: Sequence[str]
) -> Iterator[tuple[Path, Path]]:
    """What each photograph was found below, and the photograph."""
    for given in paths:
        path = Path(given)
        if path.is_dir():
            for photograph in photographs_below(path):
                in_output = output is not None and _is_below(photograph, output, path)
                if not in_output and not _is_result(photograph, strategies):
                    yield path, photograph
        elif not path.exists() and any(sign in given for sign in "*?["):
            matches = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 (may be absolute)
            for match in matches or [given]:
                if not Path(match).is_dir():
                    yield Path(match).parent, Path(match)
        else:
            yield path.parent, path


def _is_below(photograph: Path, output: Path, root: Path) -> bool:
    """Whether a photograph lies in an output folder that is itself inside the input folder."""
    inside, within = output.resolve(), root.resolve()
    return inside != within and photograph.resolve().is_relative_to(inside)


def _is_result(photograph: Path, strategies: Sequence[str]) -> bool:
    """Whether a file is what an earlier run put beside an original that is still there."""
    stem, dot, strategy = photograph.stem.rpartition(".")
    if not dot or strategy not in strategies:
        return False
    siblings = photograph.parent.glob(f"{glob.escape(stem)}.*")
    return any(sibling.stem == stem for sibling in siblings)


def _target(
    root: Path, source: Path, folder: Path | None, strategy: str, settings: Settings
) -> Path:
    suffix = source.suffix
    if settings.format == "keep":
        suffix = WRITTEN_SUFFIX.get(suffix.lower(), suffix)
    elif FORMAT_OF_SUFFIX.get(suffix.lower()) != settings.format:
        suffix = SUFFIX_OF_FORMAT[settings.format]
    if folder is None:
        return source.with_name(f"{source.stem}.{strategy}{suffix}")
    label = f".{strategy}" if len(settings.strategies) > 1 else ""
    return folder / source.relative_to(root).with_name(f"{source.stem}{label}{suffix}")


def _admit(
    task: Task, if_there: IfThere, sources: dict[Path, Path], claimed: dict[Path, Path]
) -> DeepcolorError | Literal["skip"] | None:
    """``None`` for a task to be done, "skip" for one to be left, or why it can't be done."""
    place = _place(task.target)
    if task.folder and not _place(task.target.parent).is_relative_to(_place(task.folder)):
        return OutsideOutputError(task.target, task.folder)
    if place in sources:
        return OverwritesInputError(task.target)
    if place in claimed:
        return SameResultError(claimed[place], task.source, task.target)
    claimed[place] = task.source
    if not _is_there(task.target) or if_there is IfThere.REPLACE:
        return None
    return "skip" if if_there is IfThere.SKIP else AlreadyThereError(task.target)


def _place(path: Path) -> Path:
    """Where the path leads. Unlike ``Path.resolve`` it takes links that lead to themselves."""
    return Path(os.path.realpath(path))


def _is_there(path: Path) -> bool:
    """Unlike ``Path.exists`` it takes names that are too long."""
    return os.path.exists(path)  # noqa: PTH110


def _color(
    colorizer: Colorizer, tasks: Iterable[Task], settings: Settings
) -> Iterator[Encoded | DeepcolorError]:
    sources = [task.source for task in tasks]
    options = _file_options(settings)
    return colorizer.map(sources, settings.knobs, jobs=settings.jobs, **options)


def _file_options(settings: Settings) -> dict[str, Any]:
    from deepcolor.encoding import Writing
    from deepcolor.photograph import Reading

    return {
        "hints": settings.hints,
        "reading": Reading(settings.max_pixels, settings.keep_gps),
        "writing": Writing(settings.format, settings.quality),
    }


def _write(
    task: Task, colored: Encoded | DeepcolorError, device: str, if_there: IfThere
) -> Outcome:
    if isinstance(colored, DeepcolorError):
        return Outcome(task, device, error=colored.to_json())
    if not task.exact and task.target.suffix.lower() not in colored.suffixes:
        # The input's suffix did not tell its format.
        task = replace(task, target=task.target.with_suffix(colored.suffixes[0]))
        if _is_there(task.target) and if_there is not IfThere.REPLACE:
            return Outcome(task, device, error=AlreadyThereError(task.target).to_json())
    try:
        write_whole(task.target, colored.content)
    except OSError as error:
        problem = NotWritableError(task.target, error.strerror or str(error))
        return Outcome(task, device, error=problem.to_json())
    return Outcome(
        task,
        device,
        width=colored.width,
        height=colored.height,
        milliseconds=colored.milliseconds,
    )
