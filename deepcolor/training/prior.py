"""The share of each a*b* bin among the training photographs, which evaluation weighs pixels by."""

from __future__ import annotations

import csv
from pathlib import Path

import torch
from torch import Tensor

from deepcolor.bins import SoftEncoder, in_gamut_bins, prior
from deepcolor.lab import rgb_to_lab
from deepcolor.training.photographs import Photographs

EVERY = 4  # pixels, across and down


def photographs_prior(photographs: Photographs, bins: Tensor) -> Tensor:
    """Share of each of ``bins`` (Q, 2), as (Q,), each photograph counting the same."""
    encoder = SoftEncoder(bins)
    total = torch.zeros(len(bins), dtype=torch.float64)
    for i in range(len(photographs)):
        ab = rgb_to_lab(photographs[i][:, ::EVERY, ::EVERY])[1:]
        total += prior(encoder, len(bins), ab.flatten(1).T)
    return total / total.sum()


def write_prior(photographs: Photographs, path: Path) -> None:
    """Writes the prior of photographs as CSV."""
    bins = in_gamut_bins()
    shares = photographs_prior(photographs, bins).tolist()
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["a", "b", "share"])
        for (a, b), share in zip(bins.tolist(), shares, strict=True):
            writer.writerow([round(a), round(b), f"{share:.4e}"])
