from __future__ import annotations

from functions.contract.manifest import Manifest
from web.strategies import preferred, shown


def manifest(*, restricted: str = "", **ready: bool) -> Manifest:
    return Manifest(
        "first",
        {
            name: {"name": name, "ready": is_, "license": {"restricted": name == restricted}}
            for name, is_ in ready.items()
        },
    )


def test_the_default_when_it_is_ready() -> None:
    assert preferred(manifest(other=True, first=True)) == "first"


def test_otherwise_whichever_is() -> None:
    assert preferred(manifest(first=False, other=False, third=True)) == "third"
    assert preferred(manifest(other=True)) == "other"


def test_the_default_when_none_is() -> None:
    assert preferred(manifest(first=False)) == "first"


def test_never_a_restricted_one() -> None:
    assert preferred(manifest(restricted="other", first=False, other=True)) == "first"
    assert preferred(manifest(restricted="other", first=False, other=True, third=True)) == "third"
    assert preferred(manifest(restricted="first", first=True, other=True)) == "other"


def test_what_is_shown() -> None:
    card = {
        *("name", "title", "description", "url", "training_data", "license"),
        *("size", "knobs", "hints", "ready", "problem"),
    }
    whole = {key: key for key in card} | {"weights": [], "license": {}, "fit": "aspect"}
    assert set(shown(Manifest("a", {"a": whole}))["strategies"][0]) == card
