"""The simulation of the fleet: arithmetic that can be done by hand, and what must always hold."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import machine
from infra.costs.arrivals import TRACES, Seconds
from infra.costs.check import Comparison
from infra.costs.figures import Chip, Figures, Times
from infra.costs.plot import draw
from infra.costs.simulation import Outcome, Policy, simulate
from tests.infra.template import RESOURCES, ROOT, TEMPLATE

FIGURES = Figures.read()
CHIP = Chip("an instance", 10.0, on_demand=3.6, spot=1.8, is_measured=False, source="this test")
# Everything takes its time exactly, nothing is lost, and requests cost nothing.
EXACT = Figures(
    chips={},
    times=Times(acquire=(30, 30), start=(60, 60), restart=20, linger=100, dispatch=0),
    dispatched_per_second=1e9,
    dollars_per_photograph=0,
    dollars_per_instance_hour=0,
    spot_share=0,
    spot_losses_per_hour=0,
)


def at_once(photographs: int, at: float = 0.0) -> Seconds:
    return np.full(photographs, at)


def costs(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.costs", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def run(uploaded: Seconds, figures: Figures = EXACT, **policy: float) -> Outcome:
    return simulate(uploaded, CHIP, figures, Policy(**policy))  # type: ignore[arg-type]


def test_one_worker_by_hand() -> None:
    outcome = run(at_once(100), max_workers=1)
    # 30 s until there is an instance, 60 until its worker is up, and ten photographs a second.
    assert outcome.done == pytest.approx(90 + np.arange(1, 101) / 10)
    # Paid for: 60 to start, 10 of work, 60 idle, 100 until Batch takes the instance away.
    assert outcome.compute_dollars == pytest.approx((60 + 10 + 60 + 100) * 3.6 / 3600)
    assert outcome.dollars_per_thousand == pytest.approx(10 * outcome.compute_dollars)
    assert outcome.peak_fleet == 1


def test_what_is_paid_by_hand() -> None:
    extras = replace(EXACT, dollars_per_instance_hour=0.36, dollars_per_photograph=0.01)
    outcome = run(at_once(100), extras, max_workers=1)
    assert outcome.compute_dollars == pytest.approx(230 * (3.6 + 0.36) / 3600)
    assert outcome.request_dollars == pytest.approx(100 * 0.01)
    assert outcome.dollars_per_thousand == pytest.approx(10 * (0.253 + 1))


def test_the_backlog_calls_for_workers_up_to_the_cap() -> None:
    for photographs, workers in ((1, 1), (500, 1), (501, 2), (1500, 3), (100_000, 4)):
        assert run(at_once(photographs)).peak_fleet == workers


def test_a_worker_that_is_up_takes_what_comes_while_it_is_idle() -> None:
    outcome = run(np.concatenate([at_once(10), at_once(1, 120.0)]))
    assert len(outcome.instances) == 1
    assert outcome.waits[-1] == pytest.approx(0.1)


@pytest.mark.parametrize(("later", "instances", "wait"), [(240.0, 1, 20.1), (400.0, 2, 90.1)])
def test_an_instance_that_still_stands_takes_the_next_worker(
    later: float, instances: int, wait: float
) -> None:
    # The first leaves 151 s after the upload, and its instance goes at 251.
    outcome = run(np.concatenate([at_once(10), at_once(1, later)]))
    assert len(outcome.instances) == instances
    assert outcome.waits[-1] == pytest.approx(wait)


def test_dispatch_is_no_faster_than_it_is() -> None:
    slow = replace(EXACT, dispatched_per_second=5.0)
    outcome = run(at_once(1000), slow, max_workers=1)
    assert outcome.done[-1] == pytest.approx(999 / 5 + 0.1, abs=0.2)


def test_what_a_lost_instance_had_in_hand_is_colored_elsewhere() -> None:
    lossy = replace(EXACT, spot_share=1, spot_losses_per_hour=20.0)
    outcome, calm = (
        run(at_once(20_000), figures) for figures in (lossy, replace(lossy, spot_losses_per_hour=0))
    )
    assert outcome.lost > 0
    assert calm.lost == 0
    assert np.isfinite(outcome.done).all()
    assert outcome.done.max() > calm.done.max()
    # Each at its own moment: no worker colors two at once, nor one twice.
    assert 4 < len(outcome.instances) <= 4 + outcome.lost
    busy = np.sort(outcome.done)
    assert (busy[4:] - busy[:-4] >= 0.1 - 1e-6).all()


class Fate:
    """Chance that has each instance last as long as it is told to."""

    def __init__(self, *lasts: float):
        self.lasts = iter(lasts)

    def random(self) -> float:
        return 0.0

    def uniform(self, low: float, high: float) -> float:
        return low

    def exponential(self, scale: float) -> float:
        return next(self.lasts)


def test_what_a_lost_instance_had_in_hand_goes_to_whoever_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = replace(CHIP, photographs_per_second=0.1)
    lossy = replace(EXACT, spot_share=1, spot_losses_per_hour=1)
    # The first begins at 30 s and takes ten photographs at 90; it has four when it goes at 130.
    # The other takes the one that is left, at 91. A third could take some from 220 on.
    monkeypatch.setattr(np.random, "default_rng", lambda seed: Fate(100, 1e6, 1e6))
    outcome = simulate(at_once(11), slow, lossy, Policy(photographs_per_worker=10))
    assert (outcome.lost, len(outcome.instances)) == (1, 3)
    assert np.sort(outcome.done) == pytest.approx([100, 101, *range(110, 191, 10)])


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("cap", [1, 4, 32])
def test_every_trace_is_colored_within_the_cap(trace: str, cap: int) -> None:
    uploaded = TRACES[trace](np.random.default_rng(2))
    start = time.perf_counter()
    outcome = simulate(uploaded, FIGURES.chips["t4"], FIGURES, Policy(max_workers=cap))
    assert time.perf_counter() - start < 30  # a second or two on a machine that is at rest
    assert (outcome.waits > 0).all()
    assert outcome.peak_fleet <= cap
    assert outcome.fleet()[1][-1] == 0
    assert all(instance.end > instance.begin for instance in outcome.instances)


def test_the_same_seed_gives_the_same() -> None:
    uploaded = TRACES["burst"](np.random.default_rng(1))[:5000]
    once, again, other = (
        simulate(uploaded, FIGURES.chips["t4"], FIGURES, Policy(), seed) for seed in (1, 1, 2)
    )
    assert (once.done == again.done).all()
    assert once.compute_dollars == again.compute_dollars
    assert (once.done != other.done).any()


def test_the_defaults_are_the_templates() -> None:
    defaults, parameters = Policy(), TEMPLATE["Parameters"]
    job = RESOURCES["JobDefinition"]["Properties"]["ContainerProperties"]
    assert defaults.max_workers == int(parameters["MaxWorkers"]["Default"])
    assert defaults.photographs_per_worker == parameters["PhotographsPerWorker"]["Default"]
    assert job["Command"][:2] == ["--exit-when-idle", f"{defaults.idle_seconds:g}"]
    offered = parameters["GpuInstanceTypes"]["Default"].split(",")
    assert {chip.instance for name, chip in FIGURES.chips.items() if name != "cpu"} >= set(offered)


def test_figures_that_nobody_measured_say_so() -> None:
    for chip in FIGURES.chips.values():
        assert chip.is_measured or chip.source.startswith("assumed")


def test_the_speed_may_come_from_a_benchmark(tmp_path: Path) -> None:
    result = {
        "date": "2026-11-26",
        "machine": machine.describe(),
        "sections": {"pipeline": {"figures": {"per_second": 7.5}}},
    }
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result))
    options = ["--trace", "nightly", "--benchmark", str(path)]
    done = costs(*options, "--chip", "cpu")
    assert "7.5 photographs a second (measured: make bench, 2026-11-26, on " in done.stdout
    assert costs(*options, "--chip", "cpu", "t4").returncode == 2
    assert FIGURES.with_benchmark("t4", path).chips["cpu"] == FIGURES.chips["cpu"]


def test_the_benchmark_still_tells_the_pipelines_speed() -> None:
    assert (
        '"per_second": median(lambda one: many / one.stack)'
        in (ROOT / "benchmarks/pipeline.py").read_text()
    )


def test_a_comparison_allows_a_quarter_or_a_little() -> None:
    assert Comparison("", "", measured=10, simulated=12.5).holds
    assert not Comparison("", "", measured=10, simulated=12.6).holds
    assert Comparison("", "", measured=0.1, simulated=0.35).holds


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    draw({"a": run(at_once(500)), "b": run(at_once(50))}, tmp_path / "fleet.png")
    with Image.open(tmp_path / "fleet.png") as picture:
        assert picture.width > picture.height > 300
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 10


def test_the_command_prints_a_line_for_each_combination() -> None:
    done = costs("--trace", "nightly", "--chip", "cpu", "t4", "--idle-seconds", "0", "60")
    assert done.returncode == 0, done.stderr
    table, _, notes = done.stdout.partition("\n\n")
    assert [line.split()[:2] for line in table.splitlines()[1:]] == [
        ["nightly", chip] for chip in ("cpu", "cpu", "t4", "t4")
    ]
    assert "NOT MEASURED" in notes


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--max-workers", "0"], "argument --max-workers: 0 is not 1 or more"),
        (["--photographs-per-worker", "0"], "0 is not 1 or more"),
        (["--idle-seconds", "-1"], "-1 is not 0 or more"),
        (["--spot-share", "5"], "5 is not 0 to 1"),
        (["--figures", "nowhere.json"], "nowhere.json cannot be read: No such file or directory"),
        (["--benchmark", "Makefile"], "Makefile cannot be read: JSONDecodeError"),
    ],
)
def test_what_cannot_be_simulated_is_told(options: list[str], problem: str) -> None:
    command = [sys.executable, "-m", "infra.costs", *options]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr
