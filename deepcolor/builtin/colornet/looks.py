"""Two looks at one photograph, the second at half the size, and their mean."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from deepcolor.builtin.colornet.network import ColorNet, shrink

MULTIPLE = 32  # what the sides of a look are of


class TwoLooks(nn.Module):
    """A network that looks at a photograph once more, at half the size; the mean of both guesses.

    From afar it sees other things, and errs in other ways: the mean errs less than either, for
    two fifths more time. The arguments and the colors are those of
    :meth:`deepcolor.builtin.colornet.network.ColorNet.forward`.
    """

    def __init__(self, net: ColorNet):
        super().__init__()
        self.net = net

    def forward(
        self,
        l: Tensor,
        temperature: float,
        rebalance: float,
        chroma: float,
        hints: Tensor | None = None,
    ) -> Tensor:
        how = temperature, rebalance, chroma
        near = self.net(l, *how, hints)
        l, hints = halved(l, hints)
        return mean(near, self.net(l, *how, hints))


def halved(l: Tensor, hints: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """L* (N, 1, H, W) and hints (N, 3, H, W) at about half the size, sides multiples of 32."""
    sides = [max(1, round(side / (2 * MULTIPLE))) * MULTIPLE for side in l.shape[-2:]]
    smaller = F.interpolate(l, sides, mode="bilinear")
    return smaller, None if hints is None else shrink(hints, sides)


def mean(near: Tensor, far: Tensor) -> Tensor:
    """That of two a*b* (N, 2, h, w), the second of which are enlarged to the size of the first."""
    return (near + F.interpolate(far, near.shape[-2:], mode="bilinear")) / 2
