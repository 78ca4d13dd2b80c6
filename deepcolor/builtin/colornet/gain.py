"""How the chroma of guesses is raised: what stands out of a photograph, not what lies over it all.

Where the network knows little it guesses the mean of all colors, a light brown that covers the
photograph like a veil. Raised like the other colors, the veil would be what one sees first.
"""

from __future__ import annotations

import torch
from torch import Tensor


def usual_chroma(ab: Tensor) -> Tensor:
    """The median chroma (N, 1, 1, 1) of each a*b* (N, 2, H, W)."""
    chroma = torch.linalg.vector_norm(ab, dim=1)
    return chroma.flatten(1).median(dim=1).values[:, None, None, None]


def raised(ab: Tensor, usual: Tensor, gain: float) -> Tensor:
    """a*b* (N, 2, H, W) with all chroma beyond the ``usual`` times ``gain``, and the same hues.

    A gain of 1 / g takes back one of g.
    """
    chroma = torch.linalg.vector_norm(ab, dim=1, keepdim=True)
    beyond = (chroma - usual).clamp_min(0)
    return ab * (1 + (gain - 1) * beyond / chroma.clamp_min(1e-6))
