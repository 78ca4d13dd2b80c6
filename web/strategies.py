"""The strategies as visitors see them: what the manifest says, less what only workers need."""

from __future__ import annotations

from typing import Any

from functions.contract.manifest import Manifest

SHOWN = ("name", "title", "description", "url", "license", "ready", "problem")


def shown(manifest: Manifest) -> dict[str, Any]:
    return {
        "default": preferred(manifest),
        "strategies": [
            {key: card.get(key) for key in SHOWN} for card in manifest.strategies.values()
        ],
    }


def preferred(manifest: Manifest) -> str:
    """The default strategy, or the first that is ready when that one is not."""
    default = manifest.strategies.get(manifest.default, {})
    if default.get("ready"):
        return manifest.default
    ready = (name for name, card in manifest.strategies.items() if card.get("ready"))
    return next(ready, manifest.default)
