from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from deepcolor import metrics
from deepcolor.bins import in_gamut_bins
from deepcolor.builtin.colornet.looks import Looks
from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.evaluation.truths import SIDE
from deepcolor.lab import fit_gamut, rgb_to_lab
from deepcolor.training.pack import packed
from deepcolor.training.photographs import Photographs, split, square
from deepcolor.training.sweep import Setting, sweep

MEAN = Setting(64, 1.0, 0.0, 1.0, mirrored=False)
BOLD = Setting(64, 0.2, 1.0, 1.0, mirrored=False)
RAISED = Setting(64, 1.0, 0.0, 1.5, mirrored=False)


@pytest.fixture
def meadows(mixed: Path) -> Photographs:
    return split(packed(mixed), least_chroma=4)[1]


@pytest.fixture
def net() -> ColorNet:
    """Sure of nothing, and a little in favor of green."""
    torch.manual_seed(0)
    bins = in_gamut_bins()
    net = ColorNet(len(bins), (16, 16, 16, 16)).eval()
    net.bins.copy_(bins)
    net.log_weight.copy_(bins.norm(dim=1) / 100)
    torch.nn.init.normal_(net.classify.weight, std=0.5)
    assert net.classify.bias is not None
    net.classify.bias.data.copy_(-(bins - torch.tensor([-20, 30])).norm(dim=1) / 20)
    return net


def test_each_setting_is_measured_as_the_network_colors(
    net: ColorNet, meadows: Photographs
) -> None:
    found = dict(sweep(net, meadows, [MEAN, BOLD]))
    assert list(found) == [None, MEAN, BOLD]
    assert found[None].colorfulness == 0
    assert found[BOLD].colorfulness > found[MEAN].colorfulness > 0
    assert found[MEAN].auc != found[BOLD].auc


def test_a_mirrored_guess_is_the_mean_of_two(net: ColorNet, meadows: Photographs) -> None:
    mirrored = Setting(64, 1.0, 0.0, 1.0, mirrored=True)
    found = dict(sweep(net, meadows, [MEAN, mirrored]))
    assert found[mirrored].psnr != found[MEAN].psnr
    # The mean of two guesses is never further away than they are on average.
    assert found[mirrored].auc > found[MEAN].auc - 0.1


@pytest.mark.parametrize("setting", [MEAN, RAISED], ids=["mean", "raised"])
def test_all_looks_are_measured_as_they_color(
    net: ColorNet, meadows: Photographs, setting: Setting
) -> None:
    [(_, _), (_, found)] = sweep(net, meadows, [setting])
    scores = []
    for photograph in meadows:
        lab = rgb_to_lab(square(photograph, SIDE))[None]
        l = F.interpolate(lab[:, :1], (64, 64), mode="bilinear", antialias=True)
        with torch.inference_mode():
            ab = F.interpolate(Looks(net)(l, 1.0, 0.0, setting.gain), (SIDE, SIDE), mode="bilinear")
        scores.append(metrics.auc(fit_gamut(lab[:, :1], ab), lab[:, 1:]).item() * 100)
    assert found.auc == pytest.approx(sum(scores) / len(scores), abs=1e-3)
