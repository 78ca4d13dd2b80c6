"""Measures the baselines and the strategies on every photograph of a folder."""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from deepcolor import metrics, registry
from deepcolor.colorizer import Colorizer
from deepcolor.errors import (
    DeepcolorError,
    NoPhotographsError,
    UnexpectedError,
    UnreadableFileError,
    reason,
)
from deepcolor.evaluation.rarity import rarity
from deepcolor.evaluation.truths import SIDE, Truth, Truths, read
from deepcolor.files.found import originals, photographs_below
from deepcolor.lab import fit_gamut, lab_to_rgb, rgb_to_lab

BASELINES = ("gray", "constant", "oracle")
GRAY = BASELINES.index("gray")
ORACLE_SIDE = 64
NEARLY_GRAY = 2.0  # mean chroma, about a just noticeable difference
SHOWN = 16  # of the best and of the worst photographs

Watch = Callable[[str, int, int], None]
"""Told of each photograph what was done with it, how many are done, and of how many."""


@dataclass(frozen=True)
class Figures:
    """How good one guess is, or many on average; ``seconds`` is ``None`` for a baseline.

    ``psnr`` in dB, ``ssim`` up to 1, ``auc`` and ``auc_rebalanced`` in percent, ``ciede2000`` and
    ``colorfulness`` in their own units.
    """

    psnr: float
    ssim: float
    auc: float
    auc_rebalanced: float
    ciede2000: float
    colorfulness: float
    seconds: float | None


@dataclass(frozen=True)
class Case:
    """One photograph: its true colors, and the figures of each row's guess.

    ``chroma`` is the mean of its colors, ``rarity`` that of its pixels' weights in the rebalanced
    AuC.
    """

    path: Path
    colorfulness: float
    chroma: float
    rarity: float
    figures: tuple[Figures, ...]


@dataclass(frozen=True)
class Shown:
    """A case to look at: the pictures, uint8 (3, 256, 256), and the photograph's own size."""

    case: Case
    size: tuple[int, int]
    gray: Tensor
    truth: Tensor
    colored: tuple[Tensor, ...]


