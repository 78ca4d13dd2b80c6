from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from deepcolor.builtin.colornet.looks import Looks
from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.evaluation import evaluate
from deepcolor.training.pack import packed
from deepcolor.training.photographs import split, square
from deepcolor.training.validate import Scores, Validation

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def validation(mixed: Path) -> Validation:
    _, held_out, _ = split(packed(mixed), least_chroma=4)
    return Validation(held_out, CPU)


def undecided(leaning: float) -> ColorNet:
    """A network that answers the same everywhere: green or red, whichever it leans to."""
    net = ColorNet(2, (8, 8, 8, 8)).eval()
    net.bins.copy_(torch.tensor([[-40.0, 0], [40, 0]]))
    torch.nn.init.zeros_(net.classify.weight)
    assert net.classify.bias is not None
    net.classify.bias.data.copy_(torch.tensor([0, leaning]))
    return net


@pytest.fixture(scope="module")
def scores(validation: Validation) -> Scores:
    return validation.scores(undecided(0), lambda net, l, ab: ab.square().mean())


def test_the_bolder_the_more_colorful(validation: Validation) -> None:
    figures = validation.scores(undecided(0.5), lambda net, l, ab: ab.mean()).figures
    ratios = [figures[f"{name}_colorfulness"] for name in ("mean", "default", "vivid")]
    assert 0.05 < ratios[0] < ratios[1] - 0.02 < ratios[2] - 0.1


def test_the_figures_are_those_of_evaluate(
    validation: Validation, scores: Scores, tmp_path: Path
) -> None:
    for i, rgb in enumerate(validation.rgb):
        Image.fromarray(rgb.permute(1, 2, 0).numpy()).save(tmp_path / f"{i}.png")
    gray = evaluate(tmp_path, []).means(0)
    for figure in ("psnr", "auc", "ciede2000"):
        expected = pytest.approx(getattr(gray, figure), abs=1e-3)
        assert scores.figures[f"gray_{figure}"] == expected
        assert scores.figures[f"mean_{figure}"] == expected  # two opposite colors, as likely
    assert scores.figures["default_colorfulness"] == pytest.approx(0, abs=1e-3)


def test_hints_are_measured_as_in_a_run(validation: Validation) -> None:
    net = undecided(0.5)
    with torch.no_grad():
        for tensor in (net.nearby4.mix.weight, net.classify.weight):
            torch.nn.init.normal_(tensor, std=0.2)
    figures = validation.scores(net, lambda net, l, ab: ab.mean()).figures
    found = validation.hinted(Looks(net))
    assert list(found) == [0, 1, 5, 10]
    told = {n: figures[f"hints{n}_psnr" if n else "mean_psnr"] for n in found}
    assert found == pytest.approx(told)
    assert found[10] != pytest.approx(figures["mean_psnr"])


def test_rows_show_gray_the_truth_and_three_guesses(validation: Validation, scores: Scores) -> None:
    assert [len(row) for row in scores.shown] == [5] * len(validation.rgb)
    gray, truth, mean, *_ = scores.shown[0]
    assert torch.equal(truth, validation.rgb[0])
    assert torch.equal(gray, mean)
    assert torch.equal(gray[0], gray[1])


@pytest.mark.parametrize("size", [16, 256])
def test_squares(mixed: Path, size: int) -> None:
    photograph = split(packed(mixed), least_chroma=4)[0][0]
    stretched = square(photograph, size)
    assert stretched.shape == (3, size, size)
    assert stretched.float().mean().item() == pytest.approx(photograph.float().mean().item(), abs=2)
