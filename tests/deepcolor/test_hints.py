from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from deepcolor.errors import HintFormatError, HintOutsideError
from deepcolor.hints import Hint, paint, read_hints

RED = Hint(30, 10, "#ff0000")


def test_as_people_write_them() -> None:
    assert Hint.parse("30,10,#FF0000") == RED
    assert Hint.parse(str(RED)) == RED


@pytest.mark.parametrize(
    "text",
    ["", "30,10", "30,10,red", "-1,10,#ff0000", "1.5,2,#ff0000", "30,10,#ff00", "a,b,#ff0000"],
)
def test_what_cannot_be_understood(text: str) -> None:
    with pytest.raises(HintFormatError, match="write x,y,#rrggbb") as caught:
        Hint.parse(text)
    assert (caught.value.code, caught.value.exit_code) == ("hint_format", 2)


def test_as_json() -> None:
    written = '[{"x": 30, "y": 10, "color": "#ff0000"}, {"x": 0, "y": 0, "color": "#123456"}]'
    assert read_hints(written, "h.json") == [RED, Hint(0, 0, "#123456")]
    assert read_hints("[]", "h.json") == []


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "7",
        "[7]",
        "[" * 100_000,
        '[{"x": 1, "y": 2}]',
        '[{"x": "1", "y": 2, "color": "#ff0000"}]',
        '[{"x": 1, "y": -2, "color": "#ff0000"}]',
        '[{"x": 1, "y": 2, "color": "red"}]',
        '[{"x": 1, "y": 2, "color": "#ff0000", "colour": "#00ff00"}]',
    ],
)
def test_json_that_is_none_of_it(text: str) -> None:
    with pytest.raises(HintFormatError):
        read_hints(text, "h.json")


@pytest.mark.parametrize("text", ["{", b"{\n", "", b"\xff\xfe\x00", "[" * 100_000])
def test_what_is_no_json_is_named(text: str | bytes) -> None:
    with pytest.raises(HintFormatError, match=r"^h\.json is not valid JSON \(.+\); write hints as"):
        read_hints(text, "h.json")


def test_painted_where_they_belong() -> None:
    painted = paint([RED], (60, 40), (30, 20))
    assert painted.shape == (3, 20, 30)
    mask = torch.zeros(20, 30)
    mask[4:7, 14:17] = 1  # pixel (30, 10) of 60 x 40 is (15, 5) of 30 x 20
    assert torch.equal(painted[2], mask)
    # sRGB's red is a* 80.1, b* 67.2.
    assert torch.allclose(painted[:2, 5, 15], torch.tensor([80.1, 67.2]), atol=0.1)
    assert painted[:2, mask == 0].abs().max() == 0


def test_the_middle_of_a_pixel_counts() -> None:
    """Where a network sees more pixels than there are: 1.5 of 4 is 15 of 40, 2.5 is 25."""
    mask = torch.zeros(40, 40)
    mask[24:27, 14:17] = 1
    assert torch.equal(paint([Hint(1, 2, "#ff0000")], (4, 4), (40, 40))[2], mask)


@pytest.mark.parametrize("corner", [(0, 0), (59, 0), (0, 39), (59, 39)])
def test_in_the_corners(corner: tuple[int, int]) -> None:
    painted = paint([Hint(*corner, "#00ff00")], (60, 40), (30, 20))
    assert painted[2].sum() == 4


def test_the_later_one_counts() -> None:
    blue = Hint(30, 10, "#0000ff")
    assert torch.equal(paint([RED, blue], (60, 40), (30, 20)), paint([blue], (60, 40), (30, 20)))


@pytest.mark.parametrize(
    ("x", "y", "color"),
    [
        (1, 1, "bogus"),
        (1, 1, "#ff000080"),
        (1, 1, "red"),
        (1, 1, None),
        (1.5, 1, "#ff0000"),
        (1, "1", "#ff0000"),
    ],
)
def test_what_is_no_hint(x: Any, y: Any, color: Any) -> None:
    with pytest.raises(HintFormatError, match="write x,y,#rrggbb"):
        Hint(x, y, color)


@pytest.mark.parametrize("place", [(60, 0), (0, 40), (999999, 999999), (-1, 0), (0, -1), (-9, -9)])
def test_beside_the_photograph(place: tuple[int, int]) -> None:
    with pytest.raises(
        HintOutsideError, match="which has 60 x 40 pixels; give a pixel inside"
    ) as caught:
        paint([Hint(*place, "#00ff00")], (60, 40), (30, 20))
    assert caught.value.code == "hint_outside"


def test_numpys_integers_are_places_like_any() -> None:
    hint = Hint(np.int64(3), np.int32(4), "#102030")  # type: ignore[arg-type]
    assert (type(hint.x), type(hint.y)) == (int, int)
    assert hint == Hint(3, 4, "#102030")
