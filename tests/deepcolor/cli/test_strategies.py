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
    assert "The strategy 'broken' cannot be loaded" in listed.stderr
    names = [entry["name"] for entry in json.loads(listed.stdout)["strategies"]]
    assert {"colornet", "richzhang"} <= set(names)
