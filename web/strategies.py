"""The strategies as visitors see them: what the manifest says, less what only workers need."""

from __future__ import annotations

from typing import Any

from functions.contract.manifest import Manifest

SHOWN = (
    *("name", "title", "description", "url", "training_data", "license"),
    *("size", "knobs", "hints", "ready", "problem"),
)


def shown(manifest: Manifest) -> dict[str, Any]:
    return {
        "default": preferred(manifest),
        "strategies": [
            {key: card.get(key) for key in SHOWN} for card in manifest.strategies.values()
        ],
    }


def preferred(manifest: Manifest) -> str:
    """The default strategy, or when that one is not ready, the first that is.

    Never one whose license is restricted: that takes a person's choice.
    """
    names = (manifest.default, *manifest.strategies)
    return next((name for name in names if _is_free(manifest, name)), manifest.default)


def _is_free(manifest: Manifest, name: str) -> bool:
    card = manifest.strategies.get(name, {})
    return bool(card.get("ready")) and not card["license"].get("restricted")
