"""The simulation's picture: for each trace, what waits and how many instances stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from infra.costs.arrivals import HOUR
from infra.costs.simulation import Outcome

POINTS = 20_000
BLUE, ORANGE, GRAY = "#3b6ea8", "#c9713a", "#888888"


def draw(outcomes: dict[str, Outcome], path: Path) -> None:
    """Writes a picture of named outcomes, one below the other, in the format of ``path``'s name.

    Needs matplotlib: ``pip install matplotlib``.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(9, 2.4 * len(outcomes)), layout="constrained")
    axes = figure.subplots(len(outcomes), squeeze=False)[:, 0]
    for waiting, (name, outcome) in zip(axes, outcomes.items(), strict=True):
        times, instances = outcome.fleet()
        moments = np.linspace(0, times[-1], POINTS)
        hours, unit = (HOUR, "hours") if times[-1] > 3 * HOUR else (60.0, "minutes")
        waiting.fill_between(
            moments / hours, outcome.backlog(moments), color=BLUE, alpha=0.35, lw=0
        )
        waiting.set_title(name, loc="left", fontsize=10)
        waiting.set_ylabel("photographs waiting", color=BLUE, fontsize=8)
        waiting.set_xlabel(unit, fontsize=8, color=GRAY)
        waiting.set_xlim(0, times[-1] / hours)
        waiting.set_ylim(bottom=0)
        standing = waiting.twinx()
        steps = np.concatenate([[0.0], times]) / hours, np.concatenate([[0.0], instances])
        standing.step(*steps, where="post", color=ORANGE, lw=1.2)
        standing.yaxis.set_major_locator(MaxNLocator(integer=True))
        standing.set_ylabel("instances", color=ORANGE, fontsize=8)
        standing.set_ylim(0, outcome.peak_fleet + 1)
        for side in (waiting, standing):
            side.tick_params(labelsize=8, colors=GRAY)
            side.spines[["top"]].set_visible(False)
    figure.savefig(path, dpi=110, metadata={"Software": None} if path.suffix == ".png" else None)
