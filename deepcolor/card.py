"""The strategy card: the one record that listings, manifest, page and docs are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class License:
    """SPDX identifiers, or plain words where there is none, of a strategy's two halves."""

    code: str
    weights: str


@dataclass(frozen=True)
class WeightFile:
    """One file of weights, with its size in bytes and its sha256 in hex.

    ``url`` is where it is published. A file that lies in the strategy's own package has no URL
    but the ``package`` that carries it.
    """

    filename: str
    bytes: int
    sha256: str
    url: str | None = None
    package: str | None = None


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
    multiples of ``multiple``. ``upsampling`` is how its a*b* grow to the photograph's size.
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
    upsampling: Literal["bilinear", "bicubic"] = "bicubic"
    knobs: tuple[Knob, ...] = ()
    weights: tuple[WeightFile, ...] = ()
