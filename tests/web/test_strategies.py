from __future__ import annotations

from functions.contract.manifest import Manifest
from web.strategies import preferred


def manifest(**ready: bool) -> Manifest:
    return Manifest("first", {name: {"name": name, "ready": is_} for name, is_ in ready.items()})


def test_the_default_when_it_is_ready() -> None:
    assert preferred(manifest(other=True, first=True)) == "first"


def test_otherwise_whichever_is() -> None:
    assert preferred(manifest(first=False, other=False, third=True)) == "third"
    assert preferred(manifest(other=True)) == "other"


def test_the_default_when_none_is() -> None:
    assert preferred(manifest(first=False)) == "first"
