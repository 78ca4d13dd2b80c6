from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import deepcolor
from deepcolor import Colorizer
from deepcolor.builtin.richzhang import WEIGHTS, RichZhang
from deepcolor.builtin.richzhang.network import ECCV16
from deepcolor.join import join, join_as_published, network_lightness
from deepcolor.photograph import decode
from tests.deepcolor.builtin.parity.photographs import every, photographs
from tests.deepcolor.builtin.parity.recording import Recording

PHOTOGRAPHS = photographs()
AS_PUBLISHED = {"vividness": 1.0}


@pytest.fixture(scope="module")
def release() -> Recording:
    return Recording("richzhang")


@pytest.fixture(scope="module")
def strategy(release: Recording, tmp_path_factory: pytest.TempPathFactory) -> RichZhang:
    path = tmp_path_factory.mktemp("published") / WEIGHTS.filename
    torch.save(release.state, path)
    strategy = RichZhang()
    strategy.prepare({WEIGHTS.filename: path}, torch.device("cpu"))
    path.unlink()
    return strategy


@pytest.fixture(scope="module")
def colors(strategy: RichZhang) -> Callable[[str], Tensor]:
    """The network's a*b* of a photograph by its name."""
    made: dict[str, Tensor] = {}

    def color(name: str) -> Tensor:
        if name not in made:
            l = network_lightness(decode(PHOTOGRAPHS[name]), (256, 256), exact=True)
            with torch.inference_mode():
                made[name] = strategy.predict(l[None], AS_PUBLISHED, None)[0]
        return made[name]

    return color


def test_names_and_shapes_are_the_published_ones(release: Recording) -> None:
    ours = {name: tuple(value.shape) for name, value in ECCV16().state_dict().items()}
    assert ours == release.shapes


def test_size_is_the_published_one() -> None:
    numbers = sum(value.numel() for value in ECCV16().parameters())
    assert numbers == 32_236_011
    # Four bytes each, and a little for the names, make the published file.
    assert 0 < WEIGHTS.bytes - 4 * numbers < 100_000


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_colors_are_those_of_the_release(
    name: str, release: Recording, colors: Callable[[str], Tensor]
) -> None:
    ours, theirs = every(colors(name)), release.made[name]
    assert theirs.std() > 5
    assert (ours - theirs).abs().max() < 1e-4


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_pictures_of_the_release_can_be_had(
    name: str, release: Recording, strategy: RichZhang
) -> None:
    """To the code, also where the release clips colors that sRGB lacks."""
    colored = Colorizer(strategy, torch.device("cpu")).as_published(PHOTOGRAPHS[name])
    ours = every(torch.from_numpy(np.array(colored)).permute(2, 0, 1))
    theirs = release.made[f"{name} rgb"] * 255
    assert ((theirs <= 0) | (theirs >= 255)).any()
    assert (ours - theirs).abs().max() < 0.6  # ours are rounded, theirs not


def test_fetched_weights_color(publish: Any, release: Recording, landscape: Image.Image) -> None:
    publish(RichZhang, release.state)
    colorizer = deepcolor.load("richzhang", device="cpu")
    colored = colorizer(landscape)
    assert (colored.mode, colored.size) == ("RGB", landscape.size)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_our_own_join_is_the_default(
    name: str, strategy: RichZhang, colors: Callable[[str], Tensor]
) -> None:
    photograph = PHOTOGRAPHS[name]
    colored = Colorizer(strategy, torch.device("cpu"))(photograph)
    photograph = decode(photograph)
    assert np.array_equal(colored, np.asarray(join(photograph, colors(name))))
    published = join_as_published(photograph, colors(name))
    assert not np.array_equal(colored, np.asarray(published))


def test_vividness_is_the_temperature(strategy: RichZhang) -> None:
    """1 is the release's; 0 is the mean at T = 1, and 2 keeps to the likeliest bin."""
    photograph = next(iter(PHOTOGRAPHS.values()))
    l = network_lightness(decode(photograph), (64, 64), exact=True)[None]
    found: list[Tensor] = []
    with torch.inference_mode():
        hook = strategy.net.model8.register_forward_hook(lambda *of: found.append(of[2]))
        calm, bold = (strategy.predict(l, {"vividness": v}, None) for v in (0.0, 2.0))
        hook.remove()
    logits = found[0].double() * 0.38
    assert torch.equal(found[0], found[1])
    for ab, temperature in ((calm, 1), (bold, 0.38**2)):
        share = (logits / temperature).softmax(dim=1)
        mean = torch.einsum(
            "nqhw,cq->nchw", share, strategy.net.model_out.weight[..., 0, 0].double()
        )
        expected = 110 * F.interpolate(mean, scale_factor=4, mode="bilinear", align_corners=False)
        assert (ab - expected).abs().max() < 1e-3
    assert bold.norm(dim=1).mean() > calm.norm(dim=1).mean()
