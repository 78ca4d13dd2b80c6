"""The docs' example package, installed with pip, appears everywhere by itself."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.running_stack import ROOT, chroma, start_stack

EXAMPLE = ROOT / "docs" / "example-strategy"
PIP_INSTALL = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
PIP_INSTALL += ["--no-deps", "--no-build-isolation"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the example is installed."""
    site = tmp_path_factory.mktemp("site")
    subprocess.run(
        [*PIP_INSTALL, "--target", str(site), str(EXAMPLE)],
        check=True,
    )
    return {"PYTHONPATH": str(site)}


def deepcolor(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deepcolor", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_lists_and_uses_it(
    installed: dict[str, str], photographs: list[Path], tmp_path: Path
) -> None:
    listing = json.loads(deepcolor("strategies", "--json", environment=installed).stdout)
    entry = next(one for one in listing["strategies"] if one["name"] == "splittone")
    assert entry["ready"]
    assert [knob["name"] for knob in entry["knobs"]] == ["strength", "saturation", "size"]
    assert entry["hints"] is True
    target = tmp_path / "toned.jpg"
    run = deepcolor(
        *("colorize", str(photographs[0]), "-s", "splittone", "-o", str(target)),
        environment=installed,
    )
    assert run.returncode == 0, run.stderr
    assert chroma(target.read_bytes()) > 3
    x, y = a_gray_place(photographs[0])
    run = deepcolor(
        *("colorize", str(photographs[0]), "-s", "splittone", "-o", str(target), "--overwrite"),
        *("--hint", f"{x},{y},#d02020"),
        environment=installed,
    )
    assert run.returncode == 0, run.stderr
    assert redness(target.read_bytes(), (x, y)) > 60


def a_gray_place(photograph: Path) -> tuple[int, int]:
    """A pixel of middle gray, where every color can be strong."""
    gray = np.asarray(Image.open(photograph).convert("L")).astype(int)
    inside = np.abs(gray[20:-20, 20:-20] - 120)
    y, x = np.unravel_index(inside.argmin(), inside.shape)
    return int(x) + 20, int(y) + 20


def redness(picture: bytes, place: tuple[int, int]) -> int:
    red, green, _ = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))[place[::-1]]
    return int(red) - int(green)


def test_without_it_there_is_none() -> None:
    assert "splittone" not in deepcolor("strategies", environment={}).stdout


def test_the_worker_tells_the_page(
    installed: dict[str, str], photographs: list[Path], tmp_path: Path
) -> None:
    stack = start_stack(tmp_path / "bucket", installed)
    try:
        with urllib.request.urlopen(f"{stack.page}api/strategies") as reply:
            listed = json.loads(reply.read())
        assert "splittone" in [entry["name"] for entry in listed["strategies"]]
        with urllib.request.urlopen(stack.page) as reply:
            assert "Cool shadows and warm lights" in reply.read().decode()
        stack.s3.upload_file(str(photographs[0]), "deepcolor-uploads", "splittone/a.jpg")
        assert stack.finished("splittone/a.jpg")["strategy"] == "splittone"
        assert chroma(stack.result("splittone/a.jpg")) > 3
        x, y = a_gray_place(photographs[0])
        hint = f"{x},{y},#d02020"
        stack.s3.upload_file(
            str(photographs[0]),
            "deepcolor-uploads",
            "splittone/guided.jpg",
            ExtraArgs={"Metadata": {"hints": hint, "strength": "0.5"}},
        )
        record = stack.finished("splittone/guided.jpg")
        assert (record["hints"], record["knobs"]) == ([hint], {"strength": 0.5})
        assert redness(stack.result("splittone/guided.jpg"), (x, y)) > 60
    finally:
        stack.stop()
