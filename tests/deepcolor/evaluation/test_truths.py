from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deepcolor.errors import DamagedPhotographError, NotAPhotographError
from deepcolor.evaluation import truths
from deepcolor.evaluation.truths import SIDE, Truth, Truths, read
from deepcolor.lab import rgb_to_lab


def speckled(seed: int, low: int = 0, high: int = 256) -> Truth:
    random = np.random.default_rng(seed).integers(low, high, (3, SIDE, SIDE), np.uint8)
    return Truth(Path(f"{seed}.png"), (SIDE + seed, SIDE), torch.from_numpy(random))


def test_photographs_are_stretched_and_broken_ones_told(photographs: Path) -> None:
    good, broken, letter = (photographs / name for name in ("a.png", "broken.png", "letter.jpg"))
    broken.write_bytes(good.read_bytes()[:500])
    letter.write_text("Dear grandmother, ...")
    paths = [broken, good, letter]
    found = list(read(paths))
    assert [path for path, _ in found] == paths
    assert isinstance(found[0][1], DamagedPhotographError)
    assert isinstance(found[2][1], NotAPhotographError)
    truth = found[1][1]
    assert isinstance(truth, Truth)
    assert (truth.path, truth.size) == (good, (96, 64))
    with Image.open(good) as image:
        stretched = np.array(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    assert (truth.rgb.permute(1, 2, 0).numpy() == stretched).all()


@pytest.mark.parametrize("in_memory", [truths.IN_MEMORY, 1000])
def test_what_is_added_comes_back(in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truths, "IN_MEMORY", in_memory)
    added = [speckled(seed) for seed in range(3)]
    with Truths() as kept:
        for truth in added:
            kept.add(truth)
        assert len(kept) == 3
        for _ in range(2):
            again = list(kept)
            assert [(one.path, one.size) for one in again] == [
                (one.path, one.size) for one in added
            ]
            assert all(torch.equal(a.rgb, b.rgb) for a, b in zip(again, added, strict=True))


def test_the_median_is_no_farther_from_the_colors_than_any_other() -> None:
    with Truths() as kept:
        for truth in (speckled(1, 0, 90), speckled(2, 100, 256)):
            kept.add(truth)
        median = torch.tensor(kept.median())
        colors = torch.cat([rgb_to_lab(one.rgb)[1:].flatten(1).T for one in kept])

    def distance(color: torch.Tensor) -> float:
        return (colors - color).norm(dim=1).mean().item()

    assert distance(median) < distance(colors.mean(dim=0))
    for step in ([2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [0.0, -2.0]):
        assert distance(median) < distance(median + torch.tensor(step))


def test_most_of_the_pixels_decide_the_median() -> None:
    red = Truth(Path("red"), (1, 1), torch.zeros(3, SIDE, SIDE, dtype=torch.uint8))
    red.rgb[0] = 200
    mixed = Truth(Path("mixed"), (1, 1), red.rgb.clone())
    mixed.rgb[2, : SIDE // 2] = 255
    with Truths() as kept:
        kept.add(red)
        kept.add(mixed)
        assert kept.median() == pytest.approx(rgb_to_lab(red.rgb)[1:, 0, 0].tolist(), abs=0.6)
