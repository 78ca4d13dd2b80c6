from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deepcolor.bins import SoftEncoder, in_gamut_bins
from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.training.loss import loss

SIDE = 32
COLORS = [(5.0, 5.0), (-13.0, 28.0), (41.0, -37.0), (0.0, 0.0)]


@pytest.fixture(scope="module")
def weight() -> Tensor:
    """Rare colors, far from gray, weigh up to twenty times what common ones do."""
    return 1 + in_gamut_bins().norm(dim=1) / 6


class Certain(ColorNet):
    """A network whose answer (Q,) is the same everywhere, and can be learned."""

    def __init__(self, answer: Tensor, weight: Tensor):
        super().__init__(len(answer), (8, 8, 8, 8))
        self.bins.copy_(in_gamut_bins())
        self.log_weight.copy_(weight.log())
        torch.nn.init.zeros_(self.classify.weight)
        assert self.classify.bias is not None
        self.classify.bias.data.copy_(answer)


def of(net: ColorNet, color: tuple[float, float], weight: Tensor | None) -> Tensor:
    """The loss of a network on a plane of one color."""
    ab = torch.tensor(color)[None, :, None, None].expand(1, 2, SIDE // 4, SIDE // 4)
    l = torch.full((1, 1, SIDE, SIDE), 50.0)
    return loss(net.eval(), l, None, ab, weight, SoftEncoder(net.bins), at=0)


@pytest.mark.parametrize("color", COLORS)
def test_what_is_known_for_sure_comes_out_as_it_is(
    color: tuple[float, float], weight: Tensor
) -> None:
    """The loss is least where training's answer, decoded, is the color."""
    indices, shares = SoftEncoder(in_gamut_bins())(torch.tensor([color]))
    wished = torch.full_like(weight, 1e-12).index_add(0, indices[:, 0], shares[:, 0])
    net = Certain((wished * weight).log(), weight)
    [slope] = torch.autograd.grad(of(net, color, weight), [net.classify.bias])
    assert slope.abs().max() < 1e-4
    mean = net.mean_color(net.classify.bias[None, :, None, None], 1, 0, 1).flatten()
    assert mean.tolist() == pytest.approx(color, abs=0.01)


def test_without_weights_the_least_loss_is_that_of_what_training_leads_to(weight: Tensor) -> None:
    """Of two photographs, say, one of each color: both, as likely as each other."""
    halves = torch.full_like(weight, 1e-12)
    for color in COLORS[:2]:
        indices, shares = SoftEncoder(in_gamut_bins())(torch.tensor([color]))
        halves = halves.index_add(0, indices[:, 0], shares[:, 0] / 2)
    trained, plain = (Certain((halves * one).log(), weight) for one in (weight, weight**0))
    learned, other = (sum(of(net, color, None) for color in COLORS[:2]) for net in (trained, plain))
    assert learned < other - 0.01
