"""What is asked of a strategy, held against its card in the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.contract.manifest import Manifest


class RefusedError(Exception):
    """No worker could grant it, whoever tries; ``code`` names the reason as records do."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def card_of(strategy: object, manifest: Manifest) -> dict[str, Any]:
    """Raises :class:`RefusedError` where no worker runs a strategy of that name."""
    card = manifest.strategies.get(strategy) if isinstance(strategy, str) else None
    if card is None:
        names = ", ".join(manifest.strategies)
        raise RefusedError(
            "unknown_strategy", f"There is no strategy {strategy!r:.60}; there are: {names}."
        )
    return card


def checked_knobs(turned: Mapping[str, object], card: dict[str, Any]) -> dict[str, float]:
    """Raises :class:`RefusedError` for a knob that the strategy lacks, or turned too far."""
    knobs = {knob["name"]: knob for knob in card["knobs"]}
    for name in turned:
        if name not in knobs:
            raise RefusedError(
                "unknown_knob",
                f"The strategy '{card['name']}' has no knob {name!r:.60}; "
                f"it takes: {', '.join(knobs) or 'none'}.",
            )
    return {name: _within(knobs[name], value) for name, value in turned.items()}


def number(text: str) -> float | str:
    """The number that was written, or where it is none the text, which no knob takes."""
    try:
        return float(text)
    except ValueError:
        return text


def check_hints(hints: Sequence[object], card: dict[str, Any], manifest: Manifest) -> None:
    """Raises :class:`RefusedError` where there are any and the strategy can't be guided."""
    if not hints or card["hints"]:
        return
    others = [name for name, other in manifest.strategies.items() if other["hints"]]
    cure = f"these do: {', '.join(others)}." if others else "none does."
    raise RefusedError("hints_not_taken", f"The strategy '{card['name']}' takes no hints; {cure}")


def _within(knob: dict[str, Any], value: object) -> float:
    is_switch = isinstance(value, bool)  # which Python takes for an int
    if isinstance(value, int | float) and not is_switch and knob["low"] <= value <= knob["high"]:
        return value
    raise RefusedError(
        "knob_out_of_range",
        f"{knob['name']} must be a number between {knob['low']:g} and {knob['high']:g}, "
        f"not {value!r:.60}.",
    )
