from __future__ import annotations

import json
from typing import Any

import pytest

from functions.contract.manifest import Manifest
from web.problems import Problem
from web.wishes import ACCEPTED, Wish, listing, megabytes

LIMIT = 1000
MANIFEST = Manifest.parse(
    json.dumps(
        {
            "default": "good",
            "strategies": [
                {"name": "good", "ready": True},
                {"name": "absent", "ready": False, "problem": "Its weights are missing."},
            ],
        }
    )
)
GOOD = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 10, "strategy": "good"}


def parse(**changes: Any) -> Wish:
    return Wish.parse(GOOD | changes, MANIFEST, LIMIT)


@pytest.mark.parametrize("content_type", ACCEPTED)
def test_accepted_kinds(content_type: str) -> None:
    assert parse(content_type=content_type).content_type == content_type


NAMES = [
    *["Großmutter 1912.jpg", "おばあさん.png", "👩\u200d👧.jpg"],
    *["a" * 255, ".jpg", "a?b#c%d.jpg"],
]
REFUSED_NAMES = [
    *[None, 7, "", ".", "..", "a/b.jpg", "a\\b.jpg", "a\nb.jpg", "a\x00"],
    *["\ud800", "ü" * 128, "a${filename}"],
]


@pytest.mark.parametrize("name", NAMES)
def test_any_script_makes_a_name(name: str) -> None:
    assert parse(filename=name).filename == name


@pytest.mark.parametrize("name", REFUSED_NAMES)
def test_names_that_keys_cannot_hold(name: object) -> None:
    with pytest.raises(Problem) as caught:
        parse(filename=name)
    assert (caught.value.status, caught.value.code) == (422, "invalid")


@pytest.mark.parametrize("size", [None, "10", 1.5, True, -1, 0])
def test_sizes_that_are_none(size: object) -> None:
    with pytest.raises(Problem) as caught:
        parse(size=size)
    assert caught.value.status == 422


def test_the_limit_is_the_limit() -> None:
    parse(size=LIMIT)
    with pytest.raises(Problem, match=r"a\.jpg has .* MB; up to .* MB can be colored") as caught:
        parse(size=LIMIT + 1)
    assert (caught.value.status, caught.value.code) == (413, "too-large")


@pytest.mark.parametrize("content_type", [None, "", "text/html", "image/svg+xml", ["image/jpeg"]])
def test_other_kinds_are_named(content_type: object) -> None:
    with pytest.raises(
        Problem, match=r"a\.jpg is not of a kind that can be colored: JPEG,"
    ) as caught:
        parse(content_type=content_type)
    assert caught.value.status == 415


@pytest.mark.parametrize("strategy", [None, "", "nobody", ["good"]])
def test_unknown_strategy(strategy: object) -> None:
    with pytest.raises(Problem, match="There are: good, absent"):
        parse(strategy=strategy)


def test_a_strategy_that_is_not_ready_says_why() -> None:
    with pytest.raises(Problem, match="Its weights are missing") as caught:
        parse(strategy="absent")
    assert caught.value.status == 409


@pytest.mark.parametrize("data", [None, [], "x", 3])
def test_not_an_object(data: object) -> None:
    with pytest.raises(Problem):
        Wish.parse(data, MANIFEST, LIMIT)


def test_words() -> None:
    assert listing() == "JPEG, PNG, WebP, TIFF or BMP"
    assert megabytes(100 * 2**20) == "100 MB"
