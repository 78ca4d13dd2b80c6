"""Numbers on the command lines of the project's own tools, which argparse reads."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


def number(
    kind: Callable[[str], float], least: float, most: float = math.inf
) -> Callable[[str], float]:
    """Reads an argument that is no less and no more; ``nan`` is neither."""
    bounds = f"{least:g} or more" if math.isinf(most) else f"{least:g} to {most:g}"

    def read(told: str) -> float:
        value = kind(told)
        if not (math.isfinite(value) and least <= value <= most):
            raise argparse.ArgumentTypeError(f"{told} is not {bounds}")
        return value

    read.__name__ = kind.__name__  # by which argparse calls what is no number
    return read
