"""When photographs are uploaded: the traces that the fleet is tried on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]

HOUR = 3600.0
DAY = 24 * HOUR


def steady(random: np.random.Generator) -> Seconds:
    """Visitors all day long: 20,000 in 24 hours, one after the other at random."""
    return np.sort(random.uniform(0, DAY, 20_000))


def burst(random: np.random.Generator) -> Seconds:
    """An archive at once: 100,000 within 20 minutes, about as fast as one machine uploads."""
    return np.sort(random.uniform(0, 20 * 60, 100_000))


def nightly(random: np.random.Generator) -> Seconds:
    """Five days of 50 photographs an hour from 9 to 17 o'clock, and 10,000 each night at 2."""
    days = [
        np.concatenate(
            [
                day * DAY + 2 * HOUR + random.uniform(0, 600, 10_000),
                day * DAY + random.uniform(9 * HOUR, 17 * HOUR, 400),
            ]
        )
        for day in range(5)
    ]
    return np.sort(np.concatenate(days))


TRACES: dict[str, Callable[[np.random.Generator], Seconds]] = {
    "steady": steady,
    "burst": burst,
    "nightly": nightly,
}
