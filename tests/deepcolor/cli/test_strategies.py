from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import Any

from PIL import Image

from deepcolor import defaults, registry
from tests.deepcolor.conftest import PAINTER


def test_the_listing(run: Any) -> None:
    result = run("strategies")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "colornet  (default)"
    assert "richzhang" in lines
    assert "    ready" in lines
    assert "run 'deepcolor weights fetch richzhang'" in result.stdout
    assert "https://arxiv.org/abs/1603.08511" in result.stdout
    assert "code BSD-2-Clause, weights BSD-2-Clause" in result.stdout


def test_json_is_the_manifest(run: Any) -> None:
    result = run("strategies", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(json.dumps(registry.manifest()))


def test_somebody_elses_strategy_is_listed_and_colors(
    shell: Any, install: Any, folder: Any, landscape: Any
) -> None:
    site = install("artists", name="aquarelle")
    landscape.save(folder / "a.png")
    listed = shell("strategies", "--json", PYTHONPATH=str(site))
    names = [entry["name"] for entry in json.loads(listed.stdout)["strategies"]]
    assert names[:2] == ["colornet", "aquarelle"]
    done = shell("colorize", "a.png", "-s", "aquarelle", PYTHONPATH=str(site))
    assert (done.returncode, done.stdout) == (0, "a.aquarelle.png\n")


def test_a_broken_strategy_is_a_warning(shell: Any, install: Any) -> None:
    site = install("broken", name="broken", code="import a_module_that_nobody_has\n")
    listed = shell("strategies", "--json", PYTHONPATH=str(site))
    assert listed.returncode == 0
    assert listed.stderr.startswith("deepcolor: The strategy 'broken' is broken: it cannot ")
    assert len(listed.stderr.splitlines()) == 1
    names = [entry["name"] for entry in json.loads(listed.stdout)["strategies"]]
    assert {"colornet", "richzhang"} <= set(names)


PRINTING = PAINTER.format(type="Painter", name="loud").replace(
    "        return", "        print('a network at work')\n        return"
)


def test_what_a_strategy_prints_spoils_no_output(
    shell: Any, install: Any, folder: Any, landscape: Any
) -> None:
    site = install("loud", name="loud", code=f"print('a package comes')\n{PRINTING}")
    landscape.save(folder / "a.png")
    (folder / "true").mkdir()
    landscape.save(folder / "true/a.png")
    listed = shell("strategies", "--json", PYTHONPATH=str(site))
    assert "loud" in [entry["name"] for entry in json.loads(listed.stdout)["strategies"]]
    done = shell("colorize", "a.png", "-s", "loud", "--json", PYTHONPATH=str(site))
    assert json.loads(done.stdout)["strategy"] == "loud"
    assert done.stderr.splitlines() == ["a package comes", "a network at work"]
    measured = shell("evaluate", "true", "-s", "loud", "--json", PYTHONPATH=str(site))
    assert json.loads(measured.stdout)["photographs"] == 1
    piped = subprocess.run(
        [sys.executable, "-m", "deepcolor", "colorize", "a.png", "-s", "loud", "-o", "-"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, check=True,
    )  # fmt: skip
    with Image.open(io.BytesIO(piped.stdout)) as image:
        assert image.size == landscape.size


RESTRICTED = """
from deepcolor import License, Strategy, StrategyCard


class Painter(Strategy):
    card = StrategyCard(
        name="researchers",
        title="Research only",
        description="",
        url="",
        license=License(code="MIT", weights="CC-BY-NC-4.0", restricted=True),
        training_data="found photographs",
        size=64,
        hints=True,
    )

    def predict(self, l, knobs, hints):
        return l.new_zeros(len(l), 2, 8, 8)
"""


def test_what_one_may_and_can_do_is_told(run: Any, install: Any) -> None:
    install("researchers", name="researchers", code=RESTRICTED)
    lines = [line.strip() for line in run("strategies").stdout.splitlines()]
    terms = "code MIT, weights CC-BY-NC-4.0, NOT FOR COMMERCIAL USE; trained on: found photographs"
    assert terms in lines
    assert "takes saturation 0…2, size 64…1024, hints" in lines
    assert sum("COMMERCIAL" in line for line in lines) == 1


def test_the_default_is_free_for_all() -> None:
    assert not registry.find(defaults.STRATEGY).card.license.restricted
