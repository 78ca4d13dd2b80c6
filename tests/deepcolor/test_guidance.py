"""Hints on their way from the caller to the network, and into the picture."""

from __future__ import annotations

import io
import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import Tensor

import deepcolor
from deepcolor import Hint, License, Strategy, StrategyCard
from deepcolor.cli import main
from deepcolor.colorizer import Colorizer
from deepcolor.errors import HintOutsideError, HintsKindError, HintsNotTakenError

EXAMPLE = Path(__file__).parents[2] / "docs/example-strategy/deepcolor_splittone.py"


class Echo(Strategy):
    """Colors exactly what was hinted."""

    card = StrategyCard(
        name="echo",
        title="Echo",
        description="",
        url="",
        license=License("MIT", "none"),
        training_data="none",
        size=64,
        hints=True,
    )

    def predict(self, l: Tensor, knobs: Mapping[str, float], hints: Tensor | None) -> Tensor:
        return l.new_zeros(len(l), 2, *l.shape[2:]) if hints is None else hints[:, :2]


ECHO = Colorizer(Echo(), torch.device("cpu"))
GRAY = Image.new("L", (120, 80), 128)
RED = Hint(90, 20, "#e03020")


def where_red(image: Image.Image) -> tuple[float, float]:
    """The center of what is colored, in pixels."""
    pixels = np.asarray(image.convert("RGB")).astype(int)
    rows, columns = np.nonzero(pixels[..., 0] - pixels[..., 1] > 40)
    return columns.mean(), rows.mean()


def as_file(image: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def ways(hints: list[Hint]) -> dict[str, Image.Image]:
    """One photograph colored through every door of the library."""
    file = as_file(GRAY)
    (mapped,) = ECHO.map([file], hints=hints)
    assert not isinstance(mapped, Exception)
    return {
        "image": ECHO(GRAY, hints=hints),
        "bytes": Image.open(io.BytesIO(ECHO(file, hints=hints))),
        "array": Image.fromarray(ECHO(np.asarray(GRAY), hints=hints)),
        "batch": ECHO.batch([GRAY, GRAY], hints=hints)[1],
        "file": Image.open(io.BytesIO(ECHO.file(file, hints=hints).content)),
        "map": Image.open(io.BytesIO(mapped.content)),
    }


def test_every_way_in_brings_the_hints_to_their_place() -> None:
    for name, image in ways([RED]).items():
        assert where_red(image) == pytest.approx((90, 20), abs=1.5), name


def test_without_hints_there_are_none() -> None:
    for name, image in ways([]).items():
        assert np.ptp(np.asarray(image.convert("RGB")), axis=2).max() <= 1, name


def test_pixels_are_those_of_the_upright_photograph() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side; upright it is 80 x 120
    upright = Image.open(
        io.BytesIO(ECHO(as_file(GRAY, exif=exif), hints=[Hint(20, 90, "#e03020")]))
    )
    assert upright.size == (80, 120)
    assert where_red(upright) == pytest.approx((20, 90), abs=1.5)


def test_beside_the_photograph() -> None:
    with pytest.raises(HintOutsideError):
        ECHO(GRAY, hints=[Hint(120, 0, "#e03020")])
    (outcome,) = ECHO.map([GRAY], hints=[Hint(120, 0, "#e03020")])
    assert isinstance(outcome, HintOutsideError)


@pytest.mark.parametrize(
    ("hints", "told"),
    [
        ([(90, 20, "#e03020")], "(90, 20, '#e03020')"),
        ([RED, {"x": 90, "y": 20, "color": "#e03020"}], "{'x': 90"),
        (RED, "Hint(x=90"),
        ("90,20,#e03020", "'90,20,#e03020'"),
        (["90,20,#e03020"], "'90,20,#e03020'"),
        ({90: RED}, "{90: Hint("),
        (7, "7"),
        (np.zeros((2, 3)), "array("),
        (iter([RED]), "<list_iterator"),
    ],
    ids=str,
)
def test_what_are_no_hints(hints: Any, told: str) -> None:
    for color in (ECHO, ECHO.file, lambda gray, hints: ECHO.batch([gray], hints=hints)):
        with pytest.raises(HintsKindError) as caught:
            color(GRAY, hints=hints)
        assert f'as in hints=[Hint(120, 80, "#c84b31")], not as {told}' in str(caught.value)
    with pytest.raises(HintsKindError):
        list(ECHO.map([GRAY], hints=hints))
    assert (caught.value.code, caught.value.exit_code) == ("hints_kind", 2)


def test_who_takes_none_names_those_that_do(
    install: Any, landscape: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(
        "guided_package", name="splittone", code=EXAMPLE.read_text() + "\nPainter = SplitTone\n"
    )
    install("plain_package", name="painter")
    takers = "these do: colornet, siggraph17, splittone."
    with pytest.raises(HintsNotTakenError, match=f"'painter' takes no hints; {takers}") as caught:
        deepcolor.colorize(landscape, "painter", hints=[RED])
    assert (caught.value.code, caught.value.exit_code) == ("hints_not_taken", 2)


def test_the_example_keeps_to_its_hints() -> None:
    strategy = runpy.run_path(str(EXAMPLE))["SplitTone"]()
    colorizer = Colorizer(strategy, torch.device("cpu"))
    plain, guided = (np.asarray(colorizer(GRAY, hints=hints)) for hints in ([], [RED]))
    assert guided[20, 90, 0].astype(int) - guided[20, 90, 1] > 60
    assert np.array_equal(guided[70, 10], plain[70, 10])


@pytest.fixture
def guided(install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photograph, where the example is installed."""
    install(
        "guided_package", name="splittone", code=EXAMPLE.read_text() + "\nPainter = SplitTone\n"
    )
    GRAY.save(tmp_path / "gray.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_on_the_command_line(guided: Path) -> None:
    (guided / "hints.json").write_text(json.dumps([{"x": 20, "y": 60, "color": "#2040e0"}]))
    command = ["gray.png", "-s", "splittone", "-o", "out.png"]
    run = CliRunner().invoke(main, [*command, "--hint", str(RED), "--hints", "hints.json"])
    assert run.exit_code == 0, run.output
    pixels = np.asarray(Image.open("out.png").convert("RGB")).astype(int)
    assert pixels[20, 90, 0] - pixels[20, 90, 2] > 60
    assert pixels[60, 20, 2] - pixels[60, 20, 0] > 60


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["gray.png", "-s", "splittone", "--hint", "here,red"], "write x,y,#rrggbb"),
        (["gray.png", "-s", "splittone", "--hints", "lost.json"], "'lost.json' does not exist"),
        (["gray.png", "--hints", "broken.json"], "deepcolor: broken.json is not valid JSON (Expe"),
        (["gray.png", "-s", "richzhang", "--hint", str(RED)], "these do: colornet, siggraph17, "),
        (["gray.png", "-s", "colornet", "-s", "richzhang", "--hint", str(RED)], "no hints"),
        (["gray.png", "other.png", "-s", "splittone", "--hint", str(RED)], "of one photograph"),
    ],
)
def test_wrong_usage(guided: Path, arguments: list[str], sentence: str) -> None:
    (guided / "broken.json").write_text("{\n")
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code != 0
    assert sentence in run.output
