"""Gray photographs as old film and a century in a drawer show them; L* (N, 1, H, W) throughout."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcolor.lab import RGB_TO_XYZ, lightness, linear_rgb

PANCHROMATIC = RGB_TO_XYZ[1]
ORTHOCHROMATIC = (0.03, 0.52, 0.45)  # blind to red, keen on blue
SCRATCHES = 3  # at most, a photograph
JPEG_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)  # ITU-T T.81, table K.1


@dataclass(frozen=True)
class Dice:
    """Throws one number a photograph, (N, 1, 1, 1)."""

    photographs: int
    generator: torch.Generator

    def uniform(self, low: float, high: float) -> Tensor:
        return low + (high - low) * self.rand(1, 1, 1)

    def chance(self, p: float) -> Tensor:
        return self.rand(1, 1, 1) < p

    def rand(self, *shape: int) -> Tensor:
        return torch.rand(
            (self.photographs, *shape), generator=self.generator, device=self.generator.device
        )

    def randn(self, *shape: int) -> Tensor:
        return torch.randn(
            (self.photographs, *shape), generator=self.generator, device=self.generator.device
        )


def old_film(rgb: Tensor, l: Tensor, clean: float, generator: torch.Generator) -> Tensor:
    """L* as worn and differently sensitised film would give it.

    ``rgb`` is the uint8 photograph (N, 3, H, W), ``l`` its true L*. A share ``clean`` of a batch
    is left as it is, so that clean scans stay at home. All lie where ``generator`` does.
    """
    dice = Dice(len(l), generator)
    old = torch.where(dice.chance(0.4), sensitized(rgb, dice), l).clamp(0, 100)
    old = 100 * (old / 100) ** torch.exp(dice.uniform(-0.35, 0.35))
    old = torch.where(dice.chance(0.3), uneven(old, dice), old)
    old = torch.where(dice.chance(0.3), soft(old), old)
    old = torch.where(dice.chance(0.4), grainy(old, dice), old)
    old = faded(old, dice)
    old = torch.where(dice.chance(0.2), scratched(old, dice), old)
    old = torch.where(dice.chance(0.3), compressed(old.clamp(0, 100), dice), old)
    return torch.where(dice.chance(clean), l, old.clamp(0, 100))


def sensitized(rgb: Tensor, dice: Dice) -> Tensor:
    """What film between panchromatic and orthochromatic makes of the colors."""
    blend = dice.uniform(0, 1)[:, 0]
    linear = linear_rgb(rgb)
    exposure = sum(
        ((1 - blend) * pan + blend * ortho) * linear[:, channel]
        for channel, (pan, ortho) in enumerate(zip(PANCHROMATIC, ORTHOCHROMATIC, strict=True))
    )
    assert isinstance(exposure, Tensor)
    return lightness(exposure.clamp(0, 1))[:, None]


def uneven(l: Tensor, dice: Dice) -> Tensor:
    """Lighter here and darker there, by a smooth field."""
    field = F.interpolate(dice.randn(1, 3, 3), l.shape[-2:], mode="bicubic", align_corners=True)
    return l + dice.uniform(2, 10) * field


def soft(l: Tensor) -> Tensor:
    """A little out of focus."""
    return F.avg_pool2d(F.pad(l, (1, 1, 1, 1), mode="reflect"), 3, stride=1)


def grainy(l: Tensor, dice: Dice) -> Tensor:
    return l + dice.randn(*l.shape[1:]) * dice.uniform(0, 1).square() * 8


def faded(l: Tensor, dice: Dice) -> Tensor:
    """Of less contrast, seldom of more, and lighter or darker as a whole."""
    return 50 + (l - 50) * dice.uniform(0.55, 1.15) + dice.uniform(-12, 12)


def scratched(l: Tensor, dice: Dice) -> Tensor:
    """A few thin lines, mostly upright, and specks of dust, light or dark."""
    height, width = l.shape[-2:]
    y = torch.arange(height, device=l.device)[:, None] / height
    x = torch.arange(width, device=l.device)[None] / width
    for _ in range(SCRATCHES):
        begin, length = dice.uniform(-0.5, 1), dice.uniform(0.1, 1.5)
        away = (x - dice.uniform(0, 1) - (y - 0.5) * dice.uniform(-0.3, 0.3)).abs() * width
        line = (dice.uniform(0.4, 1.5) - away).clamp(0, 1) * (y > begin) * (y < begin + length)
        l = l + line * dice.uniform(-60, 60) * dice.chance(0.6)
    specks = (dice.rand(1, height, width) < dice.uniform(0, 0.001)).to(l.dtype)
    return l + F.max_pool2d(specks, 3, stride=1, padding=1) * dice.uniform(-50, 50)


def compressed(l: Tensor, dice: Dice) -> Tensor:
    """As JPEG of quality 20 to 90 keeps it; sides of 8·k. L* stands in for luma."""
    dct, table = _jpeg(l.device)
    n, _, height, width = l.shape
    blocks = l.view(n, height // 8, 8, width // 8, 8).transpose(2, 3) * 2.55 - 128
    quality = dice.uniform(20, 90)[..., None]
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
    step = (table * scale).round().clamp(1, 255)
    kept = (dct @ blocks @ dct.T / step).round() * step
    decoded = (dct.T @ kept @ dct + 128) / 2.55
    return decoded.transpose(2, 3).reshape(l.shape)


@functools.cache
def _jpeg(device: torch.device) -> tuple[Tensor, Tensor]:
    """The orthonormal DCT-II of 8 samples, and the quantization table."""
    k, i = torch.arange(8)[:, None], torch.arange(8)[None]
    dct = torch.cos(math.pi * (2 * i + 1) * k / 16) / 2
    dct[0] /= math.sqrt(2)
    return dct.to(device), torch.tensor(JPEG_LUMINANCE, dtype=torch.float32, device=device)
