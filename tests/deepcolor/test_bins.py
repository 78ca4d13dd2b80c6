from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deepcolor.bins import GRID, SoftEncoder, in_gamut_bins, prior, rebalancing
from deepcolor.lab import rgb_to_lab


@pytest.fixture(scope="module")
def bins() -> Tensor:
    return in_gamut_bins()


@pytest.fixture(scope="module")
def encoder(bins: Tensor) -> SoftEncoder:
    return SoftEncoder(bins)


@pytest.fixture(scope="module")
def colors() -> Tensor:
    """a*b* (M, 2) of random sRGB colors."""
    rgb = torch.randint(0, 256, (3, 1, 20_000), generator=torch.Generator().manual_seed(0))
    return rgb_to_lab(rgb.to(torch.uint8))[1:].reshape(2, -1).T


def test_bins_cover_the_gamut(bins: Tensor, colors: Tensor) -> None:
    assert len(torch.unique(bins, dim=0)) == len(bins)
    assert torch.equal(bins % GRID, torch.zeros_like(bins))
    assert 250 < len(bins) < 350
    # Every color lies in the cell of some bin.
    assert (colors[:, None] - bins).abs().amax(dim=2).amin(dim=1).max() <= GRID / 2 + 0.5


def test_shares_sum_to_one(encoder: SoftEncoder, colors: Tensor) -> None:
    indices, shares = encoder(colors)
    assert indices.shape == shares.shape == (4, len(colors))
    assert shares.min() >= 0
    assert torch.allclose(shares.sum(dim=0), torch.ones(len(colors)), atol=1e-5)


def test_the_mean_of_the_shares_is_the_color(
    encoder: SoftEncoder, bins: Tensor, colors: Tensor
) -> None:
    indices, shares = encoder(colors)
    mean = (bins[indices] * shares[:, :, None]).sum(dim=0)
    error = (mean - colors).norm(dim=1)
    # Only at the gamut's rim, where the nearest bin takes a share, is there an error.
    assert error.quantile(0.8) < 1e-3
    assert error.max() < GRID
    assert (mean - colors).mean(dim=0).abs().max() < 0.3


def test_a_bins_own_color_is_all_its_own(encoder: SoftEncoder, bins: Tensor) -> None:
    indices, shares = encoder(bins)
    strongest = indices.gather(0, shares.argmax(dim=0, keepdim=True))[0]
    assert torch.equal(bins[strongest], bins)
    assert shares.max(dim=0).values.min() > 0.999


def test_colors_beyond_the_grid_find_a_bin(encoder: SoftEncoder, bins: Tensor) -> None:
    indices, shares = encoder(torch.tensor([[500.0, 500.0], [-500.0, -500.0], [0.0, 900.0]]))
    assert indices.min() >= 0
    assert indices.max() < len(bins)
    assert torch.allclose(shares.sum(dim=0), torch.ones(3), atol=1e-5)


def test_the_nearest_bin_is_the_cells(encoder: SoftEncoder, bins: Tensor, colors: Tensor) -> None:
    some = torch.cat((colors[:2000], torch.tensor([[500.0, 500.0], [-500.0, 3.0]])))
    nearest = (some[:, None] - bins).norm(dim=2).argmin(dim=1)
    inside = (some / GRID - (some / GRID).round()).abs().amax(dim=1) < 0.499
    found = encoder.nearest_bin(some)
    assert torch.equal(found[:-2][inside[:-2]], nearest[:-2][inside[:-2]])
    assert found.shape == (2002,)
    assert found.max() < len(bins)


def test_the_prior_is_the_share_of_each_bin(encoder: SoftEncoder, bins: Tensor) -> None:
    gray = (bins == 0).all(dim=1).nonzero().item()
    share = prior(encoder, len(bins), torch.tensor([[0.0, 0.0]] * 3 + [[10.0, 0.0]]))
    assert share.sum().item() == pytest.approx(1)
    assert share[gray].item() == pytest.approx(0.75, abs=1e-4)


@pytest.mark.parametrize(("uniform", "power"), [(0.3, 0.5), (0.5, 1.0), (1.0, 1.0), (0.2, 0.0)])
def test_rebalancing_has_mean_one_under_the_prior(uniform: float, power: float) -> None:
    share = torch.rand(300, generator=torch.Generator().manual_seed(2)).pow(4)
    share = share / share.sum()
    weight = rebalancing(share, uniform, power)
    assert (share * weight).sum().item() == pytest.approx(1, abs=1e-5)
    if power and uniform < 1:
        assert weight[share.argmin()] > weight[share.argmax()]
    else:
        assert torch.allclose(weight, torch.ones(300), atol=1e-4)


@pytest.mark.parametrize("power", [0.5, 1.0, 4.0])
def test_a_color_that_was_never_seen_weighs_no_infinity(power: float) -> None:
    share = torch.tensor([0.75, 0.25, 0.0])
    weight = rebalancing(share, 0.0, power)
    assert weight.isfinite().all()
    assert weight[2] > weight[1] > weight[0] > 0
    assert (share * weight).sum().item() == pytest.approx(1)


def test_rebalancing_is_zhangs_equation_four() -> None:
    share = torch.tensor([0.7, 0.2, 0.1])
    plain = 1 / (0.5 * share + 0.5 / 3)
    assert torch.allclose(rebalancing(share, 0.5, 1.0), plain / (share * plain).sum())
