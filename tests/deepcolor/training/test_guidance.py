from __future__ import annotations

import torch

from deepcolor.training.guidance import LARGEST, simulate, stamp
from tests.deepcolor.conftest import Carried


def test_a_stamp_is_the_mean_of_what_it_covers() -> None:
    ab = torch.rand((2, 2, 40, 60), generator=torch.Generator().manual_seed(0)) * 100
    places = torch.tensor([[[0.5, 0.5]], [[0.0, 1.0]]])
    hints = stamp(ab, places, torch.tensor([[5], [3]]))
    assert hints.shape == (2, 3, 40, 60)
    assert hints[:, 2].sum(dim=(1, 2)).tolist() == [25, 9]
    assert hints[1, 2, :3, 57:].all()
    assert torch.allclose(hints[1, :2, 1, 58], ab[1, :, :3, 57:].mean(dim=(1, 2)), atol=1e-4)
    [top, left] = hints[0, 2].nonzero()[0].tolist()
    window = ab[0, :, top : top + 5, left : left + 5]
    assert abs(top - 18) <= 1
    assert abs(left - 28) <= 1
    assert torch.allclose(hints[0, :2, top, left], window.mean(dim=(1, 2)), atol=1e-4)
    assert (hints[:, :2] * (1 - hints[:, 2:]) == 0).all()


def test_of_two_on_one_place_the_last_is_seen() -> None:
    ab = torch.zeros(1, 2, 32, 32)
    ab[:, :, 10:13, 10:13] = 50
    place = torch.full((1, 2, 2), 11.5 / 32)
    assert stamp(ab, place, torch.tensor([[9, 3]]))[0, 0, 11, 11] == 50
    assert stamp(ab, place, torch.tensor([[3, 9]]))[0, 0, 11, 11] < 50


def test_no_hint_is_none() -> None:
    assert not stamp(torch.ones(1, 2, 32, 32), torch.zeros(1, 3, 2), torch.zeros(1, 3).long()).any()


def test_stamping_brings_nothing_from_the_processor() -> None:
    ab, places = torch.zeros(2, 2, 32, 32, device="meta"), torch.zeros(2, 5, 2, device="meta")
    with Carried() as carried:
        stamp(ab, places, torch.zeros(2, 5, dtype=torch.long, device="meta"))
    assert carried.count == 0


def test_simulated_hints_are_as_many_as_a_person_gives() -> None:
    ab = torch.rand((300, 2, 128, 128)) * 60
    hints = simulate(ab, 0.4, torch.Generator().manual_seed(0))
    covered = hints[:, 2].sum(dim=(1, 2))
    assert 0.3 < (covered == 0).float().mean() < 0.5
    # Eight on average, of 1 to 9 pixels squared, 31.7 on average, some upon others.
    assert 150 < covered[covered > 0].mean() < 260
    assert covered[covered > 0].min() <= LARGEST
    assert torch.equal(hints, simulate(ab, 0.4, torch.Generator().manual_seed(0)))
    assert not simulate(ab, 1.0, torch.Generator()).any()
