from __future__ import annotations

from typing import Any

import pytest
import torch
from PIL import Image

import deepcolor
from deepcolor import lab
from deepcolor.builtin.deoldify import WEIGHTS, Deoldify
from deepcolor.builtin.deoldify.network import DeOldify, plain
from deepcolor.join import network_lightness
from deepcolor.photograph import decode
from tests.deepcolor.builtin.parity.photographs import every, small_photographs
from tests.deepcolor.builtin.parity.recording import Recording

# Of a side that can be halved four times, and not five.
PHOTOGRAPHS = small_photographs(144)


@pytest.fixture(scope="module")
def release() -> Recording:
    return Recording("deoldify")


@pytest.fixture(scope="module")
def strategy(release: Recording, tmp_path_factory: pytest.TempPathFactory) -> Deoldify:
    """With weights as fastai saves them, in the format that torch had in 2019."""
    path = tmp_path_factory.mktemp("published") / WEIGHTS.filename
    saved = {"model": release.state, "opt": {"state": {}, "param_groups": []}}
    torch.save(saved, path, _use_new_zipfile_serialization=False)
    strategy = Deoldify()
    strategy.prepare({WEIGHTS.filename: path}, torch.device("cpu"))
    path.unlink()
    return strategy


def test_names_and_shapes_are_the_published_ones(release: Recording) -> None:
    published = {name: value.shape for name, value in plain(release.state).items()}
    assert {name: value.shape for name, value in DeOldify().state_dict().items()} == published


def test_size_is_the_published_one(release: Recording) -> None:
    numbers = sum(value.numel() * value.element_size() for value in release.state.values())
    assert 0 < WEIGHTS.bytes - numbers < 100_000


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_colors_are_those_of_the_release(name: str, release: Recording, strategy: Deoldify) -> None:
    photograph = PHOTOGRAPHS[name]
    l = network_lightness(decode(photograph), photograph.size, exact=True)
    with torch.inference_mode():
        ab = strategy.predict(l[None], {}, None)[0]
    theirs = lab.linear_rgb_to_lab(lab.decode_gamma(release.made[name]))[1:]
    assert theirs.std() > 5
    # In dark colors one bit of RGB is 1e-4 of a*b*.
    assert (every(ab) - theirs).abs().max() < 5e-4


def test_fetched_weights_color(publish: Any, release: Recording, landscape: Image.Image) -> None:
    publish(Deoldify, {"model": release.state, "opt": {}})
    colored = deepcolor.load("deoldify", device="cpu")(landscape, size=64)
    assert (colored.mode, colored.size) == ("RGB", landscape.size)
