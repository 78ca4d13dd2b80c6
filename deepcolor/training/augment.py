"""Random crops, and gray photographs as old film would have shown them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcolor.lab import RGB_TO_XYZ, lightness, linear_rgb

PANCHROMATIC = torch.tensor(RGB_TO_XYZ[1])
ORTHOCHROMATIC = torch.tensor((0.03, 0.52, 0.45))  # blind to red, keen on blue


def random_crop(photograph: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """A flipped-or-not crop of 35–100 % of a photograph (uint8 (3, H, W)), ``size`` squared."""
    height, width = photograph.shape[1:]
    area, stretch, down, right, flip = torch.rand(5, generator=generator).tolist()
    side = min(height, width) * (0.35 + 0.65 * area) ** 0.5
    aspect = 2 ** (0.4 * (stretch - 0.5))
    h = min(height, max(32, round(side * aspect)))
    w = min(width, max(32, round(side / aspect)))
    top, left = round(down * (height - h)), round(right * (width - w))
    crop = photograph[:, top : top + h, left : left + w]
    if flip < 0.5:
        crop = crop.flip(-1)
    return F.interpolate(crop[None], (size, size), mode="bilinear", antialias=True)[0]


def old_film(rgb: Tensor, l: Tensor, generator: torch.Generator) -> Tensor:
    """L* (N, 1, H, W) as worn and differently sensitised film would give it.

    ``rgb`` is the uint8 photograph (N, 3, H, W), ``l`` its true L*. About a third of a batch is
    left as it is, so that clean scans stay at home.
    """
    n = len(l)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand((n, 1, 1, 1), generator=generator)

    def chance(p: float) -> Tensor:
        return torch.rand((n, 1, 1, 1), generator=generator) < p

    blend = uniform(0, 1)[:, :, 0, 0]
    film = (1 - blend) * PANCHROMATIC + blend * ORTHOCHROMATIC
    exposed = lightness(torch.einsum("nc,nchw->nhw", film, linear_rgb(rgb)).clamp(0, 1))[:, None]
    old = torch.where(chance(0.4), exposed, l)
    old = 100 * (old.clamp(0, 100) / 100) ** torch.exp(uniform(-0.35, 0.35))
    old = 50 + (old - 50) * uniform(0.55, 1.15) + uniform(-12, 12)
    soft = F.avg_pool2d(F.pad(old, (1, 1, 1, 1), mode="reflect"), 3, stride=1)
    old = torch.where(chance(0.3), soft, old)
    grain = torch.randn(old.shape, generator=generator) * uniform(0, 1).square() * 8
    old = torch.where(chance(0.4), old + grain, old)
    return torch.where(chance(0.35), l, old.clamp(0, 100))
