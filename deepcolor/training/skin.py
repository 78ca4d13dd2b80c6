"""How skin comes out, from dark to light, as far as photographs without labels can tell.

Skin is guessed from the true colors; how light it is, by the individual typology angle of Chardon,
Cretois & Hourseau, "Skin colour typology and suntanning pathways" (1991):
arctan((L* − 50) / b*) in degrees, with their six groups.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcolor import metrics
from deepcolor.builtin.colornet import annealing
from deepcolor.builtin.colornet.looks import Looks
from deepcolor.evaluation.truths import SIDE
from deepcolor.lab import fit_gamut, rgb_to_lab
from deepcolor.training.photographs import Photographs, square

GROUPS = {"dark": -30, "brown": 10, "tan": 28, "intermediate": 41, "light": 55, "very light": 90}
"""Each up to so many degrees."""

LIGHTNESS = (15, 92)
CHROMA = (10, 45)
HUE = (25, 75)  # degrees
LEAST_PIXELS = 200  # of a group, for a photograph to count in it


@dataclass(frozen=True)
class Skin:
    """A group's means over its photographs: CIEDE2000 of gray and of the guess, and chromas."""

    photographs: int
    gray_ciede2000: float
    ciede2000: float
    chroma: float
    true_chroma: float


@torch.inference_mode()
def skin(net: Looks, photographs: Photographs, chosen: Iterable[int]) -> dict[str, Skin]:
    """By group, of the ``chosen`` photographs at the default vividness; empty ones are left out."""
    rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in GROUPS}
    for i in chosen:
        lab = rgb_to_lab(square(photographs[i], SIDE))
        l = lab[None, :1]
        guess = F.interpolate(net(l, *annealing(1)), (SIDE, SIDE), mode="bilinear")
        guess = torch.cat((l, fit_gamut(l, guess)), dim=1)[0]
        gray = torch.cat((lab[:1], torch.zeros_like(lab[1:])))
        group = groups(lab)
        for number, name in enumerate(GROUPS):
            here = group == number
            if here.sum() >= LEAST_PIXELS:
                rows[name].append(_means(gray[:, here], guess[:, here], lab[:, here]))
    return {
        name: Skin(len(some), *torch.tensor(some).mean(dim=0).tolist())
        for name, some in rows.items()
        if some
    }


def _means(gray: Tensor, guess: Tensor, true: Tensor) -> tuple[float, ...]:
    """The figures of :class:`Skin` of some pixels' L*a*b*, (3, n) each."""
    of_gray, of_guess = (
        metrics.ciede2000(one[None, :, :, None], true[None, :, :, None]).item()
        for one in (gray, guess)
    )
    chroma, true_chroma = (one[1:].norm(dim=0).mean().item() for one in (guess, true))
    return of_gray, of_guess, chroma, true_chroma


def groups(lab: Tensor) -> Tensor:
    """The number of the group that each pixel (H, W) of L*a*b* (3, H, W) is in; −1 is no skin."""
    l, a, b = lab
    hue, chroma = torch.atan2(b, a).rad2deg(), torch.hypot(a, b)
    is_skin = torch.ones_like(l, dtype=torch.bool)
    for value, (low, high) in ((l, LIGHTNESS), (chroma, CHROMA), (hue, HUE)):
        is_skin &= (value >= low) & (value <= high)
    angle = torch.atan((l - 50) / b) * (180 / math.pi)
    limits = torch.tensor(list(GROUPS.values()), dtype=angle.dtype)
    return torch.where(is_skin, torch.bucketize(angle, limits), -1)
