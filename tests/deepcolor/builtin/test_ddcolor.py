from __future__ import annotations

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

import deepcolor
from deepcolor.builtin.ddcolor import ARTISTIC, TINY, DDColor, DDColorArtistic
from deepcolor.join import network_lightness
from deepcolor.photograph import decode
from tests.deepcolor.builtin.parity.photographs import every, small_photographs
from tests.deepcolor.builtin.parity.recording import Recording

PHOTOGRAPHS = small_photographs(128)


@pytest.fixture(scope="module")
def release() -> Recording:
    return Recording("ddcolor")


@pytest.fixture(scope="module")
def strategy(release: Recording, tmp_path_factory: pytest.TempPathFactory) -> DDColor:
    path = tmp_path_factory.mktemp("published") / TINY.filename
    torch.save({"params": release.state}, path)
    strategy = DDColor()
    strategy.prepare({TINY.filename: path}, torch.device("cpu"))
    path.unlink()
    return strategy


def lightness(name: str) -> Tensor:
    photograph = PHOTOGRAPHS[name]
    return network_lightness(decode(photograph), photograph.size, exact=True)[None]


def test_size_is_the_published_one(release: Recording) -> None:
    numbers = sum(value.numel() * value.element_size() for value in release.state.values())
    assert 0 < TINY.bytes - numbers < 200_000


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_colors_are_those_of_the_release(name: str, release: Recording, strategy: DDColor) -> None:
    with torch.inference_mode():
        ab = strategy.predict(lightness(name), {}, None)[0]
    theirs = release.made[name]
    assert theirs.std() > 1
    assert (every(ab) - theirs).abs().max() < 1e-4


def test_threads_do_not_mix_up_their_photographs(strategy: DDColor) -> None:
    generator = torch.Generator().manual_seed(1)
    photographs = [torch.rand(1, 1, 64, 64, generator=generator) * 100 for _ in range(4)]

    def color(l: Tensor) -> Tensor:
        with torch.inference_mode():
            return strategy.predict(l, {}, None)

    alone = [color(l) for l in photographs]
    with ThreadPoolExecutor(len(photographs)) as pool:
        together = list(pool.map(color, photographs))
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one, other)


def test_fetched_weights_color(publish: Any, release: Recording, landscape: Image.Image) -> None:
    publish(DDColor, {"params": release.state})
    colored = deepcolor.load("ddcolor", device="cpu")(landscape, size=64)
    assert (colored.mode, colored.size) == ("RGB", landscape.size)


def test_both_sizes_are_offered() -> None:
    known = deepcolor.strategies()
    assert known["ddcolor"] is DDColor
    assert known["ddcolor-artistic"] is DDColorArtistic
    assert DDColorArtistic.card.weights == (ARTISTIC,)


def test_the_card_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DDColor.card.extra is not None
    assert DDColor.card.extra.problem is None
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "spandrel_extra_arches", raising=False)
    importlib.invalidate_caches()
    assert "pip install 'spandrel_extra_arches'" in str(DDColor.card.extra.problem)
