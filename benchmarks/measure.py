"""Timing, children, and targets: what all the benchmarks are made of."""

from __future__ import annotations

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROGRAM = str(Path(sys.executable).with_name("deepcolor"))
CHILD_SECONDS = 600


@dataclass(frozen=True)
class Target:
    """A ratio within one run, and what it should be."""

    what: str
    value: float
    limit: float
    at_least: bool = False
    unit: str = "x"

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Section:
    """What one benchmark found: figures by name, with their unit in it, and targets."""

    figures: dict[str, Any] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        targets = [asdict(target) | {"is_met": target.is_met} for target in self.targets]
        return {"figures": self.figures, "targets": targets}


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median of ``repeats`` runs, after one that warms up."""
    work()
    return statistics.median(timed(work) for _ in range(repeats))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def side_by_side(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Medians of works that take turns, so that a change of the machine's mood meets them all."""
    for work in works.values():
        work()
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            spent[name].append(timed(work))
    return {name: statistics.median(times) for name, times in spent.items()}


def child(
    arguments: Sequence[str],
    *,
    python: str = sys.executable,
    environment: Mapping[str, str] | None = None,
) -> str:
    """What a Python of its own prints."""
    return subprocess.run(
        [python, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if python == sys.executable else None,
        text=True,
        timeout=CHILD_SECONDS,
    ).stdout


def child_json(arguments: Sequence[str], **options: Any) -> Any:
    """The last line that a Python of its own prints, read as JSON."""
    return json.loads(child(arguments, **options).splitlines()[-1])


def peak_megabytes() -> float:
    """The most memory that this process has held."""
    try:
        # What getrusage tells on Linux may be that of the process which started this one.
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS counts bytes
    [kibibytes] = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kibibytes) * 1024 / 1e6
