"""How well strategies color a folder of color photographs: the 256x256 protocol, with baselines.

Each photograph is stretched to 256x256 and made gray; a strategy guesses its colors, and those
are compared with the true ones. The baselines show what a figure is worth: *gray* guesses none,
*constant* the best single a*b* for the whole folder, and *oracle* knows the truth at 64x64.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from deepcolor import metrics
from deepcolor.colorizer import Colorizer
from deepcolor.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from deepcolor.photograph import decode

SIDE = 256
ORACLE_SIDE = 64

Guess = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Score:
    """Means over the photographs.

    ``auc`` in percent, ``psnr`` in dB, ``ciede2000`` in its own unit, ``colorfulness_ratio`` of
    the guess's to the truth's, ``seconds`` a photograph for the guess alone.
    """

    auc: float
    psnr: float
    ciede2000: float
    colorfulness_ratio: float
    seconds: float


def evaluate(paths: Sequence[Path], colorizers: Sequence[Colorizer]) -> Iterator[tuple[str, Score]]:
    """Scores of the baselines and then of each colorizer, by name, as they are done."""
    truth = [_truth(path) for path in paths]
    mean = torch.stack([rgb_to_lab(rgb)[1:].mean(dim=(1, 2)) for rgb in truth]).mean(dim=0)
    yield "gray", score(truth, lambda l, ab: torch.zeros_like(ab))
    yield "constant", score(truth, lambda l, ab: mean[:, None, None].expand_as(ab))
    yield "oracle", score(truth, _through_small)
    for colorizer in colorizers:
        yield colorizer.card.name, score(truth, _guess_of(colorizer))


@torch.inference_mode()
def score(truth: Sequence[Tensor], guess: Guess) -> Score:
    """The score of ``guess``, from L* (1, H, W) and true a*b* (2, H, W) to a*b* (2, H, W)."""
    rows = []
    for rgb in truth:
        lab = rgb_to_lab(rgb)
        l, ab_true = lab[:1], lab[1:]
        start = time.perf_counter()
        ab = guess(l, ab_true)
        seconds = time.perf_counter() - start
        ab = fit_gamut(l, ab)
        drawn = lab_to_rgb(l, ab)[None]
        row = (
            metrics.auc(ab[None], ab_true[None]) * 100,
            metrics.psnr(drawn, rgb[None]),
            metrics.ciede2000(torch.cat((l, ab))[None], lab[None]),
            metrics.colorfulness(drawn),
            metrics.colorfulness(rgb[None]),
        )
        rows.append([value.item() for value in row] + [seconds])
    auc, psnr, ciede2000, colorfulness, true_colorfulness, seconds = map(
        fmean, zip(*rows, strict=True)
    )
    return Score(auc, psnr, ciede2000, colorfulness / true_colorfulness, seconds)


def table(scores: Sequence[tuple[str, Score]]) -> str:
    """The scores as aligned text, a row each."""
    names = [field.name for field in fields(Score)]
    rows = [["", "AuC %", "PSNR dB", "CIEDE2000", "colorfulness / truth", "s a photograph"]]
    for name, one in scores:
        auc, psnr, de, ratio, seconds = (getattr(one, field) for field in names)
        rows.append(
            [name, f"{auc:.2f}", f"{psnr:.2f}", f"{de:.2f}", f"{ratio:.2f}", f"{seconds:.3f}"]
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _truth(path: Path) -> Tensor:
    """A photograph as uint8 (3, 256, 256)."""
    pixels = decode(path).pixels.convert("RGB")
    small = pixels.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


def _guess_of(colorizer: Colorizer) -> Guess:
    def guess(l: Tensor, ab: Tensor) -> Tensor:
        gray = lab_to_rgb(l, torch.zeros_like(ab)).permute(1, 2, 0).numpy()
        colored = torch.from_numpy(np.array(colorizer(gray))).permute(2, 0, 1)
        return rgb_to_lab(colored)[1:]

    return guess


def _through_small(l: Tensor, ab: Tensor) -> Tensor:
    small = F.interpolate(ab[None], (ORACLE_SIDE, ORACLE_SIDE), mode="bilinear", antialias=True)
    return F.interpolate(small, (SIDE, SIDE), mode="bilinear")[0]
