from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

import deepcolor
from deepcolor import registry
from deepcolor.builtin.colornet import Colornet
from deepcolor.builtin.richzhang import RichZhang
from deepcolor.errors import (
    PackageMissingError,
    StrategyBrokenError,
    StrategyNameTakenError,
    UnknownStrategyError,
)
from tests.deepcolor.conftest import PAINTER, FileServer

Install = Callable[..., Path]

LOST = f"WeightFile('a', 1, '{'0' * 64}', package='nopkg')"
BUILT_IN = ["colornet", "ddcolor", "ddcolor-artistic", "deoldify", "richzhang", "siggraph17"]


def test_the_built_in_strategies_are_found_and_the_default_is_first() -> None:
    known = dict(registry.strategies())
    assert list(known) == BUILT_IN
    assert (known["colornet"], known["richzhang"]) == (Colornet, RichZhang)
    assert registry.find("richzhang") is RichZhang


def test_the_names_cost_no_import(install: Install) -> None:
    install("broken", name="broken", code="1 / 0")
    assert registry.names() == {*BUILT_IN, "broken"}


def test_an_installed_package_brings_its_strategy(install: Install) -> None:
    install("artists", name="aquarelle")
    assert list(deepcolor.strategies()) == ["colornet", "aquarelle", *BUILT_IN[1:]]
    entries = {entry["name"]: entry for entry in registry.manifest()["strategies"]}
    assert entries["aquarelle"]["ready"] is True
    assert entries["aquarelle"]["url"] == "https://example.org/aquarelle"
    colored = deepcolor.colorize(Image.new("L", (20, 10), 128), strategy="aquarelle")
    red, green, blue = colored.getpixel((5, 5))  # type: ignore[misc]
    assert red > green < blue


def test_a_strategy_that_cannot_be_imported_is_left_out_with_a_warning(install: Install) -> None:
    install("broken", name="broken", code="import a_module_that_nobody_has\n")
    with pytest.warns(UserWarning, match="'broken' is broken: it cannot be loaded .*nobody_has"):
        known = registry.strategies()
    assert list(known) == BUILT_IN


def test_a_strategy_without_a_card_is_left_out_with_a_warning(install: Install) -> None:
    install("cardless", name="cardless", code="class Painter: pass\n")
    with pytest.warns(UserWarning, match="'cardless' is broken: it cannot be loaded"):
        assert "cardless" not in registry.strategies()


def test_threads_that_import_at_once_leave_standard_output_as_it_was(install: Install) -> None:
    before = sys.stdout
    for name, seconds in (("early", 0.2), ("late", 0.5)):
        code = f"import time\ntime.sleep({seconds})\n" + PAINTER.format(type="Painter", name=name)
        install(name, name=name, code=code)
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(registry.find, "early")
        while "early" not in sys.modules:  # as it is from when its import begins
            time.sleep(0.005)
        late = pool.submit(registry.find, "late")
        assert [one.result().card.name for one in (early, late)] == ["early", "late"]
    assert sys.stdout is before


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("(Strategy)", "", r"no subclass of deepcolor\.Strategy"),
        ("def predict(", "def predicts(", "no method predict"),
        ('name="painter",', 'name="../evil name",', r"its name is '\.\./evil name'"),
        ('name="painter",', 'name="",', "its name is ''"),
        ('name="painter",', 'name="another",', "its card calls it 'another'"),
        ("size=64,", f"size=64, weights=({LOST},),", "nopkg"),
        ("size=64,", "size=64, knobs=Knob('a', '', 0, 0, 1),", "knobs must be a tuple of Knob"),
        ("from deepcolor", "raise SystemExit('no license server')\nfrom deepcolor", "no license"),
    ],
)
def test_what_is_no_strategy_costs_nobody_else(
    install: Install, old: str, new: str, why: str
) -> None:
    code = PAINTER.format(type="Painter", name="painter").replace(
        "License,", "License, Knob, WeightFile,"
    )
    assert old in code
    install("odd", name="odd", code=code.replace(old, new))
    with pytest.warns(UserWarning, match=f"'odd' is broken: it cannot be loaded .*{why}"):
        listed = registry.manifest()["strategies"]
    assert [entry["name"] for entry in listed] == BUILT_IN


