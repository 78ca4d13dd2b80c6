from __future__ import annotations

from pathlib import Path

import pytest
import torch

from deepcolor.bins import SoftEncoder, in_gamut_bins, prior, rebalancing
from deepcolor.training.config import Cropping, Sampling, Simulation
from deepcolor.training.draws import Draws
from deepcolor.training.errors import ChancesError, UnknownSourcesError
from deepcolor.training.pack import packed
from deepcolor.training.photographs import Photographs, split
from deepcolor.training.sampling import Sampler, chances, check_sources, miniature_colors

CPU = torch.device("cpu")


@pytest.fixture
def learned(mixed: Path) -> Photographs:
    return split(packed(mixed), least_chroma=4)[0]


def likely(learned: Photographs, sampling: Sampling) -> dict[str, float]:
    bins = in_gamut_bins()
    encoder = SoftEncoder(bins)
    share = prior(encoder, len(bins), miniature_colors(learned).flatten(0, 1))
    found = chances(learned, sampling, encoder, rebalancing(share, 0.3, 0.5))
    return dict(zip(learned.names, found.tolist(), strict=True))


def test_sources_weigh_what_they_are_told(learned: Photographs) -> None:
    found = likely(learned, Sampling(sources={"pictures": 3.0}))
    assert all(found[name] == (3 if name.startswith("pictures") else 1) for name in found)


def test_factors_may_be_whole_numbers(learned: Photographs) -> None:
    sources = {"pictures": 3, "meadow": 0}
    found = likely(learned, Sampling(sources=sources))  # type: ignore[arg-type]
    sampler = Sampler(learned, torch.tensor(list(found.values())), Cropping(), Simulation(), CPU)
    assert sampler.take(2, 32, Draws(1, 0, 0, CPU)).l.shape == (2, 1, 32, 32)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(rarity=400.0),
        Sampling(rarity=-400.0),
        Sampling(sources={"pictures": 0, "meadow": 0}),
    ],
)
def test_chances_that_none_can_be_drawn_by(learned: Photographs, sampling: Sampling) -> None:
    with pytest.raises(ChancesError, match=r"all zero, or beyond .* closer to 0, .* above 0\.$"):
        likely(learned, sampling)


def test_sources_that_no_photograph_is_from(learned: Photographs) -> None:
    check_sources(Sampling(sources={"pictures": 2.0, "meadow": 0.5}), learned)
    sources = dict.fromkeys(["picture", *"abcdef"], 1.0)
    with pytest.raises(UnknownSourcesError) as caught:
        check_sources(Sampling(sources=sources), learned)
    assert str(caught.value) == (
        "sampling.sources names 'a', 'b', 'c', 'd', 'e', 2 more, but the photographs are from "
        "'meadow', 'pictures'; name those, or leave it out."
    )


def test_photographs_of_rare_colors_are_likelier(learned: Photographs) -> None:
    """The meadows are many and alike."""
    found = likely(learned, Sampling(rarity=1.0))
    pictures, meadows = (
        [chance for name, chance in found.items() if name.startswith(kind)]
        for kind in ("pictures", "meadow")
    )
    assert sum(pictures) / len(pictures) > 1.2 * sum(meadows) / len(meadows)
    squared = likely(learned, Sampling(rarity=2.0))
    assert squared == pytest.approx({name: chance**2 for name, chance in found.items()})


def test_a_batch(learned: Photographs) -> None:
    chosen = torch.zeros(len(learned))
    chosen[3] = 1
    sampler = Sampler(learned, chosen, Cropping(), Simulation(clean=1.0, unguided=1.0), CPU)
    batch = sampler.take(5, 64, Draws(1, 7, 0, CPU))
    assert batch.l.shape == (5, 1, 64, 64)
    assert batch.ab.shape == (5, 2, 16, 16)
    assert not batch.hints.any()
    colors = miniature_colors(learned)[3].mean(dim=0)
    assert (batch.ab.mean(dim=(0, 2, 3)) - colors).abs().max() < 6


def test_some_crops_have_a_piece_of_another(learned: Photographs) -> None:
    """The colors, the lightness and the hints of it."""
    clean = Simulation(clean=1.0, unguided=0.0)
    plain, pasted = (
        Sampler(learned, torch.ones(len(learned)), Cropping(pasted=share), clean, CPU).take(
            8, 64, Draws(1, 7, 0, CPU)
        )
        for share in (0.0, 0.5)
    )
    for name in ("l", "ab", "hints"):
        one, other = getattr(plain, name), getattr(pasted, name)
        differs = (one != other).flatten(1).any(dim=1)
        assert differs.tolist() == [True] * 4 + [False] * 4


def test_crops_may_all_be_whole(learned: Photographs) -> None:
    """Then one photograph's differ only as they are stretched and mirrored."""
    chosen = torch.zeros(len(learned))
    chosen[0] = 1
    spread = {}
    for whole in (0.0, 1.0):
        sampler = Sampler(learned, chosen, Cropping(whole=whole), Simulation(1.0, 1.0), CPU)
        l = sampler.take(32, 64, Draws(1, 7, 0, CPU)).l
        spread[whole] = torch.cat((l, l.flip(3))).std(dim=0).mean()
    assert spread[1.0] < 0.8 * spread[0.0]


def test_crops_film_and_dropout_do_not_depend_on_one_another() -> None:
    draws = Draws(1, 7, 0, CPU)
    drawn = [torch.rand(4000, generator=one) for one in (draws.cpu, draws.device)]
    alike = torch.corrcoef(torch.stack([*drawn, torch.rand(4000)])) - torch.eye(3)
    assert alike.abs().max() < 0.08


def test_each_step_and_each_process_draws_otherwise(learned: Photographs) -> None:
    sampler = Sampler(learned, torch.ones(len(learned)), Cropping(), Simulation(), CPU)
    seen = [sampler.take(2, 32, Draws(*of, CPU)).l for of in ((1, 0, 0), (1, 1, 0), (1, 0, 1))]
    again = sampler.take(2, 32, Draws(1, 0, 0, CPU)).l
    assert torch.equal(seen[0], again)
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
