"""What an upload asks for: strategy, knobs and hints, as its key and its metadata say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.contract.keys import is_reserved, strategy_in
from functions.contract.manifest import Manifest


@dataclass(frozen=True)
class Wish:
    """``refusal`` is ``{"code", "message"}`` where no worker could grant it."""

    strategy: str
    knobs: dict[str, float] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)
    refusal: dict[str, str] | None = None


class RefusedError(Exception):
    """The upload can't be colored, whoever tries; ``code`` names the reason."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def read_wish(
    key: str, metadata: Mapping[str, str], size: int, manifest: Manifest, max_bytes: int
) -> Wish:
    """The wish of an upload of ``size`` bytes.

    The metadata may hold ``strategy``, any knob of that strategy by its name as a decimal number,
    and ``hints`` as ``x,y,#rrggbb`` separated by blanks. Other metadata are the uploader's own.
    """
    strategy = metadata.get("strategy") or strategy_in(key, manifest.strategies)
    strategy = strategy or manifest.default
    try:
        _check_upload(key, size, max_bytes)
        card = _card(strategy, manifest)
        knobs = {
            knob["name"]: _turned(knob, metadata[knob["name"]])
            for knob in card["knobs"]
            if knob["name"] in metadata
        }
        hints = metadata.get("hints", "").split()
        if hints and not card["hints"]:
            raise _takes_no_hints(strategy, manifest)
    except RefusedError as refusal:
        return Wish(strategy, refusal={"code": refusal.code, "message": str(refusal)})
    return Wish(strategy, knobs, hints)


def _check_upload(key: str, size: int, max_bytes: int) -> None:
    if is_reserved(key):
        raise RefusedError(
            "reserved_key",
            f"{key} is a name that deepcolor keeps for itself; upload it under another.",
        )
    if size > max_bytes:
        raise RefusedError(
            "too_large",
            f"The file has {size / 2**20:.1f} MiB, "
            f"more than the {max_bytes / 2**20:g} MiB allowed; make it smaller.",
        )


def _card(strategy: str, manifest: Manifest) -> dict[str, Any]:
    if strategy not in manifest.strategies:
        raise RefusedError(
            "unknown_strategy",
            f"There is no strategy '{strategy}'; there are: {', '.join(manifest.strategies)}.",
        )
    return manifest.strategies[strategy]


def _turned(knob: dict[str, Any], text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not knob["low"] <= value <= knob["high"]:
        raise RefusedError(
            "knob_out_of_range",
            f"{knob['name']} must be a number between {knob['low']:g} and {knob['high']:g}, "
            f"not '{text}'.",
        )
    return value


def _takes_no_hints(strategy: str, manifest: Manifest) -> RefusedError:
    others = [name for name, card in manifest.strategies.items() if card["hints"]]
    cure = f"these do: {', '.join(others)}." if others else "none does."
    return RefusedError("hints_not_taken", f"The strategy '{strategy}' takes no hints; {cure}")
