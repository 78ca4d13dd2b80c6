"""Scores a network on held-out photographs with the metrics of ``deepcolor evaluate``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcolor import metrics
from deepcolor.builtin.colornet import annealing
from deepcolor.builtin.colornet.looks import Looks
from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.evaluation.truths import SIDE
from deepcolor.hints import REACH
from deepcolor.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from deepcolor.training.guidance import stamp
from deepcolor.training.photographs import Photographs, square

VIVIDNESS = {"mean": 0.0, "default": 1.0, "vivid": 2.0}
HINTS = (1, 5, 10)
HINT_SIDE = 2 * REACH + 1  # pixels, as the library paints them
MOST = 256  # photographs
AT_ONCE = 16
SHOWN = 8

LossOf = Callable[[ColorNet, Tensor, Tensor], Tensor]
"""The loss of a network, L* (N, 1, H, W) and true a*b* (N, 2, H/4, W/4)."""


@dataclass(frozen=True)
class Scores:
    """Means over the photographs by name, and rows of pictures, each uint8 (3, 256, 256)."""

    figures: dict[str, float]
    shown: list[list[Tensor]]


class Validation:
    """The held-out photographs, 256x256 by :func:`square`, and the hints they are given."""

    def __init__(self, held_out: Photographs, device: torch.device):
        count = min(MOST, len(held_out))
        self.device = device
        self.rgb = torch.stack([square(held_out[i], SIDE) for i in range(count)])
        places = torch.Generator().manual_seed(0)
        self.places = torch.rand((count, max(HINTS), 2), generator=places)

    @torch.inference_mode()
    def scores(self, net: ColorNet, loss: LossOf, most: int = MOST) -> Scores:
        """The loss, figures without hints, at each vividness, and the mean's PSNR with hints.

        Of the first photographs, ``most`` of them.
        """
        count = min(most, len(self.rgb))
        sums: dict[str, float] = {}
        shown: list[list[Tensor]] = []
        for start in range(0, count, AT_ONCE):
            some = slice(start, min(start + AT_ONCE, count))
            rgb, places = self.rgb[some].to(self.device), self.places[some].to(self.device)
            figures, drawn = _scored(Looks(net), rgb, places)
            lab = rgb_to_lab(rgb)
            figures["loss"] = loss(net, lab[:, :1], F.avg_pool2d(lab[:, 1:], 4)).expand(len(rgb))
            for name, values in figures.items():
                sums[name] = sums.get(name, 0.0) + values.double().sum().item()
            columns = (drawn["gray"], rgb, *(drawn[name] for name in VIVIDNESS))
            for row in zip(*(column.cpu() for column in columns), strict=True):
                if len(shown) < SHOWN:
                    shown.append(list(row))
        return Scores(_means(sums, count), shown)

    @torch.inference_mode()
    def hinted(self, net: Looks) -> dict[int, float]:
        """The mean's PSNR in dB by the number of hints."""
        sums = dict.fromkeys((0, *HINTS), 0.0)
        for start in range(0, len(self.rgb), AT_ONCE):
            rgb = self.rgb[start : start + AT_ONCE].to(self.device)
            places = self.places[start : start + AT_ONCE].to(self.device)
            for count in sums:
                sums[count] += _hinted(net, rgb, places[:, :count]).sum().item()
        return {count: total / len(self.rgb) for count, total in sums.items()}


def _scored(net: Looks, rgb: Tensor, places: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    lab = rgb_to_lab(rgb)
    l, ab_true = lab[:, :1], lab[:, 1:]
    figures = {"truth_colorfulness": metrics.colorfulness(rgb)}
    pictures: dict[str, Tensor] = {}

    def score(name: str, ab: Tensor) -> None:
        ab, pictures[name] = _drawn(l, ab)
        figures[f"{name}_psnr"] = metrics.psnr(pictures[name], rgb)
        figures[f"{name}_auc"] = metrics.auc(ab, ab_true) * 100
        figures[f"{name}_ciede2000"] = metrics.ciede2000(torch.cat((l, ab), dim=1), lab)
        figures[f"{name}_colorfulness"] = metrics.colorfulness(pictures[name])

    score("gray", torch.zeros_like(ab_true))
    for name, vividness in VIVIDNESS.items():
        score(name, net(l, *annealing(vividness)))
    for count in HINTS:
        figures[f"hints{count}_psnr"] = _hinted(net, rgb, places[:, :count])
    return figures, pictures


def _hinted(net: Looks, rgb: Tensor, places: Tensor) -> Tensor:
    """The mean's PSNR (N,) with hints at ``places`` (N, count, 2) of 0…1."""
    lab = rgb_to_lab(rgb)
    l, ab_true = lab[:, :1], lab[:, 1:]
    sizes = torch.full(places.shape[:2], HINT_SIDE, device=places.device)
    _, drawn = _drawn(l, net(l, *annealing(0), stamp(ab_true, places, sizes)))
    return metrics.psnr(drawn, rgb)


def _drawn(l: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
    """a*b* at the photograph's size and within the gamut, and the picture of it, uint8."""
    ab = fit_gamut(l, F.interpolate(ab, (SIDE, SIDE), mode="bilinear"))
    return ab, lab_to_rgb(l, ab)


def _means(sums: Mapping[str, float], count: int) -> dict[str, float]:
    """Means, colorfulness as a ratio to the truth's."""
    truth = sums["truth_colorfulness"]
    means = {"loss": sums["loss"] / count}
    for name, total in sums.items():
        kind, _, figure = name.rpartition("_")
        if figure == "colorfulness":
            if kind in VIVIDNESS:
                means[name] = total / truth if truth else 0.0
        elif name != "loss":
            means[name] = total / count
    return means
