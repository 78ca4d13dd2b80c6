"""Coloring files on disk: which ones, where the results go, and what became of each."""

from __future__ import annotations

import errno
import glob
import os
import stat
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepcolor.errors import (
    AlreadyThereError,
    DeepcolorError,
    NamelessResultError,
    NotWritableError,
    OneFileForManyError,
    OutsideOutputError,
    OverwritesInputError,
    PackageMissingError,
    SameResultError,
    SuffixAgainstFormatError,
    SuffixNotWrittenError,
    UnreadableFileError,
)
from deepcolor.formats import Format
from deepcolor.hints import Hint

if TYPE_CHECKING:
    from deepcolor import weights
    from deepcolor.colorizer import Colorizer, Encoded

STDIO = "-"
"""What stands for standard input and output where a file is named."""

WRITTEN_SUFFIX = {
    ".bmp": ".png",
    ".gif": ".png",
    ".heic": ".jpg",
    ".heif": ".jpg",
    ".jfif": ".jpg",
    ".jpe": ".jpg",
}
"""What becomes of the suffixes that are not written."""

FORMAT_OF_SUFFIX: dict[str, Format] = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".png": "png",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".avif": "avif",
}
SUFFIX_OF_FORMAT = {
    "jpeg": ".jpg",
    "png": ".png",
    "webp": ".webp",
    "tiff": ".tif",
    "avif": ".avif",
}

READABLE = frozenset({*FORMAT_OF_SUFFIX, *WRITTEN_SUFFIX})
"""Suffixes of the formats deepcolor reads."""

PART_LETTERS = 50  # of a name; four bytes each at most, of the 255 that a name may have


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
    piped: bool = False  # the photograph comes from standard input
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
    """Every task, strategy by strategy, so that one network is in memory at a time.

    ``unreadable`` are the folders that could not be looked into.
    """

    tasks: tuple[Task, ...]
    settings: Settings
    unreadable: tuple[UnreadableFileError, ...] = ()

    @classmethod
    def of(cls, paths: Sequence[str], output: str | None, settings: Settings) -> Plan:
        """A task for each file, each photograph below each folder, each match of a pattern.

        ``-`` is what comes from standard input. Raises :class:`OneFileForManyError` when
        ``output`` is a file and there are several, :class:`SuffixNotWrittenError` and
        :class:`SuffixAgainstFormatError` when it ends in the wrong format, and
        :class:`NamelessResultError` when standard input is to go elsewhere than to a file.
        """
        folder = Path(output) if output is not None and _is_folder(output) else None
        unreadable: list[UnreadableFileError] = []
        found = _found(paths, folder, settings.strategies, unreadable)
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


def color_files(
    plan: Plan, if_there: IfThere, fetching: weights.Progress | None = None
) -> Iterator[Outcome]:
    """Colors what is planned, in order; what fails is reported and the next goes on.

    ``fetching`` is told of weights that come meanwhile. Raises the errors of knobs and hints, and
    those of :func:`deepcolor.load`, before all.
    """
    from deepcolor.colorizer import load

    settings = plan.settings
    _make_ready(settings, fetching)
    targets = _Targets({_place(task.source) for task in plan.tasks}, if_there)
    for strategy in settings.strategies:
        colorizer = load(strategy, device=settings.device, progress=fetching)
        tasks = [task for task in plan.tasks if task.strategy == strategy]
        if if_there is IfThere.SKIP:
            tasks = [_named_as_before(task, settings.format) for task in tasks]
        verdicts = [targets.admit(task) for task in tasks]
        chosen = [task for task, verdict in zip(tasks, verdicts, strict=True) if verdict is None]
        colored = _color(colorizer, chosen, settings)
        for task, verdict in zip(tasks, verdicts, strict=True):
            device = str(colorizer.device)
            if verdict is None:
                yield _write(task, next(colored), device, targets)
            else:
                yield _left(task, verdict, device)


def color_stream(
    source: bytes | Path, settings: Settings, fetching: weights.Progress | None = None
) -> bytes:
    """One photograph's file in color; ``fetching`` as in :func:`color_files`."""
    from deepcolor.colorizer import load

    colorizer = load(settings.strategies[0], device=settings.device, progress=fetching)
    return colorizer.file(source, settings.knobs, **_file_options(settings)).content


