from __future__ import annotations

from typing import Any

import pytest

from functions.contract.manifest import Manifest
from functions.dispatch.wish import Wish, read_wish

KNOBS = [
    {"name": "vividness", "low": 0.0, "default": 1.0, "high": 2.0},
    {"name": "size", "low": 64, "default": 256, "high": 1024},
]
MANIFEST = Manifest(
    "calm",
    {
        "calm": {"name": "calm", "knobs": KNOBS, "hints": False},
        "guided": {"name": "guided", "knobs": [], "hints": True},
    },
)


def wish(key: str = "photo.jpg", **metadata: str) -> Wish:
    return read_wish(key, metadata, 5, MANIFEST, max_bytes=2**20)


def test_nothing_said_is_the_default() -> None:
    assert wish() == Wish("calm")


def test_the_key_names_a_strategy_and_the_metadata_another() -> None:
    assert wish("guided/photo.jpg").strategy == "guided"
    assert wish("unheard/photo.jpg").strategy == "calm"
    assert wish("guided/photo.jpg", strategy="calm").strategy == "calm"


def test_knobs_are_turned() -> None:
    turned = wish(vividness="1.5", size="512", camera="Leica", **{"correlation-id": "7"})
    assert turned == Wish("calm", {"vividness": 1.5, "size": 512.0})


@pytest.mark.parametrize(
    ("text", "said"),
    [("bold", "'bold'"), ("", "''"), ("1,5", "'1,5'"), ("nan", "nan"), ("inf", "inf")]
    + [(text, text) for text in ("-0.1", "2.01")],
)
def test_knobs_beyond_their_ends(text: str, said: str) -> None:
    refusal = wish(vividness=text).refusal
    assert refusal == {
        "code": "knob_out_of_range",
        "message": f"vividness must be a number between 0 and 2, not {said}.",
    }


def test_another_strategys_knob_is_the_uploaders_own_affair() -> None:
    assert wish(strategy="guided", vividness="1.5") == Wish("guided")


def test_hints() -> None:
    asked: dict[str, Any] = {"hints": "120,80,#c84b31  14,9,#224466"}
    assert wish(strategy="guided", **asked).hints == ["120,80,#c84b31", "14,9,#224466"]
    assert wish(**asked).refusal == {
        "code": "hints_not_taken",
        "message": "The strategy 'calm' takes no hints; these do: guided.",
    }


def test_a_strategy_that_nobody_runs() -> None:
    refusal = wish(strategy="colournet").refusal
    assert refusal is not None
    assert refusal["code"] == "unknown_strategy"
    assert refusal["message"].endswith("there are: calm, guided.")
