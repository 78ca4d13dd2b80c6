"""Coloring what is planned, never onto what must stay, and what became of each photograph."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepcolor.disk import is_taken, is_there, place_of, write_whole
from deepcolor.errors import (
    AlreadyThereError,
    DeepcolorError,
    NotWritableError,
    OutsideOutputError,
    OverwritesInputError,
    SameResultError,
    reason,
)
from deepcolor.files.plan import Plan, Settings, Task
from deepcolor.formats import SUFFIX_OF_FORMAT, SUFFIXES, Format, renamed, written_format

if TYPE_CHECKING:
    from deepcolor import weights
    from deepcolor.colorizer import Colorizer, Encoded


class IfThere(Enum):
    """What to do about a result that is there from before."""

    FAIL = "fail"
    SKIP = "skip"
    REPLACE = "replace"


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


def color_files(
    plan: Plan, if_there: IfThere, progress: weights.Progress | None = None
) -> Iterator[Outcome]:
    """Colors what is planned, in order; what fails is reported and the next goes on.

    ``progress`` is told of weights that come meanwhile. Raises the errors of knobs and hints, and
    those of :func:`deepcolor.load`, before all.
    """
    from deepcolor.colorizer import load

    settings = plan.settings
    _make_ready(settings, progress)
    targets = _Targets({place_of(task.source) for task in plan.tasks}, if_there)
    for strategy in settings.strategies:
        colorizer = load(strategy, device=settings.device, progress=progress)
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


def color_stream(plan: Plan, progress: weights.Progress | None = None) -> bytes:
    """The file in color of a plan's only task; ``progress`` as in :func:`color_files`."""
    from deepcolor.colorizer import load

    [task], settings = plan.tasks, plan.settings
    source = _source(task)
    colorizer = load(task.strategy, device=settings.device, progress=progress)
    return colorizer.file(source, settings.knobs, **_file_options(settings)).content


@dataclass
class _Targets:
    """Where results go: never onto a photograph to color, nor onto each other."""

    sources: set[Path]
    if_there: IfThere
    claimed: dict[Path, Path] = field(default_factory=dict)

    def admit(self, task: Task) -> DeepcolorError | Literal["skip"] | None:
        """``None`` for a task to be done, "skip" for one to be left, or why it can't be done."""
        place = place_of(task.target)
        if task.folder and not place_of(task.target.parent).is_relative_to(place_of(task.folder)):
            return OutsideOutputError(task.target, task.folder)
        if place in self.sources:
            return OverwritesInputError(task.target)
        if place in self.claimed:
            return SameResultError(self.claimed[place], task.source, task.target)
        self.claimed[place] = task.source
        if not is_taken(task.target) or self.if_there is IfThere.REPLACE:
            return None
        return self.refuse(task)

    def refuse(self, task: Task) -> DeepcolorError | Literal["skip"]:
        """What is said of a task whose target is there."""
        return "skip" if self.if_there is IfThere.SKIP else AlreadyThereError(task.target)


def _make_ready(settings: Settings, progress: weights.Progress | None) -> None:
    """Has all that the strategies need on this machine, or raises what :func:`color_files` does."""
    from deepcolor import weights
    from deepcolor.check import check, check_package
    from deepcolor.devices import device_named
    from deepcolor.registry import find

    device_named(settings.device)
    cards = [find(strategy).card for strategy in settings.strategies]
    for card in cards:
        check(card, settings.knobs, settings.hints)
    for card in cards:
        check_package(card)
        weights.locate(card, progress)


def _color(
    colorizer: Colorizer, tasks: Iterable[Task], settings: Settings
) -> Iterator[Encoded | DeepcolorError]:
    sources = [_source(task) for task in tasks]
    options = _file_options(settings)
    return colorizer.map(sources, settings.knobs, jobs=settings.jobs, **options)


def _source(task: Task) -> bytes | Path:
    return sys.stdin.buffer.read() if task.piped else task.source


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
    from deepcolor.photograph import format_of

    others = [renamed(task.target, suffix) for suffix in SUFFIX_OF_FORMAT.values()]
    if task.exact or is_there(task.target) or not any(is_there(other) for other in others):
        return task
    read_as = format_of(task.source)
    if read_as is None:
        return task
    suffixes = SUFFIXES[written_format(read_as, wanted)]
    if task.target.suffix.lower() in suffixes:
        return task
    return replace(task, target=renamed(task.target, suffixes[0]))


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
        task = replace(task, target=renamed(task.target, colored.suffixes[0]))
        verdict = targets.admit(task)
        if verdict is not None:
            return _left(task, verdict, device)
    try:
        replacing = targets.if_there is IfThere.REPLACE
        write_whole(task.target, colored.content, replacing=replacing)
    except FileExistsError:  # it came while the photograph was colored
        return _left(task, targets.refuse(task), device)
    except OSError as error:
        problem = NotWritableError(task.target, reason(error))
        return Outcome(task, device, error=problem.to_json())
    return Outcome(
        task,
        device,
        width=colored.width,
        height=colored.height,
        milliseconds=colored.milliseconds,
    )
