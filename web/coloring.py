"""How a photograph is to be colored: strategy, knobs and color hints, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from functions.contract.manifest import Manifest
from web.problems import Problem

MAX_HINTS = 64  # S3 keeps 2 KB of metadata an object
MAX_PIXEL = 999_999
KNOB_DECIMALS = 4

_COLOR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_TOLD = re.compile(rf"(\d{{1,6}}),(\d{{1,6}}),({_COLOR.pattern})", re.IGNORECASE)


@dataclass(frozen=True)
class Coloring:
    """``knobs`` are those that were turned; a hint is ``{"x", "y", "color": "#rrggbb"}``."""

    strategy: str
    knobs: dict[str, float] = field(default_factory=dict)
    hints: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def parse(cls, data: Mapping[str, Any], manifest: Manifest) -> Coloring:
        """Raises the :class:`Problem` that tells the visitor what cannot be."""
        card = _card(data.get("strategy"), manifest)
        return cls(
            card["name"],
            _knobs(data.get("knobs", {}), card),
            _hints(data.get("hints", []), card, manifest),
        )

    @classmethod
    def of_form(cls, fields: Mapping[str, str], manifest: Manifest) -> Coloring:
        """From the fields of a form: ``strategy``, and knobs by their names, empty if not turned.

        Raises :class:`Problem`.
        """
        turned = {name: text for name, text in fields.items() if text and name != "strategy"}
        knobs = {name: _number(text) for name, text in turned.items()}
        return cls.parse({"strategy": fields.get("strategy"), "knobs": knobs}, manifest)

    def metadata(self, correlation_id: str) -> dict[str, str]:
        """As the object's metadata tell it to dispatch."""
        told = {name: _decimal(value) for name, value in self.knobs.items()}
        told |= {"strategy": self.strategy, "correlation-id": correlation_id}
        if self.hints:
            told["hints"] = " ".join(f"{h['x']},{h['y']},{h['color']}" for h in self.hints)
        return told


def hints_of(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Hints as a record tells them, ``120,80,#c84b31``; less those that a worker refuses."""
    matches = (_TOLD.fullmatch(text) for text in texts)
    return [{"x": int(m[1]), "y": int(m[2]), "color": m[3].lower()} for m in matches if m]


def _card(name: Any, manifest: Manifest) -> dict[str, Any]:
    card = manifest.strategies.get(name) if isinstance(name, str) else None
    if card is None:
        names = ", ".join(manifest.strategies)
        raise _unprocessable(
            "unknown-strategy", f"There is no strategy of that name. There are: {names}."
        )
    if not card.get("ready"):
        raise Problem(
            HTTPStatus.CONFLICT,
            "strategy-not-ready",
            card.get("problem") or f"The strategy {name} is not ready.",
        )
    return card


def _ranges(card: dict[str, Any]) -> dict[str, tuple[float, float]]:
    return {knob["name"]: (knob["low"], knob["high"]) for knob in card.get("knobs", [])}


def _knobs(turned: Any, card: dict[str, Any]) -> dict[str, float]:
    if not isinstance(turned, dict):
        raise _unprocessable("invalid", "The knobs must be an object of names and numbers.")
    ranges = _ranges(card)
    for name, value in turned.items():
        if name not in ranges:
            there_are = f"It has: {', '.join(ranges)}" if ranges else "It has none"
            raise _unprocessable(
                "unknown-knob",
                f"The strategy {card['name']} has no knob named {name!r:.60}. {there_are}.",
            )
        low, high = ranges[name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise _unprocessable(
                "knob-out-of-range", f"{name} must be a number from {low:g} to {high:g}."
            )
    return {name: round(value, KNOB_DECIMALS) for name, value in turned.items()}


def _hints(hints: Any, card: dict[str, Any], manifest: Manifest) -> list[dict[str, Any]]:
    if not isinstance(hints, list):
        raise _unprocessable("invalid", "The hints must be a list.")
    if hints and not card.get("hints"):
        takers = [name for name, other in manifest.strategies.items() if other.get("hints")]
        who_does = f"These do: {', '.join(takers)}" if takers else "None here does"
        raise _unprocessable(
            "hints-not-taken", f"The strategy {card['name']} takes no color hints. {who_does}."
        )
    if len(hints) > MAX_HINTS:
        raise _unprocessable(
            "too-many-hints",
            f"A photograph can have up to {MAX_HINTS} color hints; these are {len(hints)}.",
        )
    return [_hint(hint, number) for number, hint in enumerate(hints, 1)]


def _hint(hint: Any, number: int) -> dict[str, Any]:
    match hint:
        case {"x": int(x), "y": int(y), "color": str(color)} if (
            type(x) is type(y) is int  # true and false are ints too
            and 0 <= x <= MAX_PIXEL
            and 0 <= y <= MAX_PIXEL
            and _COLOR.fullmatch(color)
        ):
            return {"x": x, "y": y, "color": color.lower()}
    raise _unprocessable(
        "malformed-hint",
        f"Hint {number} must look like"
        ' {"x": 120, "y": 80, "color": "#c84b31"}, x and y being pixels of the photograph.',
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _decimal(value: float) -> str:
    """Without an exponent: ``256``, ``0.5``, ``0.0001``."""
    text = f"{value:.{KNOB_DECIMALS}f}"
    return text.rstrip("0").rstrip(".")


def _unprocessable(code: str, sentence: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, sentence)
