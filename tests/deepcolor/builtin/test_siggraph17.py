from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import deepcolor
from deepcolor import lab
from deepcolor.builtin.siggraph17 import WEIGHTS, Siggraph17
from deepcolor.builtin.siggraph17.network import SIGGRAPH17
from deepcolor.join import network_lightness
from deepcolor.photograph import decode
from tests.deepcolor.builtin.parity.photographs import every, photographs
from tests.deepcolor.builtin.parity.recording import Recording

PHOTOGRAPHS = photographs()


@pytest.fixture(scope="module")
def release() -> Recording:
    return Recording("siggraph17")


@pytest.fixture(scope="module")
def strategy(release: Recording, tmp_path_factory: pytest.TempPathFactory) -> Siggraph17:
    path = tmp_path_factory.mktemp("published") / WEIGHTS.filename
    torch.save(release.state, path)
    strategy = Siggraph17()
    strategy.prepare({WEIGHTS.filename: path}, torch.device("cpu"))
    path.unlink()
    return strategy


def hints() -> Tensor:
    """Those that record.py gave."""
    painted = torch.zeros(1, 3, 256, 256)
    painted[0, :, 100:103, 60:63] = torch.tensor([60.0, 40.0, 1.0])[:, None, None]
    painted[0, :, 30:33, 200:203] = torch.tensor([-20.0, -50.0, 1.0])[:, None, None]
    return painted


def test_names_and_shapes_are_the_published_ones(release: Recording) -> None:
    ours = {name: tuple(value.shape) for name, value in SIGGRAPH17().state_dict().items()}
    assert ours == release.shapes


def test_size_is_the_published_one() -> None:
    net = SIGGRAPH17()
    numbers = sum(value.numel() for value in net.parameters())
    assert numbers - sum(value.numel() for value in net.model_class.parameters()) == 34_051_074
    assert 0 < WEIGHTS.bytes - 4 * numbers < 100_000


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("guided", [False, True])
def test_colors_are_those_of_the_release(
    name: str, guided: bool, release: Recording, strategy: Siggraph17
) -> None:
    l = network_lightness(decode(PHOTOGRAPHS[name]), (256, 256), exact=True)
    with torch.inference_mode():
        ab = strategy.predict(l[None], {}, hints() if guided else None)[0]
    theirs = release.made[f"{name} hints" if guided else name]
    assert theirs.std() > 5
    assert (every(ab) - theirs).abs().max() < 1e-4


def test_fetched_weights_take_hints(publish: Any, release: Recording) -> None:
    """A hint changes the colors around it, and not those of the far corner."""
    publish(Siggraph17, release.state)
    colorizer = deepcolor.load("siggraph17", device="cpu")
    gray = Image.new("L", (256, 256), 120)
    plain, guided = (
        lab.rgb_to_lab(torch.from_numpy(np.array(colorizer(gray, hints=given))).permute(2, 0, 1))
        for given in ((), [deepcolor.Hint(20, 30, "#ff2000")])
    )
    changed = (plain - guided)[1:].norm(dim=0)
    assert changed[30, 20] > 1
    assert changed[-1, -1] == 0
