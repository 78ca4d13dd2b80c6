"""What the docs say is so: commands run, links lead somewhere, pages are fresh."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepcolor import xmp

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
COLORED = sorted(
    [
        *DOCS.glob("pictures/*.color.jpg"),
        *(ROOT / "web" / "static" / "gallery").glob("*.color.webp"),
    ]
)
NEEDS_THE_INTERNET = "weights fetch"
BIN = Path(sys.executable).parent


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with all that the docs' commands name."""
    gray = sorted((DOCS / "pictures").glob("*.gray.jpg"))
    color = sorted((DOCS / "pictures").glob("*.color.jpg"))
    for name in ("grandmother", "photo", "a", "b"):
        shutil.copy(gray[0], tmp_path / f"{name}.jpg")
    for folder, photographs in (("album", gray[:2]), ("my-color-photographs", color[:2])):
        (tmp_path / folder).mkdir()
        for photograph in photographs:
            shutil.copy(photograph, tmp_path / folder)
    return tmp_path


@pytest.mark.parametrize("color", COLORED, ids=lambda path: path.name)
def test_pictures_keep_the_lightness_of_their_photographs(color: Path) -> None:
    drawn, gray = (
        np.asarray(Image.open(path).convert("L")).astype(int)
        for path in (color, color.with_name(color.name.replace(".color.", ".gray.")))
    )
    assert np.abs(drawn - gray).mean() < 5  # as what L* and luma see differently


@pytest.mark.parametrize(
    "picture",
    [*COLORED, DOCS / "pictures/before-after.jpg", DOCS / "pictures/faces.jpg"],
    ids=lambda path: path.name,
)
def test_pictures_say_that_their_colors_are_simulated(picture: Path) -> None:
    with Image.open(picture) as image:
        assert xmp.BY_A_TRAINED_ALGORITHM.encode() in image.info["xmp"]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    found = {
        line.split("#")[0].strip(): None
        for page in (ROOT / "README.md", DOCS / "library.md")
        for block in blocks(page, "sh")
        for line in block.splitlines()
        if line.startswith("deepcolor ") and NEEDS_THE_INTERNET not in line
    }
    return list(found)


def test_there_are_commands() -> None:
    assert len(commands()) >= 5


def test_the_commands_run_one_after_the_other(desk: Path) -> None:
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    for command in commands():
        run = subprocess.run(
            command,
            shell=True,
            cwd=desk,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"{command}\n{run.stderr}"
        assert run.stdout.strip(), command
    assert (desk / "grandmother.colornet.jpg").exists()
    assert len(list((desk / "colored").iterdir())) == 2


@pytest.mark.parametrize("page", ["README.md", "docs/library.md"])
def test_the_python_runs(desk: Path, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    names: dict[str, object] = {}
    found = blocks(ROOT / page, "python")
    assert found
    for block in found:
        exec(block, names)
    assert "deepcolor" in names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http://", "https://", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_the_page_of_the_command_line_is_fresh() -> None:
    generate = runpy.run_path(str(DOCS / "generate.py"))
    written = (DOCS / "command-line.md").read_text()
    assert written == generate["command_line_page"](), "run: make docs"
    written = (DOCS / "parameters.md").read_text()
    assert written == generate["parameters_page"](), "run: make docs"


def test_the_strategy_in_the_docs_is_the_one_in_the_folder() -> None:
    shown = blocks(DOCS / "writing-a-strategy.md", "python")[0]
    assert shown in (DOCS / "example-strategy" / "deepcolor_splittone.py").read_text()


def test_every_alarm_is_in_the_runbook() -> None:
    template = (ROOT / "template.yaml").read_text()
    alarms = re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm", template, re.MULTILINE)
    assert len(alarms) >= 10
    headings = " ".join(re.findall(r"^## (.*)", (DOCS / "runbook.md").read_text(), re.MULTILINE))
    assert [alarm for alarm in alarms if alarm not in headings] == []
