from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch._subclasses import FakeTensorMode

from deepcolor import Colorizer, Hint
from deepcolor.builtin.colornet.network import WIDTHS, Alike, ColorNet, shrink
from deepcolor.lab import rgb_to_lab


@pytest.fixture
def net() -> ColorNet:
    """A small network that never learned, but does listen to hints."""
    torch.manual_seed(0)
    net = ColorNet(20, (16, 24, 16, 8)).eval()
    net.bins.copy_(torch.rand(20, 2) * 100 - 50)
    with torch.no_grad():
        for room in (net.alike, net.nearby8, net.nearby4):
            room.mix.weight.normal_()
            assert room.mix.bias is not None
            room.mix.bias.normal_()
    return net


def hint(row: int, column: int, a: float, b: float) -> torch.Tensor:
    hints = torch.zeros(1, 3, 64, 64)
    hints[0, :, row : row + 3, column : column + 3] = torch.tensor([a, b, 1])[:, None, None]
    return hints


def test_a_photograph_without_hints_is_what_it_was(net: ColorNet) -> None:
    """Even in a batch with one that has some."""
    l = torch.rand((2, 1, 64, 64), generator=torch.Generator().manual_seed(0)) * 100
    hints = torch.cat((torch.zeros(1, 3, 64, 64), hint(30, 30, 40, 20)))
    with torch.inference_mode():
        plain, guided = net(l, 0.8, 0.3), net(l, 0.8, 0.3, hints)
    assert torch.equal(plain[0], guided[0])
    assert (plain[1] - guided[1]).abs().max() > 0.1


def test_colors_matter_and_not_only_places(net: ColorNet) -> None:
    l = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(0)) * 100
    with torch.inference_mode():
        red, blue = (net(l, 1.0, 0.0, hint(30, 30, *ab)) for ab in ((60, 30), (10, -60)))
    assert (red - blue).abs().max() > 0.1


def test_hints_reach_what_looks_alike_however_far() -> None:
    torch.manual_seed(0)
    alike = Alike(8, 4)
    with torch.no_grad():
        alike.mix.weight.normal_()
        alike.key.load_state_dict({k: 4 * v for k, v in alike.query.state_dict().items()})
    kinds = torch.randn(2, 8) * 3
    seen = kinds[torch.tensor([[0, 1, 0, 0, 1, 0]])].permute(2, 0, 1)[None]
    hints = torch.zeros(1, 3, 1, 6)
    hints[0, :, 0, 0] = torch.tensor([0.5, -0.5, 1])
    with torch.inference_mode():
        told = alike(seen, hints)[0, :, 0].norm(dim=0)
    assert told[5] > 2 * told[1]
    assert told[0] >= told[5]


def test_shrunken_hints_are_the_mean_of_a_cell() -> None:
    hints = torch.zeros(1, 3, 8, 8)
    hints[0, :, 0, 0] = torch.tensor([10.0, 20, 1])
    hints[0, :, 0, 1] = torch.tensor([30.0, 20, 1])
    small = shrink(hints, [2, 2])
    assert small.shape == (1, 3, 2, 2)
    assert small[0, :, 0, 0].tolist() == pytest.approx([20, 20, 1])
    assert not small[0, :, 1:].any()


def test_where_cells_must_be_of_one_size_hints_are_shrunk_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On mps, which is stood in for by tensors that only say they are there."""
    interpolate, places = F.interpolate, []

    def noted(image: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
        places.append(image.device.type)
        return interpolate(image, *arguments, **options)

    monkeypatch.setattr(F, "interpolate", noted)
    with FakeTensorMode():
        small = shrink(torch.zeros(1, 3, 224, 288, device="mps"), [128, 160])
    assert (small.device.type, small.shape) == ("mps", (1, 3, 128, 160))
    assert places == ["cpu", "cpu"]


@pytest.mark.parametrize("color", ["#c03020", "#2040c0"])
def test_it_has_learned_to_follow(colornet: Colorizer, pictures: list[Path], color: str) -> None:
    """At the hint a photograph comes most of the way to it from what it would have had."""
    code = torch.from_numpy(np.array(Image.new("RGB", (1, 1), color))).permute(2, 0, 1)
    asked = rgb_to_lab(code)[1:, 0, 0]
    for path in pictures:
        x, y = place_of_middle_gray(path)
        plain, guided = (
            rgb_to_lab(torch.from_numpy(np.array(colored)[y, x])[:, None, None])[1:, 0, 0]
            for colored in (colornet(path), colornet(path, hints=[Hint(x, y, color)]))
        )
        assert (plain - asked).norm() > 30
        assert (guided - asked).norm() < (plain - asked).norm() / 3, path.name


def place_of_middle_gray(path: Path) -> tuple[int, int]:
    """A pixel, away from the edges, at whose lightness there is every color."""
    with Image.open(path) as image:
        inside = np.asarray(image.convert("L")).astype(int)[40:-40, 40:-40]
    y, x = np.unravel_index(np.abs(inside - 110).argmin(), inside.shape)
    return int(x) + 40, int(y) + 40


def test_the_weights_tell_the_widths(net: ColorNet) -> None:
    again = ColorNet.of(net.state_dict()).eval()
    l = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(0)) * 100
    with torch.inference_mode():
        assert torch.equal(again(l, 1.0, 0.0), net(l, 1.0, 0.0))
    assert len(ColorNet(20).state_dict()["refine.weight"]) == WIDTHS[-1]


def test_weights_of_something_else(net: ColorNet) -> None:
    state = net.state_dict()
    for lacking in ("refine.bias", "alike.still", "nearby4.mix.bias"):
        with pytest.raises(KeyError, match=f"lack {lacking}"):
            ColorNet.of({name: value for name, value in state.items() if name != lacking})
    with pytest.raises(KeyError, match="have other"):
        ColorNet.of({**state, "other": torch.zeros(1)})
