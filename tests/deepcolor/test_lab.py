from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcolor import lab
from tests.deepcolor.conftest import Carried

WHITE = np.array([0.95047, 1.0, 1.08883])
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def reference(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """L*a*b* (..., 3) of sRGB codes (..., 3), from the definitions, in float64."""
    code = rgb / 255
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    t = linear @ TO_XYZ.T / WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def one(*values: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """A picture of one pixel."""
    return torch.tensor(values, dtype=dtype)[:, None, None]


def to_lab(*rgb: int) -> list[float]:
    return lab.rgb_to_lab(one(*rgb, dtype=torch.uint8)).flatten().tolist()


@pytest.fixture(scope="module")
def codes() -> Tensor:
    """Every fifth level of each channel, all combinations: (3, 52, 2704)."""
    levels = torch.arange(0, 256, 5, dtype=torch.uint8)
    return torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij")).reshape(3, 52, -1)


def test_codes_survive_the_round_trip(codes: Tensor) -> None:
    l, ab = lab.rgb_to_lab(codes).split((1, 2))
    assert torch.equal(lab.lab_to_rgb(l, ab), codes)


def test_agrees_with_the_definitions_in_float64(codes: Tensor) -> None:
    ours = lab.rgb_to_lab(codes).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, reference(codes.permute(1, 2, 0).numpy()), atol=2e-3)


@pytest.mark.parametrize(
    ("rgb", "published"),
    [
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((255, 255, 0), (97.14, -21.55, 94.48)),
        ((255, 0, 255), (60.32, 98.23, -60.82)),
        ((0, 255, 255), (91.11, -48.09, -14.13)),
    ],
)
def test_primaries_are_where_they_are_published(
    rgb: tuple[int, int, int], published: tuple[float, float, float]
) -> None:
    assert to_lab(*rgb) == pytest.approx(published, abs=0.02)


@pytest.mark.parametrize(("code", "l"), [(0, 0.0), (1, 0.27), (128, 53.59), (255, 100.0)])
def test_lightness_of_gray(code: int, l: float) -> None:
    assert to_lab(code, code, code)[0] == pytest.approx(l, abs=0.01)
    linear = lab.linear_rgb(torch.tensor(code, dtype=torch.uint8))
    assert lab.lightness(linear).item() == pytest.approx(l, abs=0.01)


def test_lightness_back_to_gray() -> None:
    code = torch.arange(256, dtype=torch.float64) / 255
    l = lab.lightness(lab.decode_gamma(code))
    assert torch.allclose(lab.encode_gamma(lab.luminance(l)), code, atol=1e-6)


def test_gray_has_no_color() -> None:
    gray = torch.arange(256, dtype=torch.uint8).expand(3, 1, 256)
    assert lab.rgb_to_lab(gray)[1:].abs().max() < 1e-3


def test_batches_are_as_their_members(codes: Tensor) -> None:
    both = torch.stack((codes, codes.flip(0)))
    converted = lab.rgb_to_lab(both)
    assert torch.equal(converted[1], lab.rgb_to_lab(codes.flip(0)))
    l, ab = converted.split((1, 2), dim=1)
    wide = lab.fit_gamut(l, ab * 3)
    assert torch.allclose(wide[1], lab.fit_gamut(l[1], ab[1] * 3), atol=1e-5)
    assert torch.equal(lab.lab_to_rgb(l, wide)[0], lab.lab_to_rgb(l[0], wide[0]))


@pytest.fixture(scope="module")
def loud() -> tuple[Tensor, Tensor]:
    """Every lightness with every hue at a chroma far outside sRGB: (1, 99, 360), (2, 99, 360)."""
    l = torch.arange(1.0, 100.0)[None, :, None].expand(1, 99, 360)
    hue = torch.arange(360.0).deg2rad()
    return l, (150 * torch.stack((hue.cos(), hue.sin())))[:, None].expand(2, 99, 360)


def test_fitted_colors_are_in_the_gamut(loud: tuple[Tensor, Tensor]) -> None:
    l, ab = loud
    linear = lab.lab_to_linear_rgb(l, lab.fit_gamut(l, ab))
    assert linear.min() > -2e-4
    assert linear.max() < 1 + 2e-4


def test_fitting_keeps_hue_and_lightness(loud: tuple[Tensor, Tensor]) -> None:
    l, ab = loud
    fitted = lab.fit_gamut(l, ab)
    across = fitted[0] * ab[1] - fitted[1] * ab[0]
    assert (across / 150).abs().max() < 1e-3
    assert ((fitted * ab).sum(dim=0) > 0).all()
    drawn = lab.rgb_to_lab(lab.lab_to_rgb(l, fitted))
    assert (drawn[:1] - l).abs().max() < 0.5


def test_fitting_takes_no_more_chroma_than_it_must(loud: tuple[Tensor, Tensor]) -> None:
    l, ab = loud
    fitted = lab.fit_gamut(l, ab)
    more = fitted + ab / 128
    linear = lab.lab_to_linear_rgb(l, more)
    assert ((linear < 0) | (linear > 1)).any(dim=0).all()


def test_fitting_leaves_colors_of_srgb_alone(codes: Tensor) -> None:
    l, ab = lab.rgb_to_lab(codes).split((1, 2))
    assert torch.equal(lab.fit_gamut(l, ab), ab)
    mixed = torch.cat((ab, torch.full_like(ab, 120)), dim=2)
    kept = lab.fit_gamut(torch.cat((l, l), dim=2), mixed)[..., : ab.shape[2]]
    assert torch.equal(kept, ab)


def test_a_device_is_brought_the_tables_once() -> None:
    rgb = torch.zeros(3, 8, 8, dtype=torch.uint8, device="meta")

    def there_and_back() -> int:
        with Carried() as carried:
            l, ab = lab.rgb_to_lab(rgb).split((1, 2))
            lab.lab_to_rgb(l, ab)
        return carried.count

    lab._linear_of_code.cache_clear()
    lab.matrix.cache_clear()
    assert there_and_back() == 3  # the codes', and both matrices
    assert there_and_back() == 0


def test_colors_can_be_differentiated_whoever_asked_first() -> None:
    """The tables are kept, and the first may have asked within inference mode."""
    lab._linear_of_code.cache_clear()
    lab.matrix.cache_clear()
    with torch.inference_mode():
        lab.rgb_to_lab(torch.zeros(3, 2, 2, dtype=torch.uint8))
    linear = torch.full((3, 2, 2), 0.5, requires_grad=True)
    lab.linear_rgb_to_lab(linear).sum().backward()  # type: ignore[no-untyped-call]
    assert linear.grad is not None
    assert linear.grad.isfinite().all()
