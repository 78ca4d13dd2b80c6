"""Which strategies are installed: everything in the entry-point group ``deepcolor.strategies``."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Collection, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from importlib.metadata import EntryPoint, entry_points
from threading import RLock
from typing import Any

from deepcolor import defaults, weights
from deepcolor.card import StrategyCard
from deepcolor.errors import StrategyBrokenError, StrategyNameTakenError, UnknownStrategyError
from deepcolor.strategy import Strategy

GROUP = "deepcolor.strategies"
IMPORTING = RLock()  # a package may look up strategies while it is imported


def strategies() -> Mapping[str, type[Strategy]]:
    """The installed strategies by name, sorted, the default one first.

    One that fails to import, or is none, is left out with a warning, so that it costs nobody else.
    Raises :class:`StrategyNameTakenError` when two packages bring the same name.
    """
    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        points.setdefault(point.name, []).append(point)
    found: dict[str, type[Strategy]] = {}
    for name in sorted(points, key=lambda name: (name != defaults.STRATEGY, name)):
        try:
            found[name] = _loaded(name, points[name])
        except StrategyBrokenError as error:
            warnings.warn(str(error), stacklevel=2)
    return found


def names() -> frozenset[str]:
    """What the installed strategies are called by their packages; imports none of them."""
    return frozenset(point.name for point in entry_points(group=GROUP))


def find(name: str) -> type[Strategy]:
    """The strategy of that name; imports no other.

    Raises :class:`UnknownStrategyError`, naming the nearest, :class:`StrategyBrokenError` where it
    fails to import, or is none, and :class:`StrategyNameTakenError`.
    """
    points = entry_points(group=GROUP, name=name)
    if not points:
        raise UnknownStrategyError(name, strategies())
    return _loaded(name, points)


def manifest() -> dict[str, Any]:
    """The cards with their readiness on this machine, as JSON takes them.

    ``knobs`` are all that the strategy takes. ``ready`` says whether it can run here at once; if
    not, ``problem`` says in a sentence what to do.
    """
    return {
        "default": defaults.STRATEGY,
        "strategies": [_entry(strategy.card) for strategy in strategies().values()],
    }


def problem(card: StrategyCard) -> str | None:
    """Why the strategy cannot run here at once, in a sentence with the cure; ``None`` if it can."""
    return (card.extra and card.extra.problem) or weights.problem(card)


def _loaded(name: str, points: Collection[EntryPoint]) -> type[Strategy]:
    """The one strategy that entry points of one name bring, raising what :func:`find` does."""
    first, *others = (_imported(point) for point in points)
    packages = [_package(point) for point in points]
    for other, package in zip(others, packages[1:], strict=True):
        if other is not first:
            raise StrategyNameTakenError(name, packages[0], package)
    return first


def _imported(point: EntryPoint) -> type[Strategy]:
    try:
        if point.module not in sys.modules:
            _import(point.module)
        strategy = point.load()
        _check(point.name, strategy)
    except (Exception, SystemExit) as error:
        raise StrategyBrokenError(point.name, f"it cannot be loaded ({error})") from error
    return strategy


def _import(module: str) -> None:
    """Has go to standard error what it prints: a photograph or JSON may be on its way to the other.

    One at a time, or one would put back what another has put there.
    """
    with IMPORTING, redirect_stdout(sys.stderr):
        importlib.import_module(module)


def _check(name: str, strategy: Any) -> None:
    """Raises what makes a class no strategy that others can be listed beside."""
    if not (inspect.isclass(strategy) and issubclass(strategy, Strategy)):
        raise TypeError("it is no subclass of deepcolor.Strategy")
    if inspect.isabstract(strategy):
        raise TypeError("it has no method predict")
    if not isinstance(getattr(strategy, "card", None), StrategyCard):
        raise TypeError("it has no deepcolor.StrategyCard as its card")
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
