"""Holds the simulation against the local stack: real photographs, the real dispatcher and worker.

A first burst measures what the simulation must be told: how fast the worker is, how long dispatch
takes and how fast it is. Then other traces run for real and in the simulation, with those figures.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from functions.contract.records import Record, Records
from infra.costs.arrivals import Seconds
from infra.costs.figures import Figures, Times
from infra.costs.simulation import Policy, simulate
from infra.local.cloud import RESULTS_BUCKET, UPLOADS_BUCKET
from infra.local.folder import held
from infra.local.ports import free_port
from infra.local.stack import Stack

PICTURES = Path(__file__).parents[2] / "docs/pictures"
PHOTOGRAPHS = 100
GIVE_UP_SECONDS = 300.0
# Before the trace, so that the simulation's worker, too, is there and idle when it begins.
AHEAD_SECONDS = 60.0
TOLERANCE, TOLERANCE_SECONDS = 0.25, 0.3


@dataclass(frozen=True)
class Run:
    """Times since the run's beginning, in seconds, of each photograph."""

    uploaded: Seconds
    queued: Seconds
    done: Seconds

    @property
    def waits(self) -> Seconds:
        return self.done - self.uploaded

    @property
    def per_second(self) -> float:
        return (len(self.done) - 1) / float(np.ptp(self.done))


@dataclass(frozen=True)
class Comparison:
    """One figure of one trace, as it was and as the simulation says."""

    trace: str
    figure: str
    measured: float
    simulated: float

    @property
    def holds(self) -> bool:
        slack = max(TOLERANCE * self.measured, TOLERANCE_SECONDS)
        return abs(self.simulated - self.measured) <= slack


def check() -> list[Comparison]:
    """Runs the local stack for about a minute, in a folder of its own."""
    with tempfile.TemporaryDirectory() as place, held(Path(place)):
        stack = Stack(Path(place), free_port(None, near=8000), free_port(None, near=9000))
        try:
            stack.start()
            return _compare(stack)
        finally:
            stack.stop()


def _compare(stack: Stack) -> list[Comparison]:
    random = np.random.default_rng(1)
    burst = np.zeros(PHOTOGRAPHS)
    _play(stack, burst[:10])  # warms everything up
    first = _play(stack, burst)
    speed = first.per_second
    figures = replace(
        Figures.read(),
        times=Times((0, 0), (0, 0), 0, 0, dispatch=float(np.min(first.queued - first.uploaded))),
        dispatched_per_second=(PHOTOGRAPHS - 1) / float(np.ptp(first.queued)),
        spot_share=0,
    )
    print(
        f"A burst of {PHOTOGRAPHS}: the worker colors {speed:.1f} photographs a second; dispatch "
        f"takes {figures.times.dispatch:.2f} s and at most {figures.dispatched_per_second:.0f} "
        "a second."
    )
    traces = {
        "another burst": burst,
        "half of what it can": np.cumsum(random.exponential(2 / speed, PHOTOGRAPHS)),
        "two bursts": np.repeat([0.0, 0.3 * PHOTOGRAPHS / speed], PHOTOGRAPHS // 2),
    }
    chip = replace(figures.chips["cpu"], photographs_per_second=speed)
    policy = Policy(max_workers=1, idle_seconds=10 * AHEAD_SECONDS)
    comparisons = []
    for name, trace in traces.items():
        run = _play(stack, trace)
        ahead = np.concatenate([[0.0], run.uploaded + AHEAD_SECONDS])
        simulated = simulate(ahead, chip, figures, policy)
        waits, done = simulated.waits[1:], simulated.done[1:]
        comparisons += [
            Comparison(name, "p50 wait, s", *(float(np.median(w)) for w in (run.waits, waits))),
            Comparison(
                name, "p99 wait, s", *(float(np.percentile(w, 99)) for w in (run.waits, waits))
            ),
            Comparison(name, "a second", run.per_second, (len(done) - 1) / float(np.ptp(done))),
        ]
    return comparisons


_number = itertools.count()


def _play(stack: Stack, trace: Seconds) -> Run:
    """Uploads a photograph at each moment of the trace, or as soon after as can be."""
    s3, folder = stack.cloud.s3(), f"run-{next(_number)}"
    photographs = itertools.cycle(
        [path.read_bytes() for path in sorted(PICTURES.glob("*.gray.jpg"))]
    )
    start = time.time()
    uploaded: dict[str, float] = {}
    for number, (moment, content) in enumerate(zip(trace, photographs, strict=False)):
        time.sleep(max(0.0, start + moment - time.time()))
        key = f"{folder}/{number}.jpg"
        s3.put_object(Bucket=UPLOADS_BUCKET, Key=key, Body=content)
        uploaded[key] = time.time() - start
    records = [_final(Records(s3, RESULTS_BUCKET), key) for key in uploaded]
    return Run(
        np.array(list(uploaded.values())),
        np.array([_moment(record, "queued") - start for record in records]),
        np.array([_moment(record, "done") - start for record in records]),
    )


def _final(records: Records, key: str) -> Record:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        record = records.get(key)
        if record is not None and record.status.is_final:
            return record
        time.sleep(0.5)  # seldom, for looking costs the stack some of its speed
    raise TimeoutError(f"{key} was not colored within {GIVE_UP_SECONDS:g} seconds.")


def _moment(record: Record, status: str) -> float:
    return datetime.fromisoformat(record.times[status]).timestamp()