def photographs_below(
    folder: Path, unreadable: Callable[[OSError], object] | None = None
) -> Iterator[Path]:
    """Every file below a folder whose suffix names a readable format, sorted, hidden ones not.

    ``unreadable`` is called with what kept a folder from being looked into.
    """
    found: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(parent, name) for name in files if not name.startswith("."))
        found += [path for path in paths if path.suffix.lower() in READABLE]
    return (path for path in sorted(found) if os.path.isfile(path))  # noqa: PTH113 (never raises)


def check_writable(path: Path) -> None:
    """Raises :class:`NotWritableError` for a folder, and where no file can be written."""
    if _is_there_as_folder(path):
        raise NotWritableError(path, os.strerror(errno.EISDIR))
    above = next(parent for parent in path.parents if _is_there(parent))
    if not _is_there_as_folder(above):
        raise NotWritableError(path, os.strerror(errno.ENOTDIR))
    try:
        path.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:  # its name is too long
        raise NotWritableError(path, error.strerror or str(error)) from error
    place, needed = (path, os.W_OK) if _is_device(path) else (above, os.W_OK | os.X_OK)
    if not os.access(place, needed):
        raise NotWritableError(path, os.strerror(errno.EACCES))


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that nobody ever sees half of it. A device is written to, and stays one."""
    if _is_device(path):
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f"{os.getpid()}.{threading.get_ident()}"
    part = path.with_name(f".{writer}.{path.name[-PART_LETTERS:]}.part")
    try:
        part.unlink(missing_ok=True)
        with part.open("xb") as file:  # never through a link that somebody laid there
            file.write(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _is_folder(output: str) -> bool:
    """Whether ``-o`` names a folder: it is one, or it is not there and ends in no known format."""
    if _is_there_as_folder(output) or output.endswith(("/", os.sep)):
        return True
    return not _is_there(output) and Path(output).suffix.lower() not in READABLE


def _named_format(output: Path, wanted: Format) -> Format:
    """The format of a file that was named outright."""
    if _is_device(output):
        return wanted
    named = FORMAT_OF_SUFFIX.get(output.suffix.lower())
    if named is None:
        raise SuffixNotWrittenError(str(output), SUFFIX_OF_FORMAT.values())
    if wanted not in {"keep", named}:
        raise SuffixAgainstFormatError(str(output), wanted, SUFFIX_OF_FORMAT[wanted])
    return named


def _found(
    paths: Sequence[str],
    output: Path | None,
    strategies: Sequence[str],
    unreadable: list[UnreadableFileError],
) -> list[tuple[Path, Path]]:
    """What each photograph was found below, and the photograph, once however often it is named.

    Adds what could not be looked into to ``unreadable``.
    """
    from deepcolor import registry

    labels = registry.names().union(strategies)
    found: dict[Path, tuple[Path, Path]] = {}
    for given in paths:
        for root, source in _meant(given, output, labels, unreadable):
            # A link is a photograph of its own: its result goes beside it.
            found.setdefault(_place(source.parent) / source.name, (root, source))
    return list(found.values())


def _meant(
    given: str, output: Path | None, labels: Collection[str], unreadable: list[UnreadableFileError]
) -> Iterator[tuple[Path, Path]]:
    """What each photograph that a path means was found below, and the photograph."""

    def report(error: OSError) -> None:
        unreadable.append(UnreadableFileError(str(error.filename), error.strerror or str(error)))

    path = Path(given)
    if _is_there_as_folder(path):
        photographs = [
            photograph
            for photograph in photographs_below(path, report)
            if output is None or not _is_below(photograph, output, path)
        ]
        for original in _originals(photographs, labels):
            yield path, original
    elif not _is_there(path) and any(sign in given for sign in "*?["):
        matches = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 (may be absolute)
        files = [Path(match) for match in matches if not _is_there_as_folder(match)]
        for file in _originals(files, labels) or [path]:
            yield file.parent, file
    else:
        yield path.parent, path


def _is_below(photograph: Path, output: Path, root: Path) -> bool:
    """Whether a photograph lies in an output folder that is itself inside the input folder."""
    inside, within = output.resolve(), root.resolve()
    return inside != within and photograph.resolve().is_relative_to(inside)


def _originals(photographs: Sequence[Path], labels: Collection[str]) -> list[Path]:
    """Those that are not what an earlier run put beside another of them."""
    stems = {photograph.with_suffix("") for photograph in photographs}

    def is_result(photograph: Path) -> bool:
        labeled = photograph.with_suffix("")
        return labeled.suffix[1:] in labels and labeled.with_suffix("") in stems

    return [photograph for photograph in photographs if not is_result(photograph)]


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


@dataclass
class _Targets:
    """Where results go: never onto a photograph to color, nor onto each other."""

    sources: set[Path]
    if_there: IfThere
    claimed: dict[Path, Path] = field(default_factory=dict)

    def admit(self, task: Task) -> DeepcolorError | Literal["skip"] | None:
        """``None`` for a task to be done, "skip" for one to be left, or why it can't be done."""
        place = _place(task.target)
        if task.folder and not _place(task.target.parent).is_relative_to(_place(task.folder)):
            return OutsideOutputError(task.target, task.folder)
        if place in self.sources:
            return OverwritesInputError(task.target)
        if place in self.claimed:
            return SameResultError(self.claimed[place], task.source, task.target)
        self.claimed[place] = task.source
        if not _is_there(task.target) or self.if_there is IfThere.REPLACE:
            return None
        return "skip" if self.if_there is IfThere.SKIP else AlreadyThereError(task.target)


