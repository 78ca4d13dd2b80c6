"""The color cast of a photograph's guess, and how colors are raised without it.

Where the network knows little it guesses the mean of all colors, a light brown that lies over the
whole photograph like a veil. Raised like the other colors, the veil would be what one sees first.
"""

from __future__ import annotations

import torch
from torch import Tensor


def cast_of(ab: Tensor) -> Tensor:
    """The median color (N, 2, 1, 1) of each a*b* (N, 2, H, W)."""
    return ab.flatten(2).median(dim=2).values[:, :, None, None]


def raised(ab: Tensor, cast: Tensor, gain: float) -> Tensor:
    """a*b* (N, 2, H, W) with all chroma times ``gain``, except as much of it as is ``cast``.

    A color's part of the cast is what it has in the cast's direction, up to the cast itself. That
    part stays as it is, so a ``gain`` of 1 / g takes back one of g, and gray stays gray.
    """
    strength = torch.linalg.vector_norm(cast, dim=1, keepdim=True)
    direction = cast / strength.clamp_min(1e-6)
    along = (ab * direction).sum(dim=1, keepdim=True)
    part = direction * torch.minimum(along.clamp_min(0), strength)
    return part + gain * (ab - part)
