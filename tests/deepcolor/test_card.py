"""What a strategy's card cannot be."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from deepcolor.card import Extra, Knob, License, StrategyCard, WeightFile

KNOB = Knob("warmth", "how warm", low=0, default=0.5, high=1)
FILE = WeightFile("mine.pth", 1, "0" * 64, url="https://example.org/mine.pth")
CARRIED = WeightFile("nets/mine.pth", 1, "0" * 64, package="mine")
CARD = StrategyCard(
    name="mine",
    title="Mine",
    description="",
    url="",
    license=License("MIT", "none"),
    training_data="none",
    size=320,
    multiple=64,
    knobs=(KNOB,),
    weights=(FILE, CARRIED),
    extra=Extra("torch", "torch"),
)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "Red Tint"}, "'Red Tint' is not named by"),
        ({"name": "Warmth"}, "'Warmth' is not named by"),
        ({"name": "wärme"}, "'wärme' is not named by"),
        ({"name": ""}, "'' is not named by"),
        ({"name": None}, "None is not named by"),
        ({"description": None}, "description of the knob 'warmth' must be a text"),
        ({"low": "0"}, "low, default and high of the knob 'warmth' must be numbers"),
        ({"high": math.inf}, "must be numbers"),
        ({"default": math.nan}, "must be numbers"),
        ({"default": True}, "must be numbers"),
        ({"default": 5}, "low 0, default 5 and high 1 of the knob 'warmth' must rise"),
        ({"low": 3, "high": 0}, "must rise"),
        ({"low": 0.5, "high": 0.5}, "must rise"),
    ],
)
def test_a_knob_that_cannot_be(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(KNOB, **changes)


@pytest.mark.parametrize(
    ("file", "changes", "why"),
    [
        (FILE, {"url": None}, "'mine.pth' needs either a url or the package that carries it"),
        (FILE, {"package": "mine"}, "needs either a url or the package that carries it"),
        (FILE, {"url": 7}, "the url or package of .* must be a text"),
        (FILE, {"filename": "nets/mine.pth"}, "'nets/mine.pth' is not named as a file can be"),
        (FILE, {"filename": ""}, "'' is not named as a file can be"),
        (FILE, {"filename": ".."}, r"'\.\.' is not named as a file can be"),
        (FILE, {"filename": 7}, "must be a text"),
        (CARRIED, {"filename": "../mine.pth"}, "is not named as a file can be"),
        (CARRIED, {"filename": "/mine.pth"}, "is not named as a file can be"),
        (CARRIED, {"filename": ""}, "is not named as a file can be"),
        (FILE, {"bytes": 0}, "the bytes of .* must be a whole number above 0"),
        (FILE, {"bytes": "9"}, "the bytes of .* must be a whole number above 0"),
        (FILE, {"sha256": "0"}, "not of 64 of the characters 0-9 a-f"),
        (FILE, {"sha256": "A" * 64}, "not of 64 of the characters 0-9 a-f"),
        (FILE, {"sha256": None}, "not of 64 of the characters 0-9 a-f"),
    ],
)
def test_a_file_that_cannot_be(file: WeightFile, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(file, **changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "../evil"}, "its name is '../evil'"),
        ({"title": None}, "its title, description, url and training_data must be texts"),
        ({"url": None}, "must be texts"),
        ({"license": "MIT"}, r"its license must be a deepcolor\.License"),
        ({"hints": 1}, "its hints must be True or False"),
        ({"fit": "strech"}, "its fit must be 'stretch' or 'aspect', not 'strech'"),
        ({"size": 256.0}, "must be whole numbers above 0"),
        ({"multiple": 0}, "must be whole numbers above 0"),
        ({"size": 2048}, "its size must be 64 to 1024, not 2048"),
        ({"size": 0}, "its size must be 64 to 1024, not 0"),
        ({"size": 100}, "its size, 100, must be a multiple of 64"),
        ({"knobs": KNOB}, "its knobs must be a tuple of Knob"),
        ({"knobs": [KNOB]}, "its knobs must be a tuple of Knob"),
        ({"knobs": (FILE,)}, "its knobs must be a tuple of Knob"),
        ({"knobs": (KNOB, KNOB)}, "two of its knobs have one name"),
        ({"weights": FILE}, "its weights must be a tuple of WeightFile"),
        ({"weights": (FILE, FILE)}, "two of its files of weights have one name"),
        ({"extra": "torch"}, r"its extra must be a deepcolor\.Extra"),
    ],
)
def test_a_card_that_cannot_be(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(CARD, **changes)


@pytest.mark.parametrize("name", ["hints", "saturation", "size", "source", "strategy"])
def test_a_name_that_no_knob_may_have(name: str) -> None:
    with pytest.raises(ValueError, match=f"its knob '{name}' has a name that is taken"):
        replace(CARD, knobs=(replace(KNOB, name=name),))


@pytest.mark.parametrize("size", [64, 1024])
def test_a_network_may_be_as_small_or_as_large_as_is_said(size: int) -> None:
    assert replace(CARD, size=size).all_knobs[-1].default == size


@pytest.mark.parametrize("told", [(None, "none"), ("MIT", 7), ("MIT", "none", 1)])
def test_a_license_that_cannot_be(told: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"^a license's "):
        License(*told)


def test_an_extra_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^an extra's module and install must be texts"):
        Extra("torch", None)  # type: ignore[arg-type]