def _place(path: Path) -> Path:
    """Where the path leads. Unlike ``Path.resolve`` it takes links that lead to themselves."""
    return Path(os.path.realpath(path))


def _is_there(path: str | Path) -> bool:
    """Unlike ``Path.exists`` it takes names that are too long, and folders that are locked."""
    return os.path.exists(path)  # noqa: PTH110


def _is_there_as_folder(path: str | Path) -> bool:
    """Unlike ``Path.is_dir`` it takes what :func:`_is_there` does."""
    return os.path.isdir(path)  # noqa: PTH112


def _is_device(path: Path) -> bool:
    """Whether a path is a device like /dev/null itself: a link to one may be a stranger's."""
    try:
        return stat.S_ISCHR(path.lstat().st_mode)
    except OSError:
        return False


def _make_ready(settings: Settings, fetching: weights.Progress | None) -> None:
    """Has all that the strategies need on this machine, or raises what :func:`color_files` does."""
    from deepcolor import weights
    from deepcolor.check import check
    from deepcolor.registry import find

    cards = [find(strategy).card for strategy in settings.strategies]
    for card in cards:
        check(card, settings.knobs, settings.hints)
    for card in cards:
        if card.extra is not None and (problem := card.extra.problem):
            raise PackageMissingError(card.name, problem)
        weights.locate(card, fetching)


def _color(
    colorizer: Colorizer, tasks: Iterable[Task], settings: Settings
) -> Iterator[Encoded | DeepcolorError]:
    sources = [sys.stdin.buffer.read() if task.piped else task.source for task in tasks]
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


def _named_as_before(task: Task, wanted: Format) -> Task:
    """The task with its target as an earlier run corrected it, if that is there."""
    from deepcolor.encoding import SUFFIXES, written_format
    from deepcolor.photograph import format_of

    others = [_renamed(task.target, suffix) for suffix in SUFFIX_OF_FORMAT.values()]
    if task.exact or _is_there(task.target) or not any(_is_there(other) for other in others):
        return task
    read_as = format_of(task.source)
    if read_as is None:
        return task
    suffixes = SUFFIXES[written_format(read_as, wanted)]
    if task.target.suffix.lower() in suffixes:
        return task
    return replace(task, target=_renamed(task.target, suffixes[0]))


def _renamed(target: Path, suffix: str) -> Path:
    """With another suffix instead of one that names a format; any other belongs to the name."""
    stem = target.stem if target.suffix.lower() in READABLE else target.name
    return target.with_name(stem + suffix)


def _left(task: Task, verdict: DeepcolorError | Literal["skip"], device: str) -> Outcome:
    """What became of a task that was not admitted."""
    if isinstance(verdict, DeepcolorError):
        return Outcome(task, device, error=verdict.to_json())
    return Outcome(task, device, skipped=True)


def _write(
    task: Task, colored: Encoded | DeepcolorError, device: str, targets: _Targets
) -> Outcome:
    if isinstance(colored, DeepcolorError):
        return Outcome(task, device, error=colored.to_json())
    if not task.exact and task.target.suffix.lower() not in colored.suffixes:
        # The input's suffix did not tell its format.
        task = replace(task, target=_renamed(task.target, colored.suffixes[0]))
        verdict = targets.admit(task)
        if verdict is not None:
            return _left(task, verdict, device)
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
