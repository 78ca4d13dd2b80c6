from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import deepcolor
from deepcolor.builtin.colornet import Colornet, annealing
from deepcolor.builtin.colornet.gain import raised, usual_chroma
from deepcolor.builtin.colornet.looks import Looks
from deepcolor.lab import rgb_to_lab

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"


@pytest.fixture(scope="module")
def looks(colornet: deepcolor.Colorizer) -> Looks:
    assert isinstance(colornet.strategy, Colornet)
    return colornet.strategy.net


def test_the_usual_chroma_is_what_most_of_a_photograph_has() -> None:
    """However strong the rest is, of whatever hue, and of each photograph its own."""
    ab = torch.zeros(2, 2, 4, 5)
    ab[0, 0], ab[0, 1, 2:] = 6, 8
    ab[0, :, 2, :4] = torch.tensor([-60.0, 90.0])[:, None]
    ab[0, :, 0] = torch.tensor([-8.0, 6.0])[:, None]
    assert usual_chroma(ab).flatten().tolist() == [10, 0]


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ((0, 0), (0, 0)),  # gray stays gray
        ((6, 8), (6, 8)),  # the usual chroma stays as it is
        ((-4, 3), (-4, 3)),  # and so does less of it
        ((12, 16), (15, 20)),  # what is beyond is raised: 10 + 1.5 * 10
        ((-24, 18), (-32, 24)),  # 10 + 1.5 * 20
    ],
)
def test_chroma_beyond_the_usual_is_raised(
    color: tuple[float, float], expected: tuple[float, float]
) -> None:
    ab = torch.tensor(color, dtype=torch.float32)[None, :, None, None]
    found = raised(ab, torch.full((1, 1, 1, 1), 10.0), 1.5)
    assert found.flatten().tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("usual", [0.0, 10.0])
def test_what_is_raised_can_be_taken_back(usual: float) -> None:
    ab = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0)) * 20
    told = torch.full((3, 1, 1, 1), usual)
    assert torch.allclose(raised(raised(ab, told, 1.8), told, 1 / 1.8), ab, atol=1e-4)
    assert torch.allclose(raised(ab, told, 1), ab)


def test_a_veil_is_not_raised_and_what_stands_out_is(
    colornet: deepcolor.Colorizer, looks: Looks
) -> None:
    """By the default's gain, which the strategy takes."""
    group = Image.open(PICTURES / "dust-bowl.gray.jpg").convert("RGB").resize((256, 256))
    l = rgb_to_lab(torch.from_numpy(np.array(group)).permute(2, 0, 1)[None])[:, :1]
    temperature, rebalance, gain = annealing(1)
    with torch.inference_mode():
        guess = looks.guess(l, temperature, rebalance, None)
        found = looks(l, temperature, rebalance, gain)
        assert torch.equal(found, colornet.strategy.predict(l, {"vividness": 1.0}, None))
    before, after = guess.norm(dim=1).flatten(), found.norm(dim=1).flatten()
    half = len(before) // 2
    order = before.argsort()
    assert torch.allclose(after[order[:half]], before[order[:half]], atol=1e-3)
    assert after[order[-half // 5 :]].mean() > 1.3 * before[order[-half // 5 :]].mean()


def test_no_hint_among_the_hints_is_as_none_at_all(looks: Looks) -> None:
    l = torch.rand(1, 1, 64, 96, generator=torch.Generator().manual_seed(0)) * 100
    with torch.inference_mode():
        found, told = (
            looks(l, *annealing(1), hints) for hints in (torch.zeros(1, 3, 64, 96), None)
        )
    assert torch.allclose(found, told, atol=1e-4)
