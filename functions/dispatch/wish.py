"""What an upload asks for: strategy, knobs and hints, as its key and its metadata say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.contract.asking import (
    RefusedError,
    card_of,
    check_hints,
    checked_knobs,
    number,
)
from functions.contract.keys import is_reserved, strategy_in
from functions.contract.manifest import Manifest


@dataclass(frozen=True)
class Wish:
    """``refusal`` is ``{"code", "message"}`` where no worker could grant it."""

    strategy: str
    knobs: dict[str, float] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)
    refusal: dict[str, str] | None = None


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
        card = card_of(strategy, manifest)
        names = [knob["name"] for knob in card["knobs"] if knob["name"] in metadata]
        knobs = checked_knobs({name: number(metadata[name]) for name in names}, card)
        hints = metadata.get("hints", "").split()
        check_hints(hints, card, manifest)
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
