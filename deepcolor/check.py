"""What is asked of a strategy, held against its card, before any weights are fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING

from deepcolor.card import StrategyCard
from deepcolor.errors import HintsNotTakenError, KnobRangeError, UnknownKnobError
from deepcolor.registry import strategies

if TYPE_CHECKING:
    from deepcolor.hints import Hint


def check(
    card: StrategyCard, knobs: Mapping[str, float], hints: Sequence[Hint]
) -> dict[str, float]:
    """Every knob of the card, at its default unless turned.

    Raises :class:`UnknownKnobError`, :class:`KnobRangeError` and :class:`HintsNotTakenError`.
    """
    known = {knob.name: knob for knob in card.all_knobs}
    for name, value in knobs.items():
        if name not in known:
            raise UnknownKnobError(card.name, name, known)
        low, high = known[name].low, known[name].high
        if not isinstance(value, Real) or not low <= value <= high:
            raise KnobRangeError(name, value, low, high)
    if hints and not card.hints:
        takers = [name for name, other in strategies().items() if other.card.hints]
        raise HintsNotTakenError(card.name, takers)
    return {name: knob.default for name, knob in known.items()} | dict(knobs)
