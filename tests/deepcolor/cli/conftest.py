from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

import deepcolor
from deepcolor.cli import main

Run = Callable[..., Result]
Shell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command's working directory, and no weights but the package's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPCOLOR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DEEPCOLOR_OFFLINE", raising=False)
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, colornet: deepcolor.Colorizer) -> Run:
    """The command in this process, where the network is loaded already."""
    load = deepcolor.colorizer.load

    def loaded(strategy: str = "colornet", **options: Any) -> deepcolor.Colorizer:
        return colornet if strategy == "colornet" else load(strategy, **options)

    monkeypatch.setattr("deepcolor.colorizer.load", loaded)

    def invoke(*arguments: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(main, arguments, input=stdin)

    return invoke


@pytest.fixture
def shell() -> Shell:
    """The command as a process of its own."""

    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deepcolor", *arguments],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )

    return call


@pytest.fixture
def photographs(folder: Path, landscape: Image.Image) -> Path:
    """A folder with two photographs, one in a folder below, and two that are none."""
    scans = folder / "scans"
    (scans / "sub").mkdir(parents=True)
    landscape.save(scans / "a.jpg", quality=90)
    landscape.rotate(180).save(scans / "sub" / "a.jpg", quality=90)
    (scans / "broken.jpg").write_bytes((scans / "a.jpg").read_bytes()[:3000])
    (scans / "letter.jpg").write_text("Dear grandmother, ...")
    (scans / "notes.txt").write_text("1912")
    return scans
