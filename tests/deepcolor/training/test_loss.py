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


def of(
    net: ColorNet, color: tuple[float, float], weight: Tensor | None, regression: float = 0
) -> Tensor:
    """The loss of a network on a plane of one color."""
    ab = torch.tensor(color)[None, :, None, None].expand(1, 2, SIDE // 4, SIDE // 4)
    l = torch.full((1, 1, SIDE, SIDE), 50.0)
    encoder = SoftEncoder(net.bins)
    return loss(net.eval(), l, None, ab, weight, encoder, at=0, regression=regression)


@pytest.mark.parametrize("color", COLORS)
def test_what_is_known_for_sure_comes_out_as_it_is(
    color: tuple[float, float], weight: Tensor
) -> None:
    """The loss is least where training's answer, decoded, is the color."""
    indices, shares = SoftEncoder(in_gamut_bins())(torch.tensor([color]))
    wished = torch.full_like(weight, 1e-12).index_add(0, indices[:, 0], shares[:, 0])
    net = Certain((wished * weight).log(), weight)
    least = of(net, color, weight)
    [slope] = torch.autograd.grad(least, [net.classify.bias])
    assert of(net, color, weight, regression=1000).item() == pytest.approx(least.item(), abs=1e-3)
    assert slope.abs().max() < 1e-4
    mean = net.mean_color(net.classify.bias[None, :, None, None], 1, 0).flatten()
    assert mean.tolist() == pytest.approx(color, abs=0.01)


@pytest.mark.parametrize("at", range(4))
def test_the_answer_and_the_truth_are_of_one_position(at: int, weight: Tensor) -> None:
    there = torch.zeros(SIDE // 4, SIDE // 4, dtype=torch.bool)
    there[at // 2 :: 2, at % 2 :: 2] = True
    random = torch.Generator().manual_seed(at)
    ab, others = torch.randn(2, 1, 2, SIDE // 4, SIDE // 4, generator=random) * 20
    l = torch.zeros(1, 1, SIDE, SIDE)
    net = Certain(weight.log(), weight).eval()
    torch.nn.init.normal_(net.classify.weight, generator=random)
    decoded = net.features(l).detach().requires_grad_()
    net.decode = lambda *_: decoded  # type: ignore[method-assign]

    def of_truth(ab: Tensor) -> Tensor:
        return loss(net, l, None, ab, weight, SoftEncoder(net.bins), at=at, regression=1)

    total = of_truth(ab)
    [slope] = torch.autograd.grad(total, [decoded])
    assert torch.equal(slope[0].any(dim=0), there)
    assert of_truth(torch.where(there, ab, others)) == total
    assert of_truth(torch.where(there, others, ab)) != total


def test_without_weights_the_least_loss_is_that_of_what_training_leads_to(weight: Tensor) -> None:
    """Of two photographs, say, one of each color: both, as likely as each other."""
    halves = torch.full_like(weight, 1e-12)
    for color in COLORS[:2]:
        indices, shares = SoftEncoder(in_gamut_bins())(torch.tensor([color]))
        halves = halves.index_add(0, indices[:, 0], shares[:, 0] / 2)
    trained, plain = (Certain((halves * one).log(), weight) for one in (weight, weight**0))
    learned, other = (sum(of(net, color, None) for color in COLORS[:2]) for net in (trained, plain))
    assert learned < other - 0.01
