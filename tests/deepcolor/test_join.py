from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from deepcolor import draw, lab
from deepcolor.join import join, network_lightness
from deepcolor.photograph import Photograph, decode

LIGHTNESS_OF_CODE = lab.lightness(lab.linear_rgb(torch.arange(256, dtype=torch.uint8)))


def joined(photograph: Photograph, ab: Tensor, saturation: float = 1.0) -> Image.Image:
    image = join(photograph, ab, saturation=saturation)
    assert isinstance(image, Image.Image)
    return image


def gray_codes(image: Image.Image) -> NDArray[np.int64]:
    """The gray code nearest in L* to each pixel."""
    rgb = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    l = lab.rgb_to_lab(rgb)[0]
    return (l[..., None] - LIGHTNESS_OF_CODE).abs().argmin(dim=-1).numpy()


def colors(a: float, b: float, h: int = 4, w: int = 4) -> Tensor:
    return torch.tensor([a, b])[:, None, None].expand(2, h, w).contiguous()


@pytest.fixture(scope="module")
def ramp() -> Image.Image:
    """Every gray code."""
    return Image.fromarray(np.arange(256, dtype=np.uint8).repeat(2)[None].repeat(8, axis=0))


@pytest.mark.parametrize("a", [-127, 0, 127])
@pytest.mark.parametrize("b", [-127, 0, 127])
def test_lightness_stays_however_loud_the_colors(ramp: Image.Image, a: int, b: int) -> None:
    colored = joined(decode(ramp), colors(a, b))
    assert np.abs(gray_codes(colored) - np.asarray(ramp)).max() <= 1


def test_lightness_stays_where_colors_change_from_pixel_to_pixel(landscape: Image.Image) -> None:
    noise = torch.randn(2, 60, 80, generator=torch.Generator().manual_seed(3)) * 80
    colored = joined(decode(landscape), noise)
    assert np.abs(gray_codes(colored) - np.asarray(landscape)).max() <= 1


def test_lightness_of_a_colored_original_stays() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    original = Image.fromarray(rgb)
    colored = joined(decode(original), colors(20, -30))
    assert np.abs(gray_codes(colored) - gray_codes(original)).max() <= 1


def test_no_color_leaves_gray_as_it_was(landscape: Image.Image) -> None:
    colored = np.asarray(joined(decode(landscape), colors(0, 0)))
    assert (colored == np.asarray(landscape)[..., None]).all()


def test_saturation_is_a_factor() -> None:
    gray = decode(Image.new("L", (8, 8), 128))
    colored = joined(gray, colors(10, -8), 2.0)
    drawn = lab.rgb_to_lab(torch.from_numpy(np.array(colored)).permute(2, 0, 1))
    assert drawn[1:, 4, 4].tolist() == pytest.approx([20, -16], abs=0.6)


def test_strips_give_what_the_whole_gives(
    landscape: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph = decode(landscape)
    ab = torch.randn(2, 20, 30, generator=torch.Generator().manual_seed(0)) * 40
    whole = np.asarray(joined(photograph, ab)).astype(int)
    monkeypatch.setattr(draw.Strip, "PIXELS", 7 * 320)
    strips = np.asarray(joined(photograph, ab))
    # Floating point sums in another order may fall on the other side of a half.
    assert np.abs(whole - strips).max() <= 1
    assert (whole != strips).mean() < 1e-3


def test_threads_give_what_one_gives(landscape: Image.Image) -> None:
    photograph = decode(landscape)
    ab = torch.randn(2, 20, 30, generator=torch.Generator().manual_seed(0)) * 40
    before = torch.get_num_threads()
    try:
        drawn = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            drawn.append(np.array(join(photograph, ab)))
    finally:
        torch.set_num_threads(before)
    assert np.abs(drawn[0].astype(int) - drawn[1]).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (257, 3)])
def test_size_is_kept(size: tuple[int, int]) -> None:
    colored = joined(decode(Image.new("L", size, 100)), colors(30, 30))
    assert (colored.mode, colored.size) == ("RGB", size)


def test_the_network_sees_lightness_at_its_own_size(landscape: Image.Image) -> None:
    l = network_lightness(decode(landscape), (96, 64), exact=True)
    assert l.shape == (1, 64, 96)
    assert l.mean().item() == pytest.approx(
        LIGHTNESS_OF_CODE[torch.from_numpy(np.array(landscape)).long()].mean().item(), abs=0.5
    )
    colored = network_lightness(decode(landscape.convert("RGB")), (96, 64), exact=True)
    assert torch.allclose(l, colored, atol=1e-3)


def test_the_quick_way_to_the_networks_size_is_nearly_the_same() -> None:
    """Of a detailed photograph, so large that pixels are averaged first."""
    folder = Path(__file__).parents[2] / "docs" / "pictures"
    with Image.open(folder / "killarney-1910.gray.jpg") as small:
        large = decode(small.resize((small.width * 3, small.height * 3), Image.Resampling.NEAREST))
    exact, quick = (network_lightness(large, (96, 64), exact=exact) for exact in (True, False))
    assert not torch.equal(exact, quick)
    assert (exact - quick).abs().mean() < 0.1
    assert (exact - quick).abs().max() < 3


def test_sixteen_bits_are_colored_as_eight_are() -> None:
    ramp = np.linspace(0, 65535, 320, dtype=np.uint16)[None].repeat(8, axis=0)
    photograph = decode(Image.fromarray(ramp))
    deep = join(photograph, colors(25, -60), saturation=0.5, deep=True)
    assert isinstance(deep, np.ndarray)
    shallow = join(photograph, colors(25, -60), saturation=0.5)
    away = np.abs(deep / 257 - np.asarray(shallow))
    assert away.max() < 6  # where sRGB lacks the color
    assert away.mean() < 0.5
    codes = torch.from_numpy(np.round(deep / 257).astype(np.uint8)).permute(2, 0, 1)
    gray = lab.lightness(lab.decode_gamma(torch.from_numpy(ramp / 65535)))
    assert (lab.rgb_to_lab(codes)[0] - gray).abs().max() < 0.5
