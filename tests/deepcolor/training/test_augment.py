from __future__ import annotations

import torch

from deepcolor.lab import rgb_to_lab
from deepcolor.training.augment import old_film, random_crop


def test_crops_are_square_and_repeatable() -> None:
    photograph = torch.randint(0, 256, (3, 90, 140), dtype=torch.uint8)
    crops = [random_crop(photograph, 64, torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert all(crop.shape == (3, 64, 64) and crop.dtype == torch.uint8 for crop in crops)
    assert torch.equal(crops[0], crops[1])
    assert not torch.equal(crops[0], crops[2])


def test_crops_of_tiny_photographs() -> None:
    assert random_crop(torch.zeros(3, 5, 200, dtype=torch.uint8), 32, torch.Generator()).shape == (
        3,
        32,
        32,
    )


def test_old_film_changes_most_and_leaves_some() -> None:
    rgb = torch.randint(0, 256, (400, 3, 8, 8), dtype=torch.uint8)
    l = rgb_to_lab(rgb)[:, :1]
    old = old_film(rgb, l, torch.Generator().manual_seed(0))
    assert old.shape == l.shape
    assert 0 <= old.min() <= old.max() <= 100
    untouched = (old == l).flatten(1).all(dim=1).float().mean().item()
    assert 0.25 < untouched < 0.45
