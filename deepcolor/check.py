"""What is asked of a strategy, held against its card, before any weights are fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real

from deepcolor.card import StrategyCard
from deepcolor.errors import (
    HintsKindError,
    HintsNotTakenError,
    KnobRangeError,
    PackageMissingError,
    UnknownKnobError,
)
from deepcolor.hints import Hint
from deepcolor.registry import strategies


def check(
    card: StrategyCard, knobs: Mapping[str, float], hints: Sequence[Hint]
) -> dict[str, float]:
    """Every knob of the card, at its default unless turned.

    Raises :class:`UnknownKnobError`, :class:`KnobRangeError`, :class:`HintsKindError` and
    :class:`HintsNotTakenError`.
    """
    known = {knob.name: knob for knob in card.all_knobs}
    for name, value in knobs.items():
        if name not in known:
            raise UnknownKnobError(card.name, name, known)
        low, high = known[name].low, known[name].high
        if not isinstance(value, Real) or not low <= value <= high:
            raise KnobRangeError(name, value, low, high)
    _check_kind(hints)
    if hints and not card.hints:
        takers = [name for name, other in strategies().items() if other.card.hints]
        raise HintsNotTakenError(card.name, takers)
    return {name: knob.default for name, knob in known.items()} | {
        name: value if isinstance(value, int | float) else float(value)
        for name, value in knobs.items()
    }


def check_package(card: StrategyCard) -> None:
    """Raises :class:`PackageMissingError` where the package is not here that the strategy needs."""
    if card.extra is not None and (problem := card.extra.problem):
        raise PackageMissingError(card.name, problem)


def _check_kind(hints: object) -> None:
    """Raises :class:`HintsKindError` for what is no list of hints."""
    if hints is None:
        return
    # What can be gone through only once would guide the first of several photographs alone.
    if not isinstance(hints, Sequence) or isinstance(hints, str | bytes):
        raise HintsKindError(hints)
    for hint in hints:
        if not isinstance(hint, Hint):
            raise HintsKindError(hint)
