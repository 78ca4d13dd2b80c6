"""Color hints: points of a photograph whose colors a person knows."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

from deepcolor.errors import HintFormatError, HintOutsideError, HintsNotJsonError

if TYPE_CHECKING:
    from torch import Tensor

REACH = 1  # pixels of the network's picture to each side of a hint that it colors too

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_WRITTEN = re.compile(rf"(\d{{1,6}}),(\d{{1,6}}),({_COLOR.pattern})")


@dataclass(frozen=True)
class Hint:
    """A color that belongs at a place.

    ``x`` and ``y`` count pixels of the upright photograph from its upper left corner. ``color`` is
    sRGB as ``#rrggbb``; only its a*b* matter, for the photograph keeps its own L*. Raises
    :class:`HintFormatError`.
    """

    x: int
    y: int
    color: str

    def __post_init__(self) -> None:
        is_place = isinstance(self.x, Integral) and isinstance(self.y, Integral)
        if not is_place or not isinstance(self.color, str) or not _COLOR.fullmatch(self.color):
            raise HintFormatError(str(self))
        # NumPy's integers are none of JSON's, in which people keep hints.
        object.__setattr__(self, "x", int(self.x))
        object.__setattr__(self, "y", int(self.y))

    @classmethod
    def parse(cls, text: str) -> Hint:
        """A hint written as ``x,y,#rrggbb``; raises :class:`HintFormatError`."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            raise HintFormatError(text)
        return cls(int(match[1]), int(match[2]), match[3].lower())

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.color}"


def read_hints(text: str | bytes, name: str) -> list[Hint]:
    """Hints from JSON: a list of ``{"x": 120, "y": 80, "color": "#c84b31"}``.

    ``name`` is what errors call it. Raises :class:`HintFormatError` and, where there is no JSON,
    its :class:`HintsNotJsonError`.
    """
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HintsNotJsonError(name, str(error)) from None
    if not isinstance(listed, list):
        raise HintFormatError(json.dumps(listed))
    return [_from_json(item) for item in listed]


def paint(hints: Sequence[Hint], photograph: tuple[int, int], network: tuple[int, int]) -> Tensor:
    """Hints as a network takes them: (3, H, W) of a*, b* and a mask of 0 and 1.

    ``photograph`` and ``network`` are the widths and heights in pixels of the photograph and of
    what the network sees of it. Each hint fills a small square, as in training (Zhang et al.,
    "Real-Time User-Guided Image Colorization with Learned Deep Priors", 2017, section 3.2).
    Raises :class:`HintOutsideError`.
    """
    import torch
    from PIL import ImageColor

    from deepcolor.lab import rgb_to_lab

    width, height = network
    painted = torch.zeros(3, height, width, dtype=torch.float32)
    for hint in hints:
        if not (0 <= hint.x < photograph[0] and 0 <= hint.y < photograph[1]):
            raise HintOutsideError(str(hint), *photograph)
        code = torch.tensor(ImageColor.getrgb(hint.color), dtype=torch.uint8)
        ab = rgb_to_lab(code[:, None, None])[1:]
        column = int((hint.x + 0.5) / photograph[0] * width)
        row = int((hint.y + 0.5) / photograph[1] * height)
        rows = slice(max(0, row - REACH), row + REACH + 1)
        columns = slice(max(0, column - REACH), column + REACH + 1)
        painted[:2, rows, columns] = ab
        painted[2, rows, columns] = 1
    return painted


def _from_json(item: Any) -> Hint:
    match item:
        case {"x": int(x), "y": int(y), "color": str(color), **others} if not others:
            return Hint.parse(f"{x},{y},{color}")
    raise HintFormatError(json.dumps(item))
