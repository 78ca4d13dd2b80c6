from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from deepcolor.lab import rgb_to_lab
from deepcolor.training.augment import (
    Dice,
    compressed,
    faded,
    grainy,
    old_film,
    scratched,
    sensitized,
    soft,
    uneven,
)


@pytest.fixture
def dice() -> Dice:
    return Dice(64, torch.Generator().manual_seed(0))


@pytest.fixture
def flat() -> torch.Tensor:
    """Sixty-four middling grays without a feature."""
    return torch.full((64, 1, 64, 64), 50.0)


def test_old_film_changes_most_and_leaves_some() -> None:
    rgb = torch.randint(0, 256, (400, 3, 8, 8), dtype=torch.uint8)
    l = rgb_to_lab(rgb)[:, :1]
    old = old_film(rgb, l, 0.35, torch.Generator().manual_seed(0))
    assert old.shape == l.shape
    assert 0 <= old.min() <= old.max() <= 100
    untouched = (old == l).flatten(1).all(dim=1).float().mean().item()
    assert 0.25 < untouched < 0.45
    assert torch.equal(old, old_film(rgb, l, 0.35, torch.Generator().manual_seed(0)))


def test_orthochromatic_film_sees_red_dark_and_blue_light(dice: Dice) -> None:
    red, blue, gray = torch.tensor([[200, 30, 30], [30, 30, 200], [90, 90, 90]]).to(torch.uint8)
    for color, sign in ((red, -1), (blue, 1), (gray, 0)):
        rgb = color[None, :, None, None].expand(64, 3, 2, 2)
        moved = (sensitized(rgb, dice) - rgb_to_lab(rgb)[:, :1]).mean()
        assert sign * moved > 4 if sign else abs(moved) < 0.5


def test_uneven_exposure_is_smooth(flat: torch.Tensor, dice: Dice) -> None:
    spread = uneven(flat, dice) - flat
    assert spread.abs().amax(dim=(1, 2, 3)).median() > 5
    assert spread.diff(dim=-1).abs().max() < 3


def test_blur_and_grain(flat: torch.Tensor, dice: Dice) -> None:
    grain = grainy(flat, dice)
    assert 0.5 < (grain - flat).std() < 6
    assert soft(grain).std() < 0.6 * grain.std()


def test_fading_lowers_contrast_more_often_than_not(dice: Dice) -> None:
    l = torch.linspace(0, 100, 64).expand(64, 1, 64, 64)
    span = faded(l, dice)[..., -1] - faded(l, dice)[..., 0]
    assert (span < 100).float().mean() > 0.6


def test_scratches_are_few_and_thin(flat: torch.Tensor, dice: Dice) -> None:
    hit = (scratched(flat, dice) - flat).abs() > 2
    assert hit.flatten(1).any(dim=1).float().mean() > 0.7
    assert hit.float().mean() < 0.1
    # Upright: many rows see a scratch, few columns do.
    assert hit.any(dim=3).float().mean() > 2 * hit.any(dim=2).float().mean()


def test_compression_is_jpegs() -> None:
    """At one quality, against Pillow's."""
    noise = torch.nn.functional.interpolate(
        torch.randn((1, 1, 12, 12), generator=torch.Generator().manual_seed(1)), (64, 64)
    )
    code = (128 + 40 * noise).clamp(0, 255).round()
    quality = 50

    class Fixed(Dice):
        def uniform(self, low: float, high: float) -> torch.Tensor:
            return torch.full((1, 1, 1, 1), float(quality))

    ours = compressed(code / 2.55, Fixed(1, torch.Generator())) * 2.55
    file = io.BytesIO()
    Image.fromarray(code[0, 0].numpy().astype("u1")).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        theirs = torch.from_numpy(np.array(image)).float()
    assert (ours[0, 0].clamp(0, 255) - theirs).abs().mean() < 0.6
    assert (code[0, 0] - theirs).abs().mean() > 3
