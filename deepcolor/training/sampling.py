"""Which photographs a step sees, and what it makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcolor.bins import SoftEncoder
from deepcolor.lab import rgb_to_lab
from deepcolor.training.augment import old_film
from deepcolor.training.config import Cropping, Sampling, Simulation
from deepcolor.training.crops import cut, random_crops
from deepcolor.training.cutmix import paste
from deepcolor.training.draws import Draws
from deepcolor.training.errors import ChancesError, UnknownSourcesError
from deepcolor.training.guidance import simulate
from deepcolor.training.photographs import Photographs


@dataclass(frozen=True)
class Batch:
    """L* (N, 1, S, S) as old film shows it, hints (N, 3, S, S), true a*b* (N, 2, S/4, S/4)."""

    l: Tensor
    hints: Tensor
    ab: Tensor


class Sampler:
    """Batches of random crops, drawn by weight with replacement."""

    def __init__(
        self,
        photographs: Photographs,
        chances: Tensor,
        crops: Cropping,
        simulation: Simulation,
        device: torch.device,
    ):
        self.photographs, self.chances = photographs, chances
        self.crops, self.simulation = crops, simulation
        self.pixels = photographs.pixels.to(device)

    def take(self, count: int, size: int, draws: Draws) -> Batch:
        chosen = torch.multinomial(self.chances, count, replacement=True, generator=draws.cpu)
        shapes, offsets = self.photographs.shapes[chosen], self.photographs.offsets[chosen]
        crops = self.crops
        boxes = random_crops(shapes, draws.cpu, crops.least_area, crops.whole)
        rgb = cut(self.pixels, offsets, shapes, boxes, size)
        lab = rgb_to_lab(rgb)
        l = old_film(rgb, lab[:, :1], self.simulation.clean, draws.device)
        hints = simulate(lab[:, 1:], self.simulation.unguided, draws.device)
        ab = F.avg_pool2d(lab[:, 1:], 4)
        paste((l, hints, ab), crops.pasted, draws.cpu)
        return Batch(l.contiguous(memory_format=torch.channels_last), hints, ab)


def chances(
    photographs: Photographs, sampling: Sampling, encoder: SoftEncoder, weight: Tensor
) -> Tensor:
    """How likely each photograph (N,) is to be drawn, up to a factor.

    Its rarity is the mean of its colors' ``weight`` (Q,), the inverse of how common they are.
    Raises :class:`deepcolor.training.errors.ChancesError`.
    """
    factors = [sampling.sources.get(one, 1.0) for one in photographs.sources()]
    likely = torch.tensor(factors, dtype=torch.float32)
    if sampling.rarity:
        colors = miniature_colors(photographs)
        nearest = encoder.nearest_bin(colors.flatten(0, 1))
        likely *= weight[nearest].view(colors.shape[:2]).mean(dim=1) ** sampling.rarity
    if not 0 < likely.sum().item() < math.inf:
        raise ChancesError
    return likely


def check_sources(sampling: Sampling, *photographs: Photographs) -> None:
    """Raises :class:`deepcolor.training.errors.UnknownSourcesError`."""
    known = {source for some in photographs for source in some.sources()}
    if unknown := sampling.sources.keys() - known:
        raise UnknownSourcesError(unknown, known)


def miniature_colors(photographs: Photographs) -> Tensor:
    """a*b* (N, 256, 2) of each photograph's miniature."""
    return torch.cat(
        [
            rgb_to_lab(some)[:, 1:].flatten(2).mT
            for some in torch.split(photographs.miniatures, 1024)
        ]
    )
