"""What colornet's settings come to on held-out photographs: how the default vividness is chosen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcolor import metrics
from deepcolor.builtin.colornet.gain import raised, usual_chroma
from deepcolor.builtin.colornet.looks import looks, mean
from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.evaluation.truths import SIDE
from deepcolor.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from deepcolor.training.photographs import Photographs, square

AT_ONCE = 16


@dataclass(frozen=True)
class Setting:
    """The first look's own side in pixels, and as in ``annealing``; mirrored: and averaged."""

    size: int
    temperature: float
    rebalance: float
    gain: float
    mirrored: bool

    def of(self, net: ColorNet, seen: Sequence[Tensor]) -> Tensor:
        how = self.temperature, self.rebalance
        ab = mean([net.mean_color(logits, *how) for logits in seen])
        return raised(ab, usual_chroma(ab), self.gain)


@dataclass(frozen=True)
class Scores:
    """Means over the photographs; ``colorfulness`` is to the truth's, ``auc`` in percent."""

    psnr: float
    auc: float
    ciede2000: float
    colorfulness: float


@torch.inference_mode()
def sweep(
    net: ColorNet, photographs: Photographs, settings: Sequence[Setting]
) -> Iterator[tuple[Setting | None, Scores]]:
    """The scores of gray (``None``) and of each setting, at 256x256 by :func:`square`."""
    rows: dict[Setting | None, list[Tensor]] = {one: [] for one in (None, *settings)}
    for begin in range(0, len(photographs), AT_ONCE):
        some = range(begin, min(len(photographs), begin + AT_ONCE))
        rgb = torch.stack([square(photographs[i], SIDE) for i in some])
        lab = rgb_to_lab(rgb)
        rows[None].append(_scored(torch.zeros_like(lab[:, 1:]), lab, rgb))
        for (size, mirrored), alike in itertools.groupby(
            settings, lambda one: (one.size, one.mirrored)
        ):
            l = F.interpolate(lab[:, :1], (size, size), mode="bilinear", antialias=True)
            seen = _seen(net, l)
            other = _seen(net, l.flip(3)) if mirrored else None
            for one in alike:
                ab = one.of(net, seen)
                if other is not None:
                    ab = (ab + one.of(net, other).flip(3)) / 2
                rows[one].append(_scored(ab, lab, rgb))
    for setting, values in rows.items():
        psnr, auc, ciede2000, colorfulness, true = torch.cat(values, dim=1).mean(dim=1).tolist()
        yield setting, Scores(psnr, auc * 100, ciede2000, colorfulness / true)


def _seen(net: ColorNet, l: Tensor) -> list[Tensor]:
    """The logits of all looks, as the strategy takes them."""
    return [net.classify(net.features(one)).float() for one, _ in looks(l, None)]


def _scored(ab: Tensor, lab: Tensor, rgb: Tensor) -> Tensor:
    """PSNR, AuC, CIEDE2000, colorfulness and the truth's, (5, N)."""
    l = lab[:, :1]
    ab = fit_gamut(l, F.interpolate(ab, (SIDE, SIDE), mode="bilinear"))
    drawn = lab_to_rgb(l, ab)
    return torch.stack(
        (
            metrics.psnr(drawn, rgb),
            metrics.auc(ab, lab[:, 1:]),
            metrics.ciede2000(torch.cat((l, ab), dim=1), lab),
            metrics.colorfulness(drawn),
            metrics.colorfulness(rgb),
        )
    )
