"""Which strategies are installed: everything in the entry-point group ``deepcolor.strategies``."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from deepcolor import weights
from deepcolor.card import StrategyCard
from deepcolor.errors import StrategyNameTakenError, UnknownStrategyError
from deepcolor.strategy import Strategy

GROUP = "deepcolor.strategies"
DEFAULT = "colornet"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def strategies() -> Mapping[str, type[Strategy]]:
    """The installed strategies by name, sorted, the default one first.

    One that fails to import, or is none, is left out with a warning, so that it costs nobody else.
    Raises :class:`StrategyNameTakenError` when two packages bring the same name.
    """
    found: dict[str, type[Strategy]] = {}
    owner: dict[str, str] = {}
    for point in entry_points(group=GROUP):
        try:
            strategy = point.load()
            _check(point.name, strategy)
        except Exception as error:
            warnings.warn(f"The strategy '{point.name}' cannot be loaded: {error}", stacklevel=2)
            continue
        name = strategy.card.name
        if name in found and found[name] is not strategy:
            raise StrategyNameTakenError(name, owner[name], _package(point))
        found[name], owner[name] = strategy, _package(point)
    return dict(sorted(found.items(), key=lambda item: (item[0] != DEFAULT, item[0])))


def names() -> frozenset[str]:
    """What the installed strategies are called by their packages; imports none of them."""
    return frozenset(point.name for point in entry_points(group=GROUP))


def find(name: str) -> type[Strategy]:
    """The strategy of that name; raises :class:`UnknownStrategyError`, naming the nearest."""
    known = strategies()
    if name not in known:
        raise UnknownStrategyError(name, known)
    return known[name]


def manifest() -> dict[str, Any]:
    """The cards with their readiness on this machine, as JSON takes them.

    ``knobs`` are all that the strategy takes. ``ready`` says whether it can run here at once; if
    not, ``problem`` says in a sentence what to do.
    """
    return {
        "default": DEFAULT,
        "strategies": [_entry(strategy.card) for strategy in strategies().values()],
    }


def problem(card: StrategyCard) -> str | None:
    """Why the strategy cannot run here at once, in a sentence with the cure; ``None`` if it can."""
    return (card.extra and card.extra.problem) or weights.problem(card)


def _check(name: str, strategy: Any) -> None:
    """Raises what makes a class no strategy that others can be listed beside."""
    if not (inspect.isclass(strategy) and issubclass(strategy, Strategy)):
        raise TypeError("it is no subclass of deepcolor.Strategy")
    if inspect.isabstract(strategy):
        raise TypeError("it has no method predict")
    if not isinstance(getattr(strategy, "card", None), StrategyCard):
        raise TypeError("it has no deepcolor.StrategyCard as its card")
    if not _NAME.fullmatch(strategy.card.name):
        raise ValueError(
            f"its name is {strategy.card.name!r}, which is not of 1 to 64 of the characters "
            "A-Z a-z 0-9 _ -, a letter or digit first"
        )
    for file in strategy.card.weights:
        if file.package is not None:
            weights.path(file)  # the package may not be there
    if strategy.card.name != name:
        raise ValueError(f"its card calls it '{strategy.card.name}'")


def _entry(card: StrategyCard) -> dict[str, Any]:
    obstacle = problem(card)
    return asdict(card) | {
        "knobs": [asdict(knob) for knob in card.all_knobs],
        "ready": obstacle is None,
        "problem": obstacle,
    }


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value
