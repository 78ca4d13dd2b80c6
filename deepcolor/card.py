"""The strategy card: the one record that listings, manifest, page and docs are drawn from.

Whoever writes a strategy writes these by hand, and a mistake must cost nobody else: all of them
raise ``ValueError``, in a sentence, for what they cannot be.
"""

from __future__ import annotations

import importlib.util
import math
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

NETWORK_SIDES = (64, 1024)
"""Pixels of the square that a network sees, at least and at most."""
TAKEN = frozenset({"hints", "saturation", "size", "source", "strategy"})
"""What no knob of a strategy's own is called, for it would stand beside something else's name."""

_STRATEGY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_KNOB = re.compile(r"[a-z][a-z0-9_]{0,63}")  # as S3 has names of metadata, and Python of arguments


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _are(kind: type, *values: object) -> bool:
    return all(isinstance(value, kind) for value in values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class License:
    """SPDX identifiers, or plain words where there is none, of a strategy's two halves.

    ``restricted`` says that the weights have no license or one that forbids commercial use: such
    a strategy is never chosen unless a person names it.
    """

    code: str
    weights: str
    restricted: bool = False

    def __post_init__(self) -> None:
        are_texts = _are(str, self.code, self.weights)
        _require(are_texts, "a license's code and weights must be texts")
        _require(_are(bool, self.restricted), "a license's restricted must be True or False")


@dataclass(frozen=True)
class Extra:
    """A module that a strategy needs beyond deepcolor's own, and what ``pip install`` gets it."""

    module: str
    install: str

    def __post_init__(self) -> None:
        _require(
            _are(str, self.module, self.install), "an extra's module and install must be texts"
        )

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
    but the ``package`` that carries it, and a ``filename`` below that.
    """

    filename: str
    bytes: int
    sha256: str
    url: str | None = None
    package: str | None = None

    def __post_init__(self) -> None:
        _require(_are(str, self.filename), "the filename of a file of weights must be a text")
        named = f"the file of weights {self.filename!r}"
        is_either = (self.url is None) != (self.package is None)
        _require(is_either, f"{named} needs either a url or the package that carries it")
        _require(
            _are(str, self.url or self.package), f"the url or package of {named} must be a text"
        )
        path = PurePosixPath(self.filename)
        is_below = path.name != "" and ".." not in path.parts and not path.is_absolute()
        is_name = is_below and (self.package is not None or path.name == self.filename)
        _require(is_name, f"{named} is not named as a file can be")
        _require(
            _are(int, self.bytes) and self.bytes > 0,
            f"the bytes of {named} must be a whole number above 0",
        )
        is_hash = _are(str, self.sha256) and re.fullmatch("[0-9a-f]{64}", self.sha256) is not None
        _require(is_hash, f"the sha256 of {named} is not of 64 of the characters 0-9 a-f")


@dataclass(frozen=True)
class Knob:
    """A number people may turn, between ``low`` and ``high``.

    ``name`` is of a-z, 0-9 and _, a letter first.
    """

    name: str
    description: str
    low: float
    default: float
    high: float

    def __post_init__(self) -> None:
        is_named = _are(str, self.name) and _KNOB.fullmatch(self.name) is not None
        _require(
            is_named, f"the knob {self.name!r} is not named by 1 to 64 of a-z 0-9 _, a letter first"
        )
        _require(
            _are(str, self.description), f"the description of the knob {self.name!r} must be a text"
        )
        are_numbers = all(map(_is_number, (self.low, self.default, self.high)))
        _require(are_numbers, f"low, default and high of the knob {self.name!r} must be numbers")
        _require(
            self.low <= self.default <= self.high and self.low < self.high,
            f"low {self.low}, default {self.default} and high {self.high} of the knob "
            f"{self.name!r} must rise",
        )


@dataclass(frozen=True)
class StrategyCard:
    """What there is to know of a strategy before its network is loaded.

    ``name`` is of letters, digits, ``_`` and ``-``. ``size`` is the side in pixels, 64 to 1024, of
    the square the network prefers. With ``fit="stretch"`` every photograph becomes that square;
    with ``"aspect"`` it keeps its shape at that area, its sides multiples of ``multiple``, as
    ``size`` is. ``knobs`` are its own; :attr:`all_knobs` has those that every
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

    def __post_init__(self) -> None:
        is_named = _are(str, self.name) and _STRATEGY.fullmatch(self.name) is not None
        _require(
            is_named,
            f"its name is {self.name!r}, which is not of 1 to 64 of the characters "
            "A-Z a-z 0-9 _ -, a letter or digit first",
        )
        texts = (self.title, self.description, self.url, self.training_data)
        _require(_are(str, *texts), "its title, description, url and training_data must be texts")
        _require(_are(License, self.license), "its license must be a deepcolor.License")
        _require(_are(bool, self.hints), "its hints must be True or False")
        self._check_shape()
        self._check_parts()

    def _check_shape(self) -> None:
        low, high = NETWORK_SIDES
        _require(
            self.fit in {"stretch", "aspect"},
            f"its fit must be 'stretch' or 'aspect', not {self.fit!r}",
        )
        is_whole = _are(int, self.size, self.multiple) and self.multiple >= 1
        _require(is_whole, "its size and multiple must be whole numbers above 0")
        _require(low <= self.size <= high, f"its size must be {low} to {high}, not {self.size}")
        is_multiple = self.size % self.multiple == 0
        _require(is_multiple, f"its size, {self.size}, must be a multiple of {self.multiple}")

    def _check_parts(self) -> None:
        for name, parts, kind in (
            ("knobs", self.knobs, Knob),
            ("weights", self.weights, WeightFile),
        ):
            is_tuple = isinstance(parts, tuple) and _are(kind, *parts)
            _require(is_tuple, f"its {name} must be a tuple of {kind.__name__}")
        _require(
            self.extra is None or _are(Extra, self.extra), "its extra must be a deepcolor.Extra"
        )
        knobs = [knob.name for knob in self.knobs]
        if taken := TAKEN.intersection(knobs):
            raise ValueError(f"its knob {min(taken)!r} has a name that is taken; choose another")
        _require(len({*knobs}) == len(knobs), "two of its knobs have one name")
        files = {file.filename for file in self.weights}
        _require(len(files) == len(self.weights), "two of its files of weights have one name")

    @property
    def all_knobs(self) -> tuple[Knob, ...]:
        low, high = NETWORK_SIDES
        return (
            *self.knobs,
            Knob("saturation", "a factor on the colors", low=0, default=1, high=2),
            Knob("size", "pixels of the square that the network sees", low, self.size, high),
        )
