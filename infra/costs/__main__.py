"""``python -m infra.costs``: what ``make costs`` runs; a line for each combination of options."""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deepcolor.arguments import number
from infra.costs.arrivals import TRACES
from infra.costs.check import TOLERANCE, TOLERANCE_SECONDS, check
from infra.costs.figures import FIGURES, Figures
from infra.costs.simulation import Outcome, Policy, simulate

DEFAULTS = Policy()


def _read(path: Path, read: Callable[[Path], Figures]) -> Figures:
    try:
        return read(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        parser.error(f"{path} cannot be read: {reason}")


parser = argparse.ArgumentParser(prog="python -m infra.costs", description=__doc__)
parser.add_argument(
    "command",
    nargs="?",
    choices=["simulate", "check"],
    default="simulate",
    help="check holds the simulation against the local stack, for about a minute",
)
parser.add_argument("--trace", nargs="+", choices=TRACES, default=list(TRACES))
parser.add_argument("--chip", nargs="+", default=["t4"], help="of the figures (default: t4)")
parser.add_argument("--max-workers", nargs="+", type=number(int, 1), default=[DEFAULTS.max_workers])
parser.add_argument(
    "--photographs-per-worker",
    nargs="+",
    type=number(int, 1),
    default=[DEFAULTS.photographs_per_worker],
)
parser.add_argument(
    "--idle-seconds", nargs="+", type=number(float, 0), default=[DEFAULTS.idle_seconds]
)
parser.add_argument(
    "--spot-share", nargs="+", type=number(float, 0, 1), help="of the workers, 0 to 1"
)
parser.add_argument("--figures", type=Path, default=FIGURES, help="speeds, prices and times")
parser.add_argument(
    "--benchmark",
    type=Path,
    metavar="FILE",
    help="a result of make bench, for the speed of the one --chip",
)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the lines of the table")

HEADING = (
    f"{'trace':8} {'chip':5} {'cap':>4} {'per':>6} {'idle':>6} {'spot':>5} | {'$ per 1,000':>11} "
    f"{'compute':>8} {'p50 wait':>9} {'p99 wait':>9} {'peak':>5} {'lost':>5}"
)


def main() -> int:
    arguments = parser.parse_args()
    if arguments.command == "check":
        return _check()
    return _simulate(arguments)


def _simulate(arguments: argparse.Namespace) -> int:
    figures = _read(arguments.figures, Figures.read)
    unknown = set(arguments.chip) - figures.chips.keys()
    if unknown:
        parser.error(f"--chip: there is no {min(unknown)}; there are: {', '.join(figures.chips)}")
    if arguments.benchmark:
        if len(arguments.chip) > 1:
            parser.error("--benchmark: name the one --chip that it was measured on")
        chip, with_benchmark = arguments.chip[0], figures.with_benchmark
        figures = _read(arguments.benchmark, lambda path: with_benchmark(chip, path))
    outcomes: dict[str, Outcome] = {}
    print(HEADING)
    for trace, chip, cap, per, idle, share in itertools.product(
        arguments.trace,
        arguments.chip,
        arguments.max_workers,
        arguments.photographs_per_worker,
        arguments.idle_seconds,
        arguments.spot_share or [figures.spot_share],
    ):
        uploaded = TRACES[trace](np.random.default_rng(arguments.seed))
        outcome = simulate(
            uploaded,
            figures.chips[chip],
            figures.with_spot_share(share),
            Policy(cap, per, idle),
            arguments.seed,
        )
        outcomes[f"{trace}, {chip}, at most {cap} workers"] = outcome
        p50, p99 = (_duration(float(np.percentile(outcome.waits, share))) for share in (50, 99))
        compute = outcome.compute_dollars / len(uploaded) * 1000
        print(
            f"{trace:8} {chip:5} {cap:4} {per:6} {idle:6g} {share:5.0%} | "
            f"{outcome.dollars_per_thousand:11.3f} {compute:8.3f} {p50:>9} {p99:>9} "
            f"{outcome.peak_fleet:5} {outcome.lost:5}"
        )
    for name in arguments.chip:
        chip = figures.chips[name]
        kind = "measured" if chip.is_measured else "NOT MEASURED"
        print(
            f"\n{name}: {chip.instance}, {chip.photographs_per_second:g} photographs a second "
            f"({kind}: {chip.source}); ${chip.spot:g} spot, ${chip.on_demand:g} on demand an hour.",
            end="",
        )
    print()
    if arguments.plot:
        from infra.costs.plot import draw

        draw(outcomes, arguments.plot)
        print(f"Drawn into {arguments.plot}.")
    return 0


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _check() -> int:
    # So that the stack's processes end with this one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    comparisons = check()
    print(f"{'trace':20} {'figure':12} {'measured':>9} {'simulated':>10}")
    for comparison in comparisons:
        verdict = "" if comparison.holds else "  DIFFERS"
        print(
            f"{comparison.trace:20} {comparison.figure:12} {comparison.measured:9.2f} "
            f"{comparison.simulated:10.2f}{verdict}"
        )
    print(f"Allowed: {TOLERANCE:.0%}, or {TOLERANCE_SECONDS:g} where that is more.")
    return 0 if all(comparison.holds for comparison in comparisons) else 1


if __name__ == "__main__":
    sys.exit(main())
