from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from deepcolor.bins import in_gamut_bins
from deepcolor.training.pack import packed
from deepcolor.training.photographs import Photographs, split
from deepcolor.training.prior import photographs_prior, write_prior


@pytest.fixture
def meadows(mixed: Path) -> Photographs:
    learned, _, _ = split(packed(mixed), least_chroma=4)
    rows = [i for i, name in enumerate(learned.names) if name.startswith("meadow")]
    return replace(
        learned,
        names=[learned.names[i] for i in rows],
        offsets=learned.offsets[rows],
        shapes=learned.shapes[rows],
    )


def test_it_is_the_mean_of_the_photographs_own(meadows: Photographs) -> None:
    bins = in_gamut_bins()
    together = photographs_prior(meadows, bins)
    assert together.sum().item() == pytest.approx(1)
    alone = [
        photographs_prior(
            replace(
                meadows,
                names=[name],
                offsets=meadows.offsets[[i]],
                shapes=meadows.shapes[[i]],
            ),
            bins,
        )
        for i, name in enumerate(meadows.names)
    ]
    assert torch.allclose(together, torch.stack(alone).mean(dim=0))


def test_the_file_holds_a_bin_a_line(meadows: Photographs, tmp_path: Path) -> None:
    path = tmp_path / "prior.csv"
    write_prior(meadows, path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [[float(row["a"]), float(row["b"])] for row in rows] == in_gamut_bins().tolist()
    shares = {(row["a"], row["b"]): float(row["share"]) for row in rows}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    # The meadows are green and blue.
    assert shares["-30", "50"] + shares["-30", "40"] > 0.05
    assert shares["70", "50"] == 0
