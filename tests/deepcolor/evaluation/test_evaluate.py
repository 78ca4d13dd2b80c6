from __future__ import annotations

import shutil
from dataclasses import astuple, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deepcolor import Colorizer, metrics
from deepcolor.errors import NoPhotographsError, UnexpectedError
from deepcolor.evaluation import Evaluation, evaluate
from deepcolor.evaluation.evaluate import BASELINES, SHOWN, Case, Figures, Shown
from deepcolor.evaluation.rarity import rarity
from deepcolor.evaluation.truths import SIDE
from deepcolor.files.found import SHEET_NOTE
from deepcolor.lab import fit_gamut, lab_to_rgb, rgb_to_lab

FIGURES = Figures(20.0, 0.9, 90.0, 80.0, 10.0, 30.0, None)


def test_each_figure_is_its_metrics_mean(photographs: Path, painter: Any) -> None:
    result = evaluate(photographs, [painter(10, 20)])
    assert result.rows == ("gray", "constant", "oracle", "painter")
    assert [str(case.path.relative_to(photographs)) for case in result.cases] == [
        "a.png",
        "b.png",
        "sub/a & b.png",
    ]
    rows: list[list[float]] = []
    errors: list[torch.Tensor] = []
    for case in result.cases:
        with Image.open(case.path) as image:
            small = np.array(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        rgb = torch.from_numpy(small).permute(2, 0, 1)[None]
        lab = rgb_to_lab(rgb)
        painted = torch.tensor([10.0, 20.0])[None, :, None, None].expand(1, 2, SIDE, SIDE)
        ab = fit_gamut(lab[:, :1], painted)
        drawn = lab_to_rgb(lab[:, :1], ab)
        weight = rarity(lab[:, 1:])
        errors.append(torch.stack((weight, weight * (ab - lab[:, 1:]).norm(dim=1))))
        columns = (
            metrics.psnr(drawn, rgb),
            metrics.ssim(drawn, rgb),
            metrics.auc(ab, lab[:, 1:]) * 100,
            metrics.ciede2000(torch.cat((lab[:, :1], ab), dim=1), lab),
            metrics.colorfulness(drawn),
            metrics.colorfulness(rgb),
        )
        rows.append([column.item() for column in columns])
    psnr, ssim, auc, ciede2000, colorfulness, true_colorfulness = (
        fmean(column) for column in zip(*rows, strict=True)
    )
    means = result.means(3)
    # The painted photograph is rounded to codes on its way out, and so a little off.
    assert means.psnr == pytest.approx(psnr, abs=0.05)
    assert means.ssim == pytest.approx(ssim, abs=0.002)
    assert means.auc == pytest.approx(auc, abs=0.1)
    assert means.ciede2000 == pytest.approx(ciede2000, abs=0.1)
    assert means.colorfulness == pytest.approx(colorfulness, abs=0.3)
    assert result.colorfulness_ratio(3) == pytest.approx(colorfulness / true_colorfulness, abs=0.01)
    weight, error = torch.stack(errors).sum(dim=(0, 2, 3, 4)).tolist()
    assert means.auc_rebalanced == pytest.approx(100 * (1 - error / weight / 150), abs=0.1)
    assert means.seconds is not None
    assert means.seconds > 0


def test_the_baselines_are_what_they_say(photographs: Path) -> None:
    result = evaluate(photographs, [])
    gray, constant, oracle = (result.means(row) for row in range(3))
    assert gray.colorfulness == 0
    assert result.colorfulness_ratio(0) == 0
    assert constant.auc >= gray.auc
    assert oracle.auc > 97
    assert oracle.psnr > gray.psnr + 10
    assert {gray.seconds, constant.seconds, oracle.seconds} == {None}


def test_no_other_constant_has_a_higher_auc(photographs: Path, painter: Any) -> None:
    a, b = evaluate(photographs, []).constant
    others = [
        painter(a + da, b + db, f"painter-{i}")
        for i, (da, db) in enumerate(((4, 0), (-4, 0), (0, 4), (0, -4)))
    ]
    result = evaluate(photographs, others)
    assert all(
        result.means(row).auc < result.means(BASELINES.index("constant")).auc
        for row in range(len(BASELINES), len(result.rows))
    )


def test_twice_the_same(photographs: Path, painter: Any) -> None:
    def figures() -> list[tuple[float, ...]]:
        result = evaluate(photographs, [painter(5, 5)])
        return [astuple(replace(one, seconds=0)) for case in result.cases for one in case.figures]

    assert figures() == figures()


def test_progress_is_told_photograph_by_photograph(photographs: Path) -> None:
    told: list[tuple[str, int, int]] = []
    evaluate(photographs, [], lambda *of: told.append(of))
    assert told == [(doing, n, 3) for doing in ("read", "measured") for n in range(4)]


def test_what_cannot_be_read_is_in_nobodys_figures(photographs: Path) -> None:
    whole = evaluate(photographs, [])
    (photographs / "0.png").write_bytes((photographs / "a.png").read_bytes()[:500])
    result = evaluate(photographs, [])
    assert [(path.name, error.code) for path, error in result.failures] == [
        ("0.png", "damaged_photograph")
    ]
    assert (result.cases, result.constant) == (whole.cases, whole.constant)


def test_its_own_results_and_sheets_are_no_truths(photographs: Path) -> None:
    whole = evaluate(photographs, [])
    for name in ("a.colornet.png", "sheet.png"):
        shutil.copy(photographs / "a.png", photographs / name)
    with (photographs / "sheet.png").open("r+b") as file:
        content = file.read()
        file.seek(0)
        file.write(content[:33] + SHEET_NOTE + content[33:])
    assert evaluate(photographs, []).cases == whole.cases


@pytest.mark.usefixtures("nobody")
def test_a_folder_that_cannot_be_looked_into_is_told_of(folder: Path) -> None:
    Path("in/locked").mkdir(parents=True)
    Path("in/locked").chmod(0)
    [(path, error)] = evaluate(Path("in"), []).failures
    assert (path, error.code) == (Path("in/locked"), "unreadable_file")
    assert str(error).startswith("in/locked cannot be read: Permission denied; check that it")


def test_a_photograph_that_one_strategy_fails_on_is_in_nobodys_figures(
    photographs: Path, painter: Any
) -> None:
    class Moody(Colorizer):
        calls = 0

        def __call__(self, source: Any, **knobs: float) -> Any:
            Moody.calls += 1
            if Moody.calls == 3:  # the first warms it up
                raise RuntimeError("not this one")
            return super().__call__(source, **knobs)

    calm = painter(5, 5)
    result = evaluate(photographs, [calm, Moody(calm.strategy, calm.device)])
    [(path, error)] = result.failures
    assert path.name == "b.png"
    assert isinstance(error, UnexpectedError)
    assert "b.png could not be colored (RuntimeError: not this one)" in str(error)
    assert len(result.cases) == 2
    assert all(len(case.figures) == 5 for case in result.cases)


def test_a_folder_without_photographs(tmp_path: Path) -> None:
    with pytest.raises(NoPhotographsError, match=r"^There are no photographs in .*; name a folder"):
        evaluate(tmp_path, [])


def test_gray_photographs_are_counted_and_divide_nothing_by_zero(
    photographs: Path, painter: Any, landscape: Image.Image
) -> None:
    landscape.save(photographs / "gray.png")
    assert evaluate(photographs, []).nearly_gray == 1
    for path in photographs.rglob("*.png"):
        landscape.save(path)
    result = evaluate(photographs, [painter(5, 5)])
    assert result.nearly_gray == 4
    assert result.colorfulness == 0
    assert result.colorfulness_ratio(3) is None
    assert result.means(0).psnr == pytest.approx(58.92, abs=0.01)


def shown(auc: float) -> Shown:
    figures = tuple(replace(FIGURES, auc=value) for value in (50.0, 50.0, 50.0, auc))
    case = Case(Path(f"{auc:g}"), 40.0, 12.0, 1.0, figures)
    pixel = torch.zeros(3, 1, 1, dtype=torch.uint8)
    return Shown(case, (1, 1), pixel, pixel, (pixel,))


@pytest.mark.parametrize("count", [1, 2, 3, 2 * SHOWN, 2 * SHOWN + 1, 90])
def test_the_best_and_the_worst_are_kept(count: int) -> None:
    result = Evaluation(Path("folder"), ("painter",))
    for i in range(count):
        result.add(shown((i * 37) % 101))
    order = sorted((i * 37) % 101 for i in range(count))
    best = [one.case.figures[3].auc for one in result.best]
    worst = [one.case.figures[3].auc for one in result.worst]
    assert len(result.cases) == count
    assert len(best) + len(worst) == min(count, 2 * SHOWN)
    assert best == order[::-1][: len(best)]
    assert worst == order[: len(worst)]
    assert len(best) - len(worst) in {0, 1}


def test_the_first_strategy_says_which_are_the_best() -> None:
    result = Evaluation(Path("folder"), ("first", "second"))
    for auc in (60.0, 80.0, 70.0):
        of_first = shown(auc)
        figures = (*of_first.case.figures, replace(FIGURES, auc=100 - auc))
        result.add(replace(of_first, case=replace(of_first.case, figures=figures)))
    assert [one.case.path.name for one in result.best + result.worst] == ["80", "70", "60"]


def test_one_slow_photograph_makes_no_strategy_slow() -> None:
    result = Evaluation(Path("folder"), ())
    for seconds in (1.0, 10.0, 1.0):
        result.cases.append(replace(shown(0).case, figures=(replace(FIGURES, seconds=seconds),)))
    assert result.means(0).seconds == 1


def test_rebalanced_auc_counts_pixels_by_rarity_whichever_photograph_they_are_in() -> None:
    result = Evaluation(Path("folder"), ())
    for auc, rarity_ in ((90.0, 1.0), (60.0, 3.0)):
        case = replace(
            shown(0).case, rarity=rarity_, figures=(replace(FIGURES, auc_rebalanced=auc),)
        )
        result.cases.append(case)
    assert result.means(0).auc_rebalanced == pytest.approx(67.5)
