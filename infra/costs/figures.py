"""The figures that the simulation is fed with, from ``figures.json``: speeds, prices, times."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("figures.json")


@dataclass(frozen=True)
class Chip:
    """What colors, and what an instance with it costs in US dollars an hour.

    ``photographs_per_second`` is of a whole worker: fetch, decode, network, encode, store.
    """

    instance: str
    photographs_per_second: float
    on_demand: float
    spot: float
    is_measured: bool
    source: str


@dataclass(frozen=True)
class Times:
    """How the cloud takes its time, in seconds; those with a range are drawn from it evenly.

    ``acquire``: from a job's submission to an instance that runs and is billed. ``start``: from
    there to a worker that takes photographs, with the image's download. ``restart``: the same on an
    instance that still stands from another job. ``linger``: how long Batch keeps such a one.
    ``dispatch``: from an upload to its message in the work queue.
    """

    acquire: tuple[float, float]
    start: tuple[float, float]
    restart: float
    linger: float
    dispatch: float


@dataclass(frozen=True)
class Figures:
    """All of the file. ``dollars_per_photograph`` is for requests to S3, SQS and Lambda."""

    chips: dict[str, Chip]
    times: Times
    dispatched_per_second: float
    dollars_per_photograph: float
    dollars_per_instance_hour: float
    spot_share: float
    spot_losses_per_hour: float

    @classmethod
    def read(cls, path: Path = FIGURES) -> Figures:
        data: dict[str, Any] = json.loads(path.read_text())
        times = data["times"]
        return cls(
            chips={name: Chip(**chip) for name, chip in data["chips"].items()},
            times=Times(
                acquire=tuple(times["acquire"]),
                start=tuple(times["start"]),
                restart=times["restart"],
                linger=times["linger"],
                dispatch=times["dispatch"],
            ),
            dispatched_per_second=data["dispatched_per_second"],
            dollars_per_photograph=sum(
                request["count"] * request["dollars"] for request in data["requests"].values()
            ),
            dollars_per_instance_hour=sum(data["instance_hour_extras"].values()),
            spot_share=data["spot"]["share"],
            spot_losses_per_hour=data["spot"]["losses_per_hour"],
        )

    def with_spot_share(self, share: float) -> Figures:
        return replace(self, spot_share=share)

    def with_benchmark(self, chip: str, path: Path) -> Figures:
        """With the speed of the whole pipeline that ``make bench`` found on such an instance."""
        result: dict[str, Any] = json.loads(path.read_text())
        machine = result["machine"]
        measured = replace(
            self.chips[chip],
            photographs_per_second=float(result["sections"]["pipeline"]["figures"]["per_second"]),
            is_measured=True,
            source=f"make bench, {result['date']}, on {machine['gpu'] or machine['processor']} "
            f"with {machine['cores']} cores",
        )
        return replace(self, chips=self.chips | {chip: measured})