def test_one_that_is_asked_for_costs_no_import_of_others(
    install: Install, recwarn: pytest.WarningsRecorder
) -> None:
    """Nor do two packages of one name, or a broken one, harm who asks for another."""
    install("broken", name="broken", code="1 / 0")
    install("artists", name="painter")
    install("dilettantes", name="painter")
    assert registry.find("colornet") is Colornet
    assert not recwarn.list
    with pytest.raises(StrategyBrokenError, match=r"cannot be loaded .division by zero."):
        registry.find("broken")
    with pytest.raises(StrategyNameTakenError, match="artists"):
        registry.find("painter")


def test_a_package_within_one_that_is_not_there_is_missing(install: Install) -> None:
    code = PAINTER.format(type="Painter", name="painter").replace("License,", "License, Extra,")
    extra = 'size=64, extra=Extra("nobody_has.this", "nobody-has"),'
    install("needy", code=code.replace("size=64,", extra))
    [entry] = [one for one in registry.manifest()["strategies"] if one["name"] == "painter"]
    assert entry["problem"] == "It needs nobody_has.this: run pip install 'nobody-has'."


def test_weights_are_not_fetched_for_a_package_that_is_missing(
    install: Install, file_server: FileServer
) -> None:
    weights = f'WeightFile("a.pt", 1, "{"0" * 64}", url="{file_server.url}/a.pt")'
    needs = f'size=64, extra=Extra("nobody_has.this", "nobody-has"), weights=({weights},),'
    code = PAINTER.format(type="Painter", name="painter")
    code = code.replace("License,", "License, Extra, WeightFile,").replace("size=64,", needs)
    install("needy", code=code)
    with pytest.raises(PackageMissingError, match="pip install 'nobody-has'"):
        deepcolor.load("painter")
    assert file_server.asked == []


def test_two_packages_may_not_bring_one_name(install: Install) -> None:
    install("artists", name="painter")
    install("dilettantes", name="painter")
    with pytest.raises(StrategyNameTakenError, match="named 'painter'; uninstall one") as caught:
        registry.strategies()
    assert "artists" in str(caught.value)
    assert "dilettantes" in str(caught.value)
    assert caught.value.code == "strategy_name_taken"


def test_a_built_in_name_may_not_be_taken(install: Install) -> None:
    install("impostor", name="colornet")
    with pytest.raises(StrategyNameTakenError, match="impostor"):
        registry.strategies()


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("colournet", "did you mean 'colornet'?"),
        ("rich-zhang", "did you mean 'richzhang'?"),
        ("xyz", f"there are: {', '.join(BUILT_IN)}."),
    ],
)
def test_a_misspelt_name_is_corrected(name: str, cure: str) -> None:
    with pytest.raises(UnknownStrategyError) as caught:
        registry.find(name)
    assert str(caught.value) == f"There is no strategy '{name}'; {cure}"
    assert (caught.value.code, caught.value.exit_code) == ("unknown_strategy", 2)


def test_the_manifest_is_json_and_tells_what_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCOLOR_HOME", str(tmp_path))
    listing = json.loads(json.dumps(registry.manifest()))
    assert listing["default"] == "colornet"
    entries = {entry["name"]: entry for entry in listing["strategies"]}
    assert next(iter(entries)) == "colornet"
    colornet, richzhang = entries["colornet"], entries["richzhang"]
    assert (colornet["ready"], colornet["problem"]) == (True, None)
    assert colornet["knobs"][0]["name"] == "vividness"
    assert colornet["license"] == {
        "code": "Apache-2.0",
        "weights": "Apache-2.0",
        "restricted": False,
    }
    assert richzhang["ready"] is False
    assert "(129 MB)" in richzhang["problem"]
    assert "deepcolor weights fetch richzhang" in richzhang["problem"]
    assert richzhang["weights"][0]["sha256"] == (
        "9b330a0bae53f4ded77b1e23defbf78beaa09c10ebc4c4999e8e4f4a160b93f9"
    )
