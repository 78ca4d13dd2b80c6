from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch

from deepcolor.bins import in_gamut_bins
from deepcolor.training.photographs import Photographs
from deepcolor.training.prior import photographs_prior, write_prior


def test_it_is_the_mean_of_the_photographs_own(packed: Path) -> None:
    bins = in_gamut_bins()
    photographs = Photographs(packed, held_out=False, least_chroma=4)
    together = photographs_prior(photographs, bins)
    assert together.sum().item() == pytest.approx(1)
    alone = []
    for i in range(len(photographs)):
        one = Photographs(packed, held_out=False, least_chroma=4)
        one.shapes, one.offsets, one.names = one.shapes[[i]], one.offsets[[i]], [one.names[i]]
        alone.append(photographs_prior(one, bins))
    assert torch.allclose(together, torch.stack(alone).mean(dim=0))


def test_the_file_holds_a_bin_a_line(packed: Path, tmp_path: Path) -> None:
    path = tmp_path / "prior.csv"
    assert write_prior(packed, 4, path) == 24
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [[float(row["a"]), float(row["b"])] for row in rows] == in_gamut_bins().tolist()
    shares = {(row["a"], row["b"]): float(row["share"]) for row in rows}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    # The meadows are green and blue.
    assert shares["-30", "50"] + shares["-30", "40"] > 0.05
    assert shares["70", "50"] == 0
