"""Random weights under published names: the same ones wherever and whenever they are made."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping

import torch
from torch import Tensor

# So that the colors are as many as those of a trained network.
GAINS = {
    "richzhang": {"model8.6.weight": 0.5, "model_out.weight": 20.0},
    "siggraph17": {"model_out.0.weight": 0.2},
    "deoldify": {},
    "ddcolor": {"decoder.color_decoder.color_embed.layers.2.weight": 15.0},
}
CONSTANTS = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def random_state(
    shapes: Mapping[str, tuple[int, ...]], gains: Mapping[str, float]
) -> dict[str, Tensor]:
    """A state dict of those names and shapes, its norms well used.

    Uniform numbers, drawn name by name, are the same on every processor; normal ones are not.
    """
    state = {name: _random(name, shape) * gains.get(name, 1) for name, shape in shapes.items()}
    for name in state:
        if name.endswith("weight_orig"):
            _settle(state, name.removesuffix("weight_orig"))
    return state


def _random(name: str, shape: tuple[int, ...]) -> Tensor:
    if name in CONSTANTS:
        return torch.tensor(CONSTANTS[name]).reshape(shape)
    if name.endswith("num_batches_tracked"):
        return torch.tensor(9)
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    value = torch.rand(shape, generator=generator)
    if len(shape) > 1:
        return (2 * value - 1) * math.sqrt(6 / math.prod(shape[1:]))
    if name.endswith(("running_var", ".weight", "gamma")):
        return value + 0.5
    return (2 * value - 1) / 10


def _settle(state: dict[str, Tensor], layer: str) -> None:
    """Turns a layer's vectors towards its largest singular value, as training does."""
    weight = state[f"{layer}weight_orig"].flatten(1).double()
    u = state[f"{layer}weight_u"].double()
    for _ in range(5):
        v = torch.nn.functional.normalize(weight.T @ u, dim=0)
        u = torch.nn.functional.normalize(weight @ v, dim=0)
    state[f"{layer}weight_u"], state[f"{layer}weight_v"] = u.float(), v.float()
