from __future__ import annotations

import json
from typing import Any

from deepcolor import registry


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
    assert listed.stderr.startswith("deepcolor: The strategy 'broken' cannot be loaded: ")
    assert len(listed.stderr.splitlines()) == 1
    names = [entry["name"] for entry in json.loads(listed.stdout)["strategies"]]
    assert {"colornet", "richzhang"} <= set(names)


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
    assert not registry.find(registry.DEFAULT).card.license.restricted
