from __future__ import annotations

import pytest
import torch

from deepcolor.training.cutmix import paste

SIDE = 64


def numbered(count: int, channels: int, side: int) -> torch.Tensor:
    """Each photograph is of its own number."""
    return torch.arange(float(count)).reshape(-1, 1, 1, 1).repeat(1, channels, side, side)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("share", "pasted"), [(0.5, 4), (0.25, 2), (0.0, 0)])
def test_a_share_gets_a_square_piece_of_as_many_others(share: float, pasted: int) -> None:
    l = numbered(8, 1, SIDE)
    paste([l], share, generator())
    for i, photograph in enumerate(l):
        values = photograph.unique().tolist()
        assert values == ([i, 8 - pasted + i] if i < pasted else [i])
        if i < pasted:
            down, right = (photograph[0] != i).nonzero().unbind(dim=1)
            height, width = (int(one.max() - one.min()) + 1 for one in (down, right))
            assert height == width
            assert len(down) == height * width
            assert 0.06 < len(down) / SIDE**2 <= 0.5


@pytest.mark.parametrize("seed", range(5))
def test_lightness_hints_and_colors_go_together(seed: int) -> None:
    """Also on the coarser grid of the colors, whose positions stand for four by four pixels."""
    places = torch.rand(6, 1, SIDE // 4, SIDE // 4)
    l = places.repeat_interleave(4, 2).repeat_interleave(4, 3)
    hints, ab = l.repeat(1, 3, 1, 1), places.repeat(1, 2, 1, 1)
    before = l.clone()
    paste((l, hints, ab), 0.5, generator(seed))
    assert not torch.equal(l, before)
    assert torch.equal(hints, l.repeat(1, 3, 1, 1))
    assert torch.equal(ab, l[:, :, ::4, ::4].repeat(1, 2, 1, 1))


def test_a_piece_lies_elsewhere_than_where_it_is_from() -> None:
    ramp = torch.arange(float(SIDE)).expand(2, 1, SIDE, SIDE).clone()
    paste([ramp], 0.5, generator())
    assert not torch.equal(ramp[0], ramp[1])


def test_pieces_differ_from_one_step_to_the_next() -> None:
    steps = [numbered(2, 1, SIDE) for _ in range(3)]
    for seed, l in zip((1, 1, 2), steps, strict=True):
        paste([l], 0.5, generator(seed))
    assert torch.equal(steps[0], steps[1])
    assert not torch.equal(steps[0], steps[2])


def test_a_photograph_alone_stays_as_it_is() -> None:
    l = numbered(1, 1, SIDE)
    paste([l], 0.5, generator())
    assert torch.equal(l, numbered(1, 1, SIDE))
