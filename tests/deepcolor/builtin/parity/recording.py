"""What record.py wrote, as the tests read it."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tests.deepcolor.builtin.parity.random_weights import GAINS, random_state


class Recording:
    """A published network's state dict and, by photograph, what it made of it."""

    def __init__(self, strategy: str) -> None:
        self.strategy = strategy
        with np.load(Path(__file__).parent / f"{strategy}.npz") as file:
            shapes = json.loads(str(file["shapes"]))
            self.made = {name: torch.from_numpy(file[name]) for name in file if name != "shapes"}
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}

    @functools.cached_property
    def state(self) -> dict[str, Tensor]:
        """The random weights that the published network had."""
        return random_state(self.shapes, GAINS[self.strategy])
