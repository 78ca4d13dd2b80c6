from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import deepcolor
from deepcolor.builtin.colornet import Colornet, annealing
from deepcolor.builtin.colornet.cast import cast_of, raised
from deepcolor.builtin.colornet.looks import Looks
from deepcolor.lab import rgb_to_lab

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
BROWN = torch.tensor([6.0, 8.0])[None, :, None, None]  # of a strength of 10


def test_the_cast_is_the_color_that_most_of_a_photograph_has() -> None:
    """However strong the rest is, and of each photograph its own."""
    ab = torch.zeros(2, 2, 4, 5)
    ab[0] = torch.tensor([6.0, 8.0])[:, None, None]
    ab[0, :, :2, :4] = torch.tensor([-60.0, 90.0])[:, None, None]
    assert cast_of(ab).flatten(1).tolist() == [[6, 8], [0, 0]]


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ((0, 0), (0, 0)),  # gray stays gray
        ((6, 8), (6, 8)),  # the cast stays as it is
        ((3, 4), (3, 4)),  # and so does what has less of it
        ((12, 16), (6 + 1.5 * 6, 8 + 1.5 * 8)),  # what exceeds it is raised
        ((-6, -8), (-9, -12)),  # as is what lies the other way
        ((-8, 6), (-12, 9)),  # or across
        ((6 - 8, 8 + 6), (6 - 12, 8 + 9)),
    ],
)
def test_colors_are_raised_from_the_cast(
    color: tuple[float, float], expected: tuple[float, float]
) -> None:
    ab = torch.tensor(color, dtype=torch.float32)[None, :, None, None]
    assert raised(ab, BROWN, 1.5).flatten().tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("cast", [BROWN, torch.zeros(1, 2, 1, 1)])
def test_what_is_raised_can_be_taken_back(cast: torch.Tensor) -> None:
    ab = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0)) * 20
    assert torch.allclose(raised(raised(ab, cast, 1.6), cast, 1 / 1.6), ab, atol=1e-4)
    assert torch.allclose(raised(ab, cast, 1), ab, atol=1e-5)


def test_without_a_cast_all_chroma_is_raised() -> None:
    ab = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(0)) * 20
    assert torch.allclose(raised(ab, torch.zeros(1, 2, 1, 1), 1.6), 1.6 * ab, atol=1e-5)


def test_a_veil_over_a_crowd_is_not_raised_and_faces_are(colornet: deepcolor.Colorizer) -> None:
    """By the default's gain, which the strategy takes."""
    assert isinstance(colornet.strategy, Colornet)
    net: Looks = colornet.strategy.net
    group = Image.open(PICTURES / "dust-bowl.gray.jpg").convert("RGB").resize((256, 256))
    l = rgb_to_lab(torch.from_numpy(np.array(group)).permute(2, 0, 1)[None])[:, :1]
    temperature, rebalance, gain = annealing(1)
    with torch.inference_mode():
        plain = net.guess(l, temperature, rebalance, None)
        found = net(l, temperature, rebalance, gain)
        assert torch.equal(found, colornet.strategy.predict(l, {"vividness": 1.0}, None))
    cast = cast_of(plain)
    assert torch.allclose(found, raised(plain, cast, gain), atol=1e-4)
    veil = (plain - cast).norm(dim=1) < 0.2 * cast.norm()
    strong = plain.norm(dim=1) > 3 * cast.norm()
    assert veil.any()
    assert strong.any()
    gained = found.norm(dim=1) / plain.norm(dim=1)
    assert gained[veil].mean() < 1.1
    assert gained[strong].mean() > 1 + 0.6 * (gain - 1)


def test_no_hint_among_the_hints_is_as_none_at_all(colornet: deepcolor.Colorizer) -> None:
    assert isinstance(colornet.strategy, Colornet)
    net: Looks = colornet.strategy.net
    l = torch.rand(1, 1, 64, 96, generator=torch.Generator().manual_seed(0)) * 100
    with torch.inference_mode():
        found, told = (net(l, *annealing(1), hints) for hints in (torch.zeros(1, 3, 64, 96), None))
    assert torch.allclose(found, told, atol=1e-4)
