"""How much a pixel weighs in the rebalanced AuC: the more, the rarer its true color is."""

from __future__ import annotations

import csv
import functools
from importlib import resources

import torch
from torch import Tensor

from deepcolor.bins import SoftEncoder, rebalancing

UNIFORM = 0.5  # Zhang et al.'s λ


def rarity(ab: Tensor) -> Tensor:
    """Weights (N, H, W), of mean 1 over the training photographs, of true a*b* (N, 2, H, W).

    1 / ((1 − λ) p + λ / Q) with the share p of the color's bin: Zhang et al., equation 4.
    """
    encoder, weights = _weights()
    colors = ab.movedim(1, -1)
    return weights[encoder.nearest_bin(colors.reshape(-1, 2))].reshape(colors.shape[:-1])


@functools.cache
def _weights() -> tuple[SoftEncoder, Tensor]:
    """The bins, and the weight (Q,) of each.

    ``prior.csv`` was counted by ``python -m deepcolor.training prior``. It belongs to no folder,
    so that the figures of different folders compare.
    """
    text = resources.files("deepcolor.evaluation").joinpath("prior.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    bins = torch.tensor([[float(row["a"]), float(row["b"])] for row in rows])
    shares = torch.tensor([float(row["share"]) for row in rows])
    return SoftEncoder(bins), rebalancing(shares, UNIFORM, power=1)
