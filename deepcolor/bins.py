"""The a*b* bins that colors are counted in, their prior and their rebalancing weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from deepcolor.lab import rgb_to_lab

GRID = 10
LEAST_SHARE = 1e-6  # of a color in rebalancing: one that was never seen would weigh infinitely


def in_gamut_bins() -> Tensor:
    """Centers (Q, 2) of the cells of a 10-unit a*b* grid that some sRGB color falls into."""
    levels = torch.arange(0, 256, 3, dtype=torch.uint8)
    rgb = torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij")).reshape(3, -1, 1)
    ab = rgb_to_lab(rgb)[1:].reshape(2, -1).T
    return torch.unique((ab / GRID).round() * GRID, dim=0)


class SoftEncoder:
    """Splits a color over the four bins around it, so that their weighted mean is the color.

    Bilinear weights stand in for the Gaussian ones of Zhang et al. (section 2.2): the annealed
    mean at temperature 1 is then unbiased. Grid points outside the gamut lend their share to the
    nearest bin.
    """

    def __init__(self, bins: Tensor):
        self.origin = bins.min(dim=0).values - GRID
        shape = ((bins.max(dim=0).values + GRID - self.origin) / GRID).round().long() + 1
        points = torch.stack(
            torch.meshgrid(*(torch.arange(int(n)) for n in shape), indexing="ij"), dim=-1
        )
        distance = torch.cdist(points.reshape(-1, 2) * GRID + self.origin, bins)
        self.nearest = distance.argmin(dim=1).reshape(int(shape[0]), int(shape[1]))
        self.limit = torch.tensor(self.nearest.shape) - 1.001

    def to(self, device: torch.device) -> SoftEncoder:
        """The same for colors on ``device``."""
        moved = copy.copy(self)
        for name in ("origin", "nearest", "limit"):
            setattr(moved, name, getattr(self, name).to(device))
        return moved

    def __call__(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """Bin indices (4, M) and weights (4, M), summing to 1, of colors (M, 2)."""
        grid = (ab - self.origin) / GRID
        grid = torch.minimum(grid.clamp_min(0), self.limit)
        corner = grid.floor()
        fa, fb = (grid - corner).unbind(dim=1)
        ia, ib = corner.long().unbind(dim=1)
        indices = torch.stack([self.nearest[ia + da, ib + db] for da in (0, 1) for db in (0, 1)])
        weights = torch.stack(
            [(fa if da else 1 - fa) * (fb if db else 1 - fb) for da in (0, 1) for db in (0, 1)]
        )
        return indices, weights

    def nearest_bin(self, ab: Tensor) -> Tensor:
        """The bin (M,) that each of colors (M, 2) falls into."""
        grid = ((ab - self.origin) / GRID).round().long().clamp_min(0)
        ia, ib = torch.minimum(grid, torch.tensor(self.nearest.shape) - 1).unbind(dim=1)
        return self.nearest[ia, ib]


def prior(encoder: SoftEncoder, bins: int, colors: Tensor) -> Tensor:
    """Share of each bin (Q,) among colors (M, 2)."""
    indices, weights = encoder(colors)
    counts = torch.zeros(bins).index_add_(0, indices.flatten(), weights.flatten())
    return counts / counts.sum()


def rebalancing(prior: Tensor, uniform: float, power: float) -> Tensor:
    """Weight of each bin (Q,), with mean 1 under the prior.

    ``((1 − uniform) · p + uniform / Q) ** −power``: Zhang et al., equation 4, softened by a power.
    """
    mixed = (1 - uniform) * prior + uniform / len(prior)
    weight = mixed.clamp_min(LEAST_SHARE) ** -power
    return weight / (prior * weight).sum()
