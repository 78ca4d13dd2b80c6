"""What a run is told, read from TOML; docs/training.md explains every line."""

from __future__ import annotations

import math
import tomllib
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from deepcolor.builtin.colornet.network import WIDTHS
from deepcolor.training.errors import ConfigError

IMAGENET, COLORNET = "imagenet", "colornet"
SCALARS: dict[str, Any] = {
    "int": int,
    "float": int | float,
    "str": str,
    "bool": bool,
    "Path": str,
}
NAMES = {"Path": "str"}  # of the types that TOML lacks
SHARE = (0.0, 1.0)
POSITIVE = (math.ulp(0.0), math.inf)
RANGES = {
    "seed": (0, 2**63 - 1),
    "schedule.batch": (1, math.inf),
    "schedule.steps": (0, math.inf),
    "schedule.minutes": (0, math.inf),
    "schedule.rate": POSITIVE,
    "schedule.trunk_rate": (0, math.inf),
    "schedule.trunk_decay": (0, math.inf),
    "schedule.thaw_at": SHARE,
    "schedule.frozen_blocks": (0, math.inf),
    "schedule.warm_up": SHARE,
    "schedule.weight_decay": (0, math.inf),
    "schedule.clip": POSITIVE,
    "schedule.ema": SHARE,
    "schedule.validations": (1, math.inf),
    "network.dropout": SHARE,
    "network.skipped": SHARE,
    "loss.uniform": SHARE,
    "loss.power": (0, 4.0),
    "loss.regression": (0, math.inf),
    "sampling.least_chroma": (0, math.inf),
    "crops.least_area": (0.01, 1.0),
    "crops.whole": SHARE,
    "crops.pasted": (0, 0.5),
    "simulation.clean": SHARE,
    "simulation.unguided": SHARE,
}
"""The least and the most that a number may be."""


@dataclass(frozen=True)
class Network:
    """Where it starts from, how wide and forgetful its decoder is, and how much of the trunk is
    skipped in a step.

    ``start`` is ``"imagenet"`` for the trunk alone, ``"colornet"`` for the package's own weights,
    or a file of weights.
    """

    start: str = IMAGENET
    widths: tuple[int, int, int, int] = WIDTHS
    dropout: float = 0.15
    skipped: float = 0.0


@dataclass(frozen=True)
class Sampling:
    """A photograph's chance is its source's weight times its rarity to the power ``rarity``."""

    least_chroma: float = 4.0
    rarity: float = 0.0
    sources: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Schedule:
    """How long, how much at once and how fast; shares are of all steps.

    ``minutes`` in place of ``steps`` lets the rate measured at the start decide. ``sizes`` are
    rows of a share from which on the crops have a side of so many pixels. ``trunk_decay`` is
    the rate of each of the trunk's blocks to that of the block after it.
    """

    batch: int
    sizes: tuple[tuple[float, int], ...]
    rate: float
    trunk_rate: float
    steps: int = 0
    minutes: float = 0.0
    trunk_decay: float = 1.0
    thaw_at: float = 0.0
    frozen_blocks: int = 0
    warm_up: float = 0.02
    weight_decay: float = 0.05
    clip: float = 1.0
    ema: float = 0.999
    bf16: bool = False
    validations: int = 10


@dataclass(frozen=True)
class Loss:
    """Rebalanced classification, and how much smooth L1 of the mean color is added."""

    uniform: float = 0.3
    power: float = 0.5
    regression: float = 0.0


@dataclass(frozen=True)
class Cropping:
    """The least share of a photograph's largest square that a crop shows, and the shares of the
    crops that show all of it and that a piece of another is pasted into.
    """

    least_area: float = 0.35
    whole: float = 0.0
    pasted: float = 0.0


@dataclass(frozen=True)
class Simulation:
    """Shares of the photographs that are given as they are, and without any hint."""

    clean: float = 0.35
    unguided: float = 0.5


@dataclass(frozen=True)
class Config:
    """One run: on which photographs, into which folder, and how."""

    photographs: Path
    run: Path
    seed: int
    schedule: Schedule
    network: Network = Network()
    sampling: Sampling = Sampling()
    crops: Cropping = Cropping()
    loss: Loss = Loss()
    simulation: Simulation = Simulation()

    @classmethod
    def read(cls, path: Path) -> Config:
        """Raises :class:`deepcolor.training.errors.ConfigError`."""
        try:
            told = tomllib.loads(path.read_text("utf-8-sig"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(path, str(error)) from error
        rooms = {
            "schedule": Schedule,
            "network": Network,
            "sampling": Sampling,
            "crops": Cropping,
            "loss": Loss,
            "simulation": Simulation,
        }
        for name, room in rooms.items():
            if name in told:
                told[name] = _filled(path, room, name, told[name])
        config: Config = _filled(path, cls, None, told)
        for key in ("photographs", "run"):
            if told[key] == "":
                raise ConfigError(path, f"{key} is empty")
        if bool(config.schedule.steps) == bool(config.schedule.minutes):
            raise ConfigError(path, "schedule needs either steps or minutes")
        if not _are_sizes(config.schedule.sizes):
            problem = "begin at share 0, rise in share and are multiples of 32 pixels"
            raise ConfigError(path, f"schedule.sizes are rows [share, pixels], which {problem}")
        if not _are_widths(config.network.widths):
            raise ConfigError(path, "network.widths are four numbers of channels")
        if not _are_factors(config.sampling.sources):
            raise ConfigError(path, "sampling.sources is a table of factors, none below 0")
        return config


def _are_sizes(told: Any) -> bool:
    if not isinstance(told, tuple) or not told:
        return False
    for row in told:
        match row:
            case (int() | float(), int(side)) if side > 0 and side % 32 == 0:
                pass
            case _:
                return False
    shares = [share for share, _ in told]
    return shares[0] == 0 and shares[-1] <= 1 and shares == sorted(set(shares))


def _are_widths(told: Any) -> bool:
    whole = isinstance(told, tuple) and all(isinstance(one, int) and one > 0 for one in told)
    return whole and len(told) == len(WIDTHS)


def _are_factors(told: Any) -> bool:
    return isinstance(told, dict) and all(
        isinstance(one, int | float) and 0 <= one < math.inf for one in told.values()
    )


def _filled(path: Path, room: type[Any], name: str | None, told: Any) -> Any:
    """A dataclass of what a table tells, its lists made tuples."""
    where = f"{name}." if name else ""
    if not isinstance(told, dict):
        raise ConfigError(path, f"{name} is no table")
    known = {one.name: one for one in fields(room)}
    for key in told:
        if key not in known:
            raise ConfigError(path, f"there is no {where}{key}")
    for key, one in known.items():
        if key not in told and one.default is MISSING and one.default_factory is MISSING:
            raise ConfigError(path, f"{where}{key} is missing")
    for key, value in told.items():
        kind = str(known[key].type)
        wanted = SCALARS.get(kind)
        if wanted is not None and (
            not isinstance(value, wanted) or isinstance(value, bool) != (wanted is bool)
        ):
            raise ConfigError(path, f"{where}{key} must be of type {NAMES.get(kind, kind)}")
        least, most = RANGES.get(f"{where}{key}", (-math.inf, math.inf))
        is_number = isinstance(value, int | float)
        if is_number and not (math.isfinite(value) and least <= value <= most):
            raise ConfigError(path, f"{where}{key} cannot be {value}")
    values = {key: _tuple(value) for key, value in told.items()}
    for key in ("photographs", "run"):
        if key in values:
            values[key] = Path(values[key])
    return room(**values)


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value
