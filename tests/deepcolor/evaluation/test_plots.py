from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from deepcolor.evaluation import plots
from deepcolor.evaluation.plots import Spot

WIDTH, HEIGHT = plots.WIDTH, plots.HEIGHT


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def points(curve: ET.Element) -> list[tuple[float, float]]:
    return [
        (float(x), float(y))
        for x, y in (pair.split(",") for pair in curve.get("points", "").split())
    ]


def zero(svg: ET.Element, side: str) -> float:
    [line] = [line for line in svg.iter("line") if line.get("class") == "zero"]
    return float(line.get(side, ""))


def test_a_gain_is_above_the_line_and_a_loss_below() -> None:
    svg = drawn(plots.gains([(0, [3.0, -6.0, 1.0])]))
    [curve] = svg.iter("polyline")
    places = points(curve)
    assert [y < zero(svg, "y1") for _, y in places] == [False, True, True]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)


def test_a_curve_of_many_photographs_keeps_its_ends() -> None:
    many = [float(value) for value in range(-2000, 3000)]
    svg = drawn(plots.gains([(0, many), (1, [-2000.0, 2999.0])]))
    long, short = (points(curve) for curve in svg.iter("polyline"))
    assert len(long) == plots.POINTS
    assert (long[0], long[-1]) == (short[0], short[-1])


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [-3e-9, 1e-9], [-120.0, 90.0]])
def test_all_is_within_the_picture_and_round(values: list[float]) -> None:
    svg = drawn(plots.gains([(0, values)]))
    for text in svg.iter("text"):
        assert 0 <= float(text.get("x", "")) <= WIDTH
        assert 0 <= float(text.get("y", "")) <= HEIGHT
    labels = [text.text or "" for text in svg.iter("text")]
    assert any(re.fullmatch(r"0|[+−][\d.e−-]+", label) for label in labels)
    [curve] = svg.iter("polyline")
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points(curve))


def test_the_plane_is_as_the_figures_are() -> None:
    svg = drawn(
        plots.plane(
            [Spot("gray", 0.0, 21.0, None), Spot("a<b", 1.4, 22.0, 7), Spot("c", 0.5, 23.0, 1)]
        )
    )
    gray, other, third = svg.iter("circle")
    assert [one.get("class") for one in (gray, other, third)] == [
        "spot base",
        "spot hue1",
        "spot hue1",
    ]
    x = [float(one.get("cx", "")) for one in (gray, other, third)]
    y = [float(one.get("cy", "")) for one in (gray, other, third)]
    assert x[0] < x[2] < zero(svg, "x1") < x[1] < WIDTH
    assert y[0] > y[1] > y[2]
    assert {"gray", "a<b", "c"} <= {text.text for text in svg.iter("text")}


def test_names_do_not_lie_upon_each_other() -> None:
    spots = [Spot(f"strategy{i}", 0.5, 22.0 + i / 1000, i) for i in range(5)]
    svg = drawn(plots.plane([*spots, Spot("gray", 0, 20, None)]))
    tops = sorted(
        float(text.get("y", "")) for text in svg.iter("text") if str(text.text).startswith("strat")
    )
    assert all(b - a >= plots.LINE for a, b in itertools.pairwise(tops))


def test_names_that_are_pushed_aside_stay_in_the_picture() -> None:
    """Three beside each other at the top, as baselines and strategies that hardly color are."""
    names = ["gray", "constant", "zero", "half", "vivid"]
    spots = [Spot(name, 0.0, 22.0 + i / 1000, None) for i, name in enumerate(names)]
    svg = drawn(plots.plane([*spots, Spot("low", 0.9, 20, 0)]))
    tops = sorted(float(text.get("y", "")) for text in svg.iter("text") if text.text in names)
    assert tops[0] >= plots.TOP
    assert all(b - a >= plots.LINE for a, b in itertools.pairwise(tops))


def test_one_photograph_is_a_line_all_the_way() -> None:
    [curve] = drawn(plots.gains([(0, [1.5])])).iter("polyline")
    (left, y), (right, other) = points(curve)
    assert (left, right) == (plots.LEFT, WIDTH - plots.RIGHT)
    assert y == other < zero(drawn(plots.gains([(0, [1.5])])), "y1")


def test_long_names_are_cut() -> None:
    long = "x" * 64
    svg = drawn(plots.bars([(long, 0.4, 0), ("quick", 0.1, 1)]))
    slow, quick = (float(bar.get("width", "")) for bar in svg.iter("rect"))
    assert slow == pytest.approx(4 * quick, rel=0.01)
    assert slow > WIDTH / 4
    for text in [*svg.iter("text"), *drawn(plots.plane([Spot(long, 1, 20, 0)])).iter("text")]:
        assert 0 <= float(text.get("x", "")) <= WIDTH
        assert len(text.text or "") <= plots.LETTERS


def test_names_do_not_cover_a_spot() -> None:
    svg = drawn(
        plots.plane(
            [
                Spot("gray", 0, 20, None),
                Spot("constant", 0.22, 22.54, None),
                Spot("colornet", 0.44, 22.59, 0),
            ]
        )
    )
    [name] = [text for text in svg.iter("text") if text.text == "constant"]
    left, top = float(name.get("x", "")), float(name.get("y", ""))
    *_, spot = svg.iter("circle")
    assert left < float(spot.get("cx", "")) < left + plots.LETTER * len("constant")
    height, middle = 11, float(spot.get("cy", ""))
    assert top < middle - plots.RADIUS or top - height > middle + plots.RADIUS


def test_bars_are_as_long_as_the_seconds() -> None:
    svg = drawn(plots.bars([("quick", 0.1, 0), ("slow", 0.4, 1)]))
    quick, slow = (float(bar.get("width", "")) for bar in svg.iter("rect"))
    assert slow == pytest.approx(4 * quick, rel=0.01)
    assert [text.text for text in svg.iter("text")] == ["quick", "0.10", "slow", "0.40"]
