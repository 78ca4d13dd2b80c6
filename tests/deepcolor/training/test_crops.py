from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from deepcolor.training.crops import Crops, cut, random_crops

SHARES = 0.35, 0.0  # the least area, and whole photographs


def flat(*photographs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pixels, offsets and shapes, as a packed folder has them."""
    pixels = torch.cat([p.permute(1, 2, 0).reshape(-1, 3) for p in photographs])
    shapes = torch.tensor([p.shape[1:] for p in photographs])
    return pixels, shapes.prod(dim=1).cumsum(0) - shapes.prod(dim=1), shapes


@pytest.mark.parametrize("size", [32, 96, 160])
def test_whole_photographs_are_resampled_as_torch_does(size: int) -> None:
    one, two = (
        torch.randint(0, 256, (3, h, w), dtype=torch.uint8) for h, w in ((90, 70), (50, 130))
    )
    boxes = torch.tensor([[0.0, 0, 90, 70], [0, 0, 50, 130]])
    crops = cut(*flat(one, two), Crops(boxes, torch.tensor([False, True])), size)
    for crop, photograph in ((crops[0], one), (crops[1], two.flip(-1))):
        expected = F.interpolate(
            photograph[None].float(), (size, size), mode="bilinear", antialias=True
        )[0]
        assert (crop - expected).abs().max() < 0.51


def test_boxes_lie_within_their_photographs() -> None:
    shapes = torch.tensor([[90, 140], [300, 128], [40, 40]]).repeat(200, 1)
    crops = random_crops(shapes, torch.Generator().manual_seed(0), *SHARES)
    top_left, sides = crops.boxes[:, :2], crops.boxes[:, 2:]
    assert (top_left >= 0).all()
    assert (top_left + sides <= shapes + 1e-3).all()
    share = sides.prod(dim=1) / shapes.min(dim=1).values ** 2
    assert 0.3 < share.min() < 0.45
    assert share.max() > 0.9
    assert 0.4 < crops.mirrored.float().mean() < 0.6


def test_some_are_whole_and_none_too_small() -> None:
    shapes = torch.tensor([[90, 90]] * 2000)
    crops = random_crops(shapes, torch.Generator().manual_seed(0), least_area=0.1, whole=0.4)
    share = crops.boxes[:, 2:].prod(dim=1) / 90**2
    assert 0.09 < share.min() < 0.12
    # What is stretched is cut off where the photograph ends, and so a little smaller.
    most = crops.boxes[:, 2:].max(dim=1).values
    assert 0.37 < (most > 89.99).float().mean() < 0.6


def test_crops_show_what_their_boxes_cover() -> None:
    ramp = torch.arange(120, dtype=torch.uint8).expand(3, 100, 120)
    crops = cut(*flat(ramp), Crops(torch.tensor([[20.0, 30, 40, 64]]), torch.tensor([False])), 32)
    assert crops[0, 0, 0].tolist() == pytest.approx([30.5 + 2 * i for i in range(32)], abs=1)


def test_crops_are_repeatable() -> None:
    shapes = torch.tensor([[90, 140]] * 5)
    one, same, other = (
        random_crops(shapes, torch.Generator().manual_seed(seed), *SHARES).boxes
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_tiny_photographs() -> None:
    photograph = torch.zeros(3, 5, 200, dtype=torch.uint8)
    pixels, offsets, shapes = flat(photograph)
    crops = random_crops(shapes, torch.Generator().manual_seed(0), *SHARES)
    assert cut(pixels, offsets, shapes, crops, 32).shape == (1, 3, 32, 32)
