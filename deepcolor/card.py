"""The strategy card: the one record that listings, manifest, page and docs are drawn from."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class License:
    """SPDX identifiers, or plain words where there is none, of a strategy's two halves.

    ``restricted`` says that the weights have no license or one that forbids commercial use: such
    a strategy is never chosen unless a person names it.
    """

    code: str
    weights: str
    restricted: bool = False


@dataclass(frozen=True)
class Extra:
    """A module that a strategy needs beyond deepcolor's own, and what ``pip install`` gets it."""

    module: str
    install: str

    @property
    def problem(self) -> str | None:
        """What is missing, in a sentence with the cure; ``None`` when the module is there."""
        try:
            if importlib.util.find_spec(self.module) is not None:
                return None
        except ImportError:  # what the module lies in is missing, too
            pass
        return f"It needs {self.module}: run pip install '{self.install}'."


@dataclass(frozen=True)
class WeightFile:
    """One file of weights, with its size in bytes and its sha256 in hex.

    ``url`` is where it is published. A file that lies in the strategy's own package has no URL
    but the ``package`` that carries it. Raises ``ValueError`` for one with both or neither.
    """

    filename: str
    bytes: int
    sha256: str
    url: str | None = None
    package: str | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (self.package is None):
            raise ValueError(f"{self.filename} needs either a url or the package that carries it")


@dataclass(frozen=True)
class Knob:
    """A number people may turn, between ``low`` and ``high``."""

    name: str
    description: str
    low: float
    default: float
    high: float


@dataclass(frozen=True)
class StrategyCard:
    """What there is to know of a strategy before its network is loaded.

    ``size`` is the side in pixels of the square the network prefers. With ``fit="stretch"`` every
    photograph becomes that square; with ``"aspect"`` it keeps its shape at that area, its sides
    multiples of ``multiple``. ``knobs`` are its own; :attr:`all_knobs` has those that every
    strategy takes as well. ``hints`` says whether people may guide it.
    """

    name: str
    title: str
    description: str
    url: str
    license: License
    training_data: str
    size: int
    fit: Literal["stretch", "aspect"] = "aspect"
    multiple: int = 32
    knobs: tuple[Knob, ...] = ()
    hints: bool = False
    weights: tuple[WeightFile, ...] = ()
    extra: Extra | None = None

    @property
    def all_knobs(self) -> tuple[Knob, ...]:
        return (
            *self.knobs,
            Knob("saturation", "a factor on the colors", low=0, default=1, high=2),
            Knob("size", "pixels of the square that the network sees", 64, self.size, 1024),
        )
