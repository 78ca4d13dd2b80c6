"""Hints as a person might give them, drawn from the true colors."""

from __future__ import annotations

import torch
from torch import Tensor

LARGEST = 9  # pixels
MEAN_COUNT = 8
MOST = 64  # one photograph in 5,000 would have more


def simulate(ab: Tensor, unguided: float, generator: torch.Generator) -> Tensor:
    """Hints (N, 3, H, W) for true a*b* (N, 2, H, W): a*, b* and a mask of 0 and 1.

    A share ``unguided`` of the photographs gets none. The others as Zhang et al., "Real-Time
    User-Guided Image Colorization with Learned Deep Priors" (2017), section 3.2: their number is
    geometric with a mean of 8, they lie around the center, and each is a square of 1 to 9 pixels
    in the mean color of what it covers. All lies where ``generator`` does.
    """
    n, device = len(ab), generator.device
    guided = torch.rand(n, generator=generator, device=device) >= unguided
    counts = torch.empty(n, device=device).geometric_(1 / MEAN_COUNT, generator=generator)
    sizes = torch.randint(1, LARGEST + 1, (n, MOST), generator=generator, device=device)
    places = torch.randn((n, MOST, 2), generator=generator, device=device) / 4 + 0.5
    given = (torch.arange(MOST, device=device) < counts[:, None]) & guided[:, None]
    return stamp(ab, places, sizes * given)


def stamp(ab: Tensor, places: Tensor, sizes: Tensor) -> Tensor:
    """Hints (N, 3, H, W) of K squares a photograph in the mean of the true a*b* (N, 2, H, W).

    ``places`` (N, K, 2) are shares of height and width, ``sizes`` (N, K) in pixels, 0 for no
    hint. Where squares overlap, the last is seen.
    """
    n, _, height, width = ab.shape

    def first(axis: int, side: int) -> Tensor:
        """The first row or column (N, K) of each square."""
        corner = (places[:, :, axis] * side - sizes / 2).round().long().clamp_min(0)
        return torch.minimum(corner, side - sizes)

    step = torch.arange(LARGEST, device=ab.device)
    covered = step < sizes[:, :, None]  # along one side of each square
    covered = (covered[:, :, :, None] & covered[:, :, None, :]).flatten(2)
    rows = first(0, height)[:, :, None, None] + step[:, None]
    columns = first(1, width)[:, :, None, None] + step
    pixel = (rows * width + columns).flatten(2).clamp_max(height * width - 1)

    colors = ab.flatten(2).gather(2, pixel.flatten(1)[:, None].expand(-1, 2, -1))
    colors = colors.view(n, 2, *pixel.shape[1:]) * covered[:, None]
    means = colors.sum(dim=3) / covered.sum(dim=2).clamp_min(1)[:, None]

    number = torch.arange(1, sizes.shape[1] + 1, device=ab.device)[:, None] * covered
    owner = torch.zeros((n, height * width), dtype=torch.long, device=ab.device)
    owner.scatter_reduce_(1, pixel.flatten(1), number.flatten(1), "amax")
    means = torch.cat((means.new_zeros(n, 2, 1), means), dim=2)
    seen = means.gather(2, owner[:, None].expand(-1, 2, -1))
    return torch.cat((seen, (owner > 0)[:, None].to(ab.dtype)), dim=1).view(n, 3, height, width)
