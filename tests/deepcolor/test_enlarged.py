from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from deepcolor.draw.enlarged import Enlarged, resampling

SIZES = [(40, 30), (200, 300), (7, 5), (8, 11), (1, 500), (3000, 40)]


def small(height: int = 8) -> torch.Tensor:
    return torch.randn(2, height, 11, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("height", [1, 2, 3, 8])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_torchs_interpolation(size: tuple[int, int], height: int) -> None:
    ours = Enlarged.of(small(height).numpy(), size).rows(0, size[1])
    theirs = F.interpolate(small(height)[None], size[::-1], mode="bicubic", align_corners=False)[0]
    assert np.allclose(ours, theirs.numpy(), atol=1e-5)


def test_the_guess_may_lie_in_memory_as_it_likes() -> None:
    across = small().movedim(0, -1).contiguous().movedim(-1, 0).numpy()
    enlarged = Enlarged.of(across, (30, 40))
    assert enlarged.wide.flags.c_contiguous
    assert np.allclose(enlarged.wide, Enlarged.of(small().numpy(), (30, 40)).wide, atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_any_rows_are_those_of_the_whole(size: tuple[int, int]) -> None:
    enlarged = Enlarged.of(small().numpy(), size)
    some = enlarged.rows(size[1] // 3, size[1])
    assert np.allclose(some, enlarged.rows(0, size[1])[:, size[1] // 3 :], atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_no_row_is_mixed_of_more_than_its_taps(size: tuple[int, int]) -> None:
    down = resampling(8, size[1])
    for y, (first, taps) in enumerate(zip(down.first, down.taps, strict=True)):
        told = down.weights[y].copy()
        assert (told[first : first + len(taps)] == taps).all()
        told[first : first + len(taps)] = 0
        assert (told == 0).all()
