"""deepcolor colors black-and-white photographs.

>>> import deepcolor
>>> image = deepcolor.colorize("photo.jpg")
>>> content = deepcolor.load().file("photo.jpg").content

The second is a file with the photograph's notes, and one that says that the colors are simulated.

Everything public is here; each name loads what it needs on first use, so that importing deepcolor
does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from deepcolor.version import __version__

if TYPE_CHECKING:
    from deepcolor import errors as errors
    from deepcolor import program as program
    from deepcolor.card import Extra, Knob, License, StrategyCard, WeightFile
    from deepcolor.colorizer import Colorizer, Encoded, colorize, load
    from deepcolor.encoding import Writing
    from deepcolor.errors import DeepcolorError
    from deepcolor.hints import Hint
    from deepcolor.photograph import Reading
    from deepcolor.registry import strategies
    from deepcolor.strategy import Strategy

__all__ = [
    "Colorizer",
    "DeepcolorError",
    "Encoded",
    "Extra",
    "Hint",
    "Knob",
    "License",
    "Reading",
    "Strategy",
    "StrategyCard",
    "WeightFile",
    "Writing",
    "__version__",
    "colorize",
    "load",
    "strategies",
]

_ROOMS = {
    "Colorizer": "colorizer",
    "DeepcolorError": "errors",
    "Encoded": "colorizer",
    "Extra": "card",
    "Hint": "hints",
    "Knob": "card",
    "License": "card",
    "Reading": "photograph",
    "Strategy": "strategy",
    "StrategyCard": "card",
    "WeightFile": "card",
    "Writing": "encoding",
    "colorize": "colorizer",
    "load": "colorizer",
    "strategies": "registry",
}
_MODULES = {"errors", "program"}


if not TYPE_CHECKING:  # lest every name passes for one that is there

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return importlib.import_module(f"deepcolor.{name}")
        if name not in _ROOMS:
            raise AttributeError(f"module 'deepcolor' has no attribute {name!r}")
        return getattr(importlib.import_module(f"deepcolor.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES})
