"""How a photograph is to be colored: strategy, knobs and color hints, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from functions.contract.asking import (
    RefusedError,
    card_of,
    check_hints,
    checked_knobs,
    number,
)
from functions.contract.manifest import Manifest
from web.bodies import whole
from web.problems import Problem, invalid, unprocessable

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
        try:
            card = _card(data.get("strategy"), manifest)
            return cls(
                card["name"],
                _knobs(data.get("knobs", {}), card),
                _hints(data.get("hints", []), card, manifest),
            )
        except RefusedError as refusal:
            raise unprocessable(refusal.code.replace("_", "-"), str(refusal)) from None

    @classmethod
    def of_form(cls, fields: Mapping[str, str], manifest: Manifest) -> Coloring:
        """From the fields of a form: ``strategy``, and knobs by their names, empty if not turned.

        Raises :class:`Problem`.
        """
        turned = {name: text for name, text in fields.items() if text and name != "strategy"}
        knobs = {name: number(text) for name, text in turned.items()}
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
    if not isinstance(name, str):
        known = ", ".join(manifest.strategies)
        raise unprocessable(
            "unknown-strategy", f"A photograph needs the name of a strategy; there are: {known}."
        )
    card = card_of(name, manifest)
    if not card.get("ready"):
        raise Problem(
            HTTPStatus.CONFLICT,
            "strategy-not-ready",
            card.get("problem") or f"The strategy {name} is not ready.",
        )
    return card


def _knobs(turned: Any, card: dict[str, Any]) -> dict[str, float]:
    if not isinstance(turned, dict):
        raise invalid("The knobs must be an object of names and numbers.")
    knobs = checked_knobs(turned, card)
    return {name: round(value, KNOB_DECIMALS) for name, value in knobs.items()}


def _hints(hints: Any, card: dict[str, Any], manifest: Manifest) -> list[dict[str, Any]]:
    if not isinstance(hints, list):
        raise invalid("The hints must be a list.")
    check_hints(hints, card, manifest)
    if len(hints) > MAX_HINTS:
        raise unprocessable(
            "too-many-hints",
            f"A photograph can have up to {MAX_HINTS} color hints; these are {len(hints)}.",
        )
    return [_hint(hint, place) for place, hint in enumerate(hints, 1)]


def _hint(hint: Any, place: int) -> dict[str, Any]:
    match hint:
        case {"x": across, "y": down, "color": str(color)} if _COLOR.fullmatch(color):
            x, y = whole(across), whole(down)
            if _is_pixel(x) and _is_pixel(y):
                return {"x": x, "y": y, "color": color.lower()}
    raise unprocessable(
        "malformed-hint",
        f"Hint {place} must look like"
        ' {"x": 120, "y": 80, "color": "#c84b31"}, x and y being pixels of the photograph.',
    )


def _is_pixel(place: int | None) -> bool:
    return place is not None and 0 <= place <= MAX_PIXEL


def _decimal(value: float) -> str:
    """Without an exponent: ``256``, ``0.5``, ``0.0001``."""
    text = f"{value:.{KNOB_DECIMALS}f}"
    return text.rstrip("0").rstrip(".")
