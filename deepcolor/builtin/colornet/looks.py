"""Several looks at one photograph, each at half the size of the one before, and their mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcolor.builtin.colornet.gain import raised, usual_chroma
from deepcolor.builtin.colornet.network import ColorNet, shrink

MULTIPLE = 32  # what the sides of a look are of
FARTHEST = 200 * 200  # pixels; a look after the first that has fewer is the last


class Looks(nn.Module):
    """A network that looks at a photograph from farther and farther; the mean of all guesses.

    Near it sees small faces and errs on what fills the photograph, from afar the other way round:
    the mean errs less than each. At 256x256 that is two looks, for two fifths more time than one,
    and at 512x512 three.
    """

    def __init__(self, net: ColorNet):
        super().__init__()
        self.net = net

    def forward(
        self,
        l: Tensor,
        temperature: float,
        rebalance: float,
        gain: float,
        hints: Tensor | None = None,
    ) -> Tensor:
        """a*b* (N, 2, H/4, W/4) of L* (N, 1, H, W) and hints (N, 3, H, W).

        ``gain`` is what chroma beyond the photograph's usual is multiplied by; the other arguments
        are those of :meth:`deepcolor.builtin.colornet.network.ColorNet.forward`. Hints come out as
        given, at the cost of a second guess: the usual chroma is that of the one without them, so
        that a single hint does not change the whole photograph.
        """
        how = temperature, rebalance
        if gain == 1:
            return self.guess(l, *how, hints)
        ab = self.guess(l, *how, None)
        usual = usual_chroma(ab)
        if hints is not None:
            lowered = torch.cat((raised(hints[:, :2], usual, 1 / gain), hints[:, 2:]), dim=1)
            ab = self.guess(l, *how, lowered)
        return raised(ab, usual, gain)

    def guess(
        self, l: Tensor, temperature: float, rebalance: float, hints: Tensor | None
    ) -> Tensor:
        """The mean of all looks, with no gain."""
        how = temperature, rebalance
        return mean([self.net(one, *how, told) for one, told in looks(l, hints)])


def looks(l: Tensor, hints: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None]]:
    """L* (N, 1, H, W) and hints (N, 3, H, W) as each look sees them, the nearest first.

    Two at least, and one more for as long as the last was of 200x200 pixels or more.
    """
    yield l, hints
    while True:
        l, hints = halved(l, hints)
        yield l, hints
        if l.shape[-2] * l.shape[-1] < FARTHEST:
            return


def halved(l: Tensor, hints: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """L* (N, 1, H, W) and hints (N, 3, H, W) at about half the size, sides multiples of 32."""
    sides = [max(1, round(side / (2 * MULTIPLE))) * MULTIPLE for side in l.shape[-2:]]
    smaller = F.interpolate(l, sides, mode="bilinear")
    return smaller, None if hints is None else shrink(hints, sides)


def mean(guesses: Sequence[Tensor]) -> Tensor:
    """That of several a*b* (N, 2, h, w), all enlarged to the size of the first."""
    near, *others = guesses
    sum_of_all = near
    for far in others:
        sum_of_all = sum_of_all + F.interpolate(far, near.shape[-2:], mode="bilinear")
    return sum_of_all / len(guesses)