@dataclass
class Evaluation:
    """What came out: ``strategies`` by name, and a case for each photograph that could be read.

    A case's figures are those of the :data:`BASELINES` and then of the strategies. ``constant``
    is the a*b* of that baseline. Best and worst are by how far the AuC of the first strategy is
    above gray's.
    """

    folder: Path
    strategies: tuple[str, ...]
    constant: tuple[float, float] = (0.0, 0.0)
    cases: list[Case] = field(default_factory=list)
    failures: list[tuple[Path, DeepcolorError]] = field(default_factory=list)
    _shown: list[Shown] = field(default_factory=list)

    @property
    def rows(self) -> tuple[str, ...]:
        return BASELINES + self.strategies

    @property
    def nearly_gray(self) -> int:
        """How many photographs have hardly a color that a guess could be compared with."""
        return sum(case.chroma < NEARLY_GRAY for case in self.cases)

    @property
    def colorfulness(self) -> float:
        """The mean of the true photographs."""
        return fmean(case.colorfulness for case in self.cases)

    @property
    def best(self) -> list[Shown]:
        return self._shown[len(self._shown) // 2 :][::-1]

    @property
    def worst(self) -> list[Shown]:
        return self._shown[: len(self._shown) // 2]

    def gain(self, case: Case, row: int) -> float:
        """How far a row's AuC is above gray's, in points of percent."""
        return case.figures[row].auc - case.figures[GRAY].auc

    def means(self, row: int) -> Figures:
        """A row's figures over all photographs: means, but for seconds the median.

        In the rebalanced AuC every pixel counts by its rarity, whichever photograph it is in.
        """
        of = [case.figures[row] for case in self.cases]
        rarities = [case.rarity for case in self.cases]
        seconds = [figures.seconds for figures in of if figures.seconds is not None]
        return Figures(
            psnr=fmean(figures.psnr for figures in of),
            ssim=fmean(figures.ssim for figures in of),
            auc=fmean(figures.auc for figures in of),
            auc_rebalanced=fmean((figures.auc_rebalanced for figures in of), rarities),
            ciede2000=fmean(figures.ciede2000 for figures in of),
            colorfulness=fmean(figures.colorfulness for figures in of),
            seconds=median(seconds) if seconds else None,
        )

    def colorfulness_ratio(self, row: int) -> float | None:
        """A row's mean colorfulness to the truth's; ``None`` where that has none."""
        true = self.colorfulness
        return self.means(row).colorfulness / true if true else None

    def add(self, shown: Shown) -> None:
        """Takes a case in, and keeps its pictures while it is among the best or the worst."""
        row = min(len(BASELINES), len(self.rows) - 1)
        self.cases.append(shown.case)
        insort(self._shown, shown, key=lambda one: self.gain(one.case, row))
        if len(self._shown) > 2 * SHOWN:
            del self._shown[SHOWN]


def evaluate(
    folder: Path, colorizers: Sequence[Colorizer], watch: Watch = lambda *_: None
) -> Evaluation:
    """The figures of the baselines and of each colorizer on the photographs below ``folder``.

    Results of deepcolor and contact sheets are passed over. What can't be read or colored is among
    the failures, and in nobody's figures. Raises :class:`deepcolor.errors.NoPhotographsError` when
    the folder holds none.
    """
    result = Evaluation(folder, tuple(colorizer.card.name for colorizer in colorizers))

    def note(error: OSError) -> None:
        place = str(error.filename)
        problem = UnreadableFileError(place, reason(error))
        result.failures.append((Path(place), problem))

    paths = originals(list(photographs_below(folder, note)), registry.names())
    if not (paths or result.failures):
        raise NoPhotographsError(folder)
    watch("read", 0, len(paths))
    with Truths() as truths:
        for done, (path, truth) in enumerate(read(paths), start=1):
            if isinstance(truth, DeepcolorError):
                result.failures.append((path, truth))
            else:
                truths.add(truth)
            watch("read", done, len(paths))
        if len(truths):
            result.constant = truths.median()
        _warm_up(colorizers)
        watch("measured", 0, len(truths))
        for done, truth in enumerate(truths, start=1):
            try:
                result.add(_measured(truth, result.constant, colorizers))
            except DeepcolorError as error:
                result.failures.append((truth.path, error))
            watch("measured", done, len(truths))
    return result


def _warm_up(colorizers: Iterable[Colorizer]) -> None:
    """Lest the first photograph's seconds count what happens only once."""
    for colorizer in colorizers:
        with suppress(Exception):  # what is wrong is told of each photograph
            colorizer(np.full((SIDE, SIDE), 128, np.uint8))


@torch.inference_mode()
def _measured(
    truth: Truth, constant: tuple[float, float], colorizers: Iterable[Colorizer]
) -> Shown:
    lab = rgb_to_lab(truth.rgb)
    l, ab_true = lab[:1], lab[1:]
    none = torch.zeros_like(ab_true)
    flat = torch.tensor(constant)[:, None, None].expand_as(ab_true)
    guesses = [none, flat, _through_small(ab_true)]
    seconds: list[float | None] = [None] * len(BASELINES)
    gray = lab_to_rgb(l, none)
    for colorizer in colorizers:
        start = time.perf_counter()
        guesses.append(_colored(colorizer, gray, truth.path.name))
        seconds.append(time.perf_counter() - start)
    ls, weight = l.expand(len(guesses), -1, -1, -1), rarity(ab_true[None])
    ab = fit_gamut(ls, torch.stack(guesses))
    drawn = lab_to_rgb(ls, ab)
    columns = (
        metrics.psnr(drawn, truth.rgb[None]),
        metrics.ssim(drawn, truth.rgb[None]),
        metrics.auc(ab, ab_true[None]) * 100,
        metrics.auc(ab, ab_true[None], weight) * 100,
        metrics.ciede2000(torch.cat((ls, ab), dim=1), lab[None]),
        metrics.colorfulness(drawn),
    )
    values = zip(*(column.tolist() for column in columns), seconds, strict=True)
    case = Case(
        truth.path,
        metrics.colorfulness(truth.rgb[None]).item(),
        ab_true.norm(dim=0).mean().item(),
        weight.mean().item(),
        tuple(Figures(*one) for one in values),
    )
    return Shown(case, truth.size, gray, truth.rgb, tuple(drawn[len(BASELINES) :]))


def _colored(colorizer: Colorizer, gray: Tensor, name: str) -> Tensor:
    """The a*b* (2, H, W) that a colorizer gives to a gray photograph."""
    try:
        colored = colorizer(gray.permute(1, 2, 0).numpy())
    except DeepcolorError:
        raise
    except Exception as error:  # the other photographs go on
        raise UnexpectedError(name, error) from error
    return rgb_to_lab(torch.from_numpy(np.array(colored)).permute(2, 0, 1))[1:]


def _through_small(ab: Tensor) -> Tensor:
    small = F.interpolate(ab[None], (ORACLE_SIDE, ORACLE_SIDE), mode="bilinear", antialias=True)
    return F.interpolate(small, (SIDE, SIDE), mode="bilinear")[0]
