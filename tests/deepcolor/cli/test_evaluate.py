from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deepcolor.registry import manifest
from tests.deepcolor.cli.test_strategies import RESTRICTED
from tests.deepcolor.conftest import PAINTER


@pytest.fixture
def truth(folder: Path) -> Path:
    """Two color photographs."""
    place = folder / "truth"
    place.mkdir()
    for seed in (1, 2):
        coarse = np.random.default_rng(seed).integers(40, 216, (5, 7, 3), np.uint8)
        Image.fromarray(coarse).resize((96, 64)).save(place / f"{seed}.png")
    return place


def test_the_table_names_every_strategy_that_is_ready(run: Any, truth: Path) -> None:
    result = run("evaluate", str(truth))
    assert (result.exit_code, result.stderr) == (0, "")
    ready = [entry["name"] for entry in manifest()["strategies"] if entry["ready"]]
    lines = result.stdout.splitlines()
    rows = [line.split()[0] for line in lines[1:] if line and not line.startswith("2 ")]
    assert rows == ["gray", "constant", "oracle", *ready]
    assert lines[-1].startswith("2 photographs at 256x256")


def test_restricted_weights_are_measured_only_by_name(run: Any, install: Any, truth: Path) -> None:
    install("researchers", name="researchers", code=RESTRICTED)
    assert "researchers" not in run("evaluate", str(truth)).stdout
    assert "researchers" in run("evaluate", str(truth), "-s", "researchers").stdout


def test_the_device_is_chosen(run: Any, install: Any, truth: Path) -> None:
    install("paint")
    assert run("evaluate", str(truth), "-s", "painter", "--device", "cpu").exit_code == 0
    refused = run("evaluate", str(truth), "-s", "painter", "--device", "cuda:99")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("deepcolor: There is no device 'cuda:99' here; there are: ")
    assert refused.stderr.count("\n") == 1


def test_json_and_report(run: Any, truth: Path, folder: Path) -> None:
    arguments = ("-s", "colornet", "-s", "colornet", "--report", "out/report.html", "--json")
    result = run("evaluate", str(truth), *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert list(found["strategies"]) == ["colornet"]
    assert found["photographs"] == 2
    html = (folder / "out/report.html").read_text("utf-8")
    assert f"{found['strategies']['colornet']['psnr']:.2f}</td>" in html
    assert "dot hue0" in html
    assert "dot hue1" not in html  # named twice, measured once


def test_a_report_needs_no_reader_of_the_table(truth: Path, folder: Path) -> None:
    program = Path(sys.executable).with_name("deepcolor")
    arguments = ["evaluate", str(truth), "-s", "colornet", "--report", "report.html"]
    with subprocess.Popen([program, *arguments], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
    assert (folder / "report.html").exists()


def test_a_broken_photograph_is_named_and_the_others_are_measured(run: Any, truth: Path) -> None:
    (truth / "0.png").write_bytes((truth / "1.png").read_bytes()[:400])
    result = run("evaluate", str(truth), "-s", "colornet")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"deepcolor: {truth / '0.png'} is damaged (")
    assert "2 photographs at 256x256" in result.stdout


def test_nothing_but_broken_photographs(run: Any, truth: Path, folder: Path) -> None:
    for path in truth.iterdir():
        path.write_text("Dear grandmother, ...")
    result = run("evaluate", str(truth), "-s", "colornet", "--report", "report.html")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("is not a photograph") == 2
    assert not (folder / "report.html").exists()


def test_json_of_nothing_but_broken_photographs(run: Any, truth: Path) -> None:
    for path in truth.iterdir():
        path.write_text("Dear grandmother, ...")
    result = run("evaluate", str(truth), "-s", "colornet", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["photographs"], found["strategies"], found["colorfulness"]) == (0, {}, None)
    assert [one["code"] for one in found["failed"]] == ["not_a_photograph"] * 2


def test_figures_outlive_a_report_that_cannot_be_written(run: Any, truth: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has /dev/full")
    result = run("evaluate", str(truth), "-s", "colornet", "--report", "/dev/full")
    assert result.exit_code == 1
    assert "2 photographs at 256x256" in result.stdout
    assert "/dev/full cannot be written" in result.stderr


def test_a_strategy_that_is_broken_costs_the_others_nothing(
    run: Any, truth: Path, install: Any
) -> None:
    """Named it is measured, and each photograph that it fails on is named as well."""
    code = PAINTER.format(type="Painter", name="broken").replace("return", "raise OSError #")
    install("broken", name="broken", code=code)
    result = run("evaluate", str(truth))
    assert result.exit_code == 0
    assert "2 photographs at 256x256" in result.stdout
    assert "broken" not in result.stdout
    assert result.stderr.startswith("deepcolor: The strategy 'broken' is broken: its network")
    named = run("evaluate", str(truth), "-s", "broken")
    assert (named.exit_code, named.stdout) == (1, "")
    for line, name in zip(named.stderr.splitlines(), ("1.png", "2.png"), strict=True):
        assert line.startswith(f"deepcolor: {truth / name}: The strategy 'broken' is broken: ")


def test_an_empty_folder(run: Any, truth: Path) -> None:
    shutil.rmtree(truth)
    truth.mkdir()
    result = run("evaluate", str(truth), "-s", "colornet")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"deepcolor: There are no photographs in {truth}; name a folder of color ones.\n"
    )


def test_a_strategy_that_is_not_there(run: Any, truth: Path) -> None:
    result = run("evaluate", str(truth), "-s", "colornot")
    assert result.exit_code == 2
    assert "did you mean 'colornet'?" in result.stderr


def test_a_report_replaces_nothing_but_a_report(run: Any, truth: Path, folder: Path) -> None:
    photo = truth / "1.png"
    before = photo.read_bytes()
    result = run("evaluate", str(truth), "-s", "colornet", "--report", str(photo))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "1.png is already there and no page of HTML" in result.stderr
    assert photo.read_bytes() == before
    (folder / "notes.txt").touch()
    blocked = run("evaluate", str(truth), "-s", "colornet", "--report", "notes.txt/report.html")
    assert (blocked.exit_code, blocked.stdout) == (1, "")
    assert "notes.txt/report.html cannot be written" in blocked.stderr
    report = folder / "report.html"
    report.write_text("from before")
    assert run("evaluate", str(truth), "-s", "colornet", "--report", str(report)).exit_code == 0
    assert report.read_text("utf-8").startswith("<!doctype html>")
