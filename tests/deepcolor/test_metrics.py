from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from deepcolor import metrics

# Sharma, Wu & Dalal (2005), table 1: L*, a*, b* twice, and the difference.
SHARMA = [
    (50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425),
    (50.0, 3.1571, -77.2803, 50.0, 0.0, -82.7485, 2.8615),
    (50.0, 2.8361, -74.0200, 50.0, 0.0, -82.7485, 3.4412),
    (50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0),
    (50.0, -1.1848, -84.8006, 50.0, 0.0, -82.7485, 1.0),
    (50.0, -0.9009, -85.5211, 50.0, 0.0, -82.7485, 1.0),
    (50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669),
    (50.0, -1.0, 2.0, 50.0, 0.0, 0.0, 2.3669),
    (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0009, 7.1792),
    (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0010, 7.1792),
    (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0011, 7.2195),
    (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0012, 7.2195),
    (50.0, -0.0010, 2.4900, 50.0, 0.0009, -2.4900, 4.8045),
    (50.0, -0.0010, 2.4900, 50.0, 0.0010, -2.4900, 4.8045),
    (50.0, -0.0010, 2.4900, 50.0, 0.0011, -2.4900, 4.7461),
    (50.0, 2.5, 0.0, 50.0, 0.0, -2.5, 4.3065),
    (50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492),
    (50.0, 2.5, 0.0, 61.0, -5.0, 29.0, 22.8977),
    (50.0, 2.5, 0.0, 56.0, -27.0, -3.0, 31.9030),
    (50.0, 2.5, 0.0, 58.0, 24.0, 15.0, 19.4535),
    (50.0, 2.5, 0.0, 50.0, 3.1736, 0.5854, 1.0),
    (50.0, 2.5, 0.0, 50.0, 3.2972, 0.0, 1.0),
    (50.0, 2.5, 0.0, 50.0, 1.8634, 0.5757, 1.0),
    (50.0, 2.5, 0.0, 50.0, 3.2592, 0.3350, 1.0),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
    (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630),
    (61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731),
    (35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645),
    (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
    (36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146),
    (90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441),
    (90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381),
    (6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377),
    (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
]


def pixel(*lab: float) -> Tensor:
    return torch.tensor(lab, dtype=torch.float64).reshape(1, 3, 1, 1)


def flat(*rgb: int) -> Tensor:
    return torch.tensor(rgb, dtype=torch.uint8).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)


@pytest.mark.parametrize("row", SHARMA)
def test_ciede2000_of_the_published_pairs(row: tuple[float, ...]) -> None:
    one, other, difference = pixel(*row[:3]), pixel(*row[3:6]), row[6]
    assert metrics.ciede2000(one, other).item() == pytest.approx(difference, abs=1e-4)
    assert metrics.ciede2000(other, one).item() == pytest.approx(difference, abs=1e-4)


def test_ciede2000_is_a_mean_for_each_photograph() -> None:
    one = torch.cat([pixel(50, 0, 0), pixel(50, 0, 0)], dim=3)
    other = torch.cat([pixel(50, 0, 0), pixel(50, -1, 2)], dim=3)
    both = metrics.ciede2000(torch.cat((one, one)), torch.cat((one, other)))
    assert both.tolist() == pytest.approx([0, 2.3669 / 2], abs=1e-4)


def test_auc_is_one_without_error_and_caps_the_error_at_150() -> None:
    zero = torch.zeros(3, 2, 2, 2)
    far = zero.clone()
    far[1, 0], far[1, 1] = 30, 40
    far[2] = 1000
    assert metrics.auc(zero, far).tolist() == pytest.approx([1, 1 - 50 / 150, 0])


def test_auc_weighs_pixels() -> None:
    near = torch.zeros(2, 2, 1, 2)
    far = near.clone()
    far[:, 0, 0, 1] = 60
    weight = torch.tensor([[[3.0, 1.0]], [[1.0, 3.0]]])
    assert metrics.auc(near, far, weight).tolist() == pytest.approx([1 - 15 / 150, 1 - 45 / 150])
    assert metrics.auc(near, far, 7 * weight).tolist() == pytest.approx([0.9, 0.7])


def test_psnr_in_decibels() -> None:
    assert metrics.psnr(flat(10, 10, 10), flat(20, 20, 20)).item() == pytest.approx(
        20 * math.log10(25.5)
    )
    assert metrics.psnr(flat(0, 0, 0), flat(255, 255, 255)).item() == pytest.approx(0)
    one_channel = metrics.psnr(flat(0, 5, 7), flat(30, 5, 7)).item()
    assert one_channel == pytest.approx(10 * math.log10(255**2 / 300))


def test_psnr_of_no_error_is_that_of_rounding() -> None:
    same = metrics.psnr(flat(7, 8, 9), flat(7, 8, 9)).item()
    assert same == pytest.approx(10 * math.log10(255**2 * 12))


def test_ssim_as_scikit_image_has_it() -> None:
    y, x = torch.meshgrid(torch.arange(40), torch.arange(48), indexing="ij")
    one = torch.stack((x * 5, y * 6, (x * y) % 256)).to(torch.uint8)
    other = torch.stack((x * 5, (y * 6 + 20).clamp_max(255), ((x + 3) * y) % 256)).to(torch.uint8)
    # structural_similarity of scikit-image 0.26.0 with gaussian_weights=True, sigma=1.5,
    # use_sample_covariance=False, data_range=255, channel_axis=-1.
    wanted = 0.6844408703961248
    assert metrics.ssim(one[None], other[None]).item() == pytest.approx(wanted, abs=1e-5)
    both = metrics.ssim(torch.stack((one, other)), one[None])
    assert both.tolist() == pytest.approx([1, wanted], abs=1e-5)


def test_ssim_of_flat_photographs() -> None:
    dark, light = flat(50, 50, 50).repeat(1, 1, 3, 4), flat(200, 200, 200).repeat(1, 1, 3, 4)
    c1 = 2.55**2
    wanted = (2 * 50 * 200 + c1) / (50**2 + 200**2 + c1)
    assert metrics.ssim(dark, light).item() == pytest.approx(wanted, abs=1e-4)


def test_colorfulness() -> None:
    assert metrics.colorfulness(flat(90, 90, 90)).item() == 0
    # |R−G| = 100, |(R+G)/2−B| = 50, no spread.
    assert metrics.colorfulness(flat(100, 0, 0)).item() == pytest.approx(0.3 * math.hypot(100, 50))
    halves = torch.cat((flat(100, 0, 50), flat(0, 0, 0)), dim=3)
    # |R−G| is 100 and 0: spread 50, mean 50; |(R+G)/2−B| is 0 everywhere.
    assert metrics.colorfulness(halves).item() == pytest.approx(50 + 0.3 * 50)


def test_colorfulness_takes_unsigned_differences() -> None:
    halves = torch.cat((flat(100, 0, 50), flat(0, 100, 50)), dim=3)
    assert metrics.colorfulness(halves).item() == pytest.approx(0.3 * 100)
