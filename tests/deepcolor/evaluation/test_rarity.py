from __future__ import annotations

import csv
from importlib import resources

import pytest
import torch
from torch import Tensor

from deepcolor.bins import in_gamut_bins
from deepcolor.evaluation.rarity import rarity


@pytest.fixture(scope="module")
def prior() -> dict[tuple[int, int], float]:
    text = resources.files("deepcolor.evaluation").joinpath("prior.csv").read_text()
    return {
        (int(row["a"]), int(row["b"])): float(row["share"])
        for row in csv.DictReader(text.splitlines())
    }


def of(*colors: tuple[float, float]) -> Tensor:
    return rarity(torch.tensor(colors).T[None, :, None, :])[0, 0]


def test_the_prior_is_one_of_the_bins(prior: dict[tuple[int, int], float]) -> None:
    assert list(prior) == [(round(a), round(b)) for a, b in in_gamut_bins().tolist()]
    assert sum(prior.values()) == pytest.approx(1, abs=1e-3)
    assert max(prior, key=prior.__getitem__) == (0, 0)
    assert 0.15 < prior[0, 0] < 0.3


def test_a_pixels_weight_is_zhangs_of_its_bin(prior: dict[tuple[int, int], float]) -> None:
    plain = {color: 1 / (0.5 * share + 0.5 / len(prior)) for color, share in prior.items()}
    mean = sum(prior[color] * weight for color, weight in plain.items())
    colors = [(0, 0), (0, 20), (60, 50), (20, -70)]
    wanted = [plain[color] / mean for color in colors]
    assert of(*colors).tolist() == pytest.approx(wanted, rel=1e-3)
    # Anywhere within the bin's cell.
    assert of((4.9, -4.9), (-4.9, 15.1), (55.1, 54.9)).tolist() == pytest.approx(
        wanted[:3], rel=1e-3
    )


def test_rare_colors_weigh_more_and_keep_their_places() -> None:
    gray, blue = (0.0, 0.0), (40.0, -80.0)
    ab = torch.zeros(2, 2, 3, 4)
    ab[1, :, 2, 1] = torch.tensor(blue)
    weight = rarity(ab)
    assert weight.shape == (2, 3, 4)
    assert (weight > 10 * weight[0, 0, 0]).nonzero().tolist() == [[1, 2, 1]]
    assert of(gray, blue).tolist() == [weight[0, 0, 0].item(), weight[1, 2, 1].item()]
