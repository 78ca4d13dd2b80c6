"""What make does before it runs anything: the .venv that it needs, the list of its targets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make here")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with the Makefile and nothing installed."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in ("Makefile", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def clone(bare: Path) -> Path:
    """With the .venv that make makes."""
    make(bare, ".venv/bin/python")
    return bare


def make(folder: Path, *arguments: str, path: str = os.environ["PATH"]) -> str:
    """What it prints; nothing of the make that runs the tests has a say in it."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=folder,
        env=environment | {"PATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("name", ["sam", "audit", "peer"])
def test_the_other_venvs_have_the_python_of_the_first(bare: Path, name: str) -> None:
    """The system's may be older than what PYTHON named when that was made."""
    commands = make(bare, "--dry-run", f".venv/.{name}")
    assert f"\n.venv/bin/python -m venv .venv/{name}\n" in commands


def test_what_the_venv_has_is_called_by_its_python() -> None:
    """Its scripts name the place where they were made."""
    assert {*re.findall(r"(?<=\$\(BIN\)/)\w+", (ROOT / "Makefile").read_text())} == {"python"}


def test_a_venv_that_serves_is_kept(clone: Path) -> None:
    make(clone, "help")
    assert (clone / ".venv/bin/python").exists()


def test_the_venv_of_a_clone_that_was_moved_is_made_anew(clone: Path) -> None:
    moved = clone.rename(clone.with_name("elsewhere"))
    make(moved, "help")
    assert not (moved / ".venv").exists()


def test_a_venv_without_pip_is_made_anew(clone: Path) -> None:
    """Its script is still there when the system's Python became another."""
    [pip] = clone.glob(".venv/lib/python*/site-packages/pip")
    shutil.rmtree(pip)
    make(clone, "help")
    assert not (clone / ".venv").exists()


def test_a_venv_of_an_older_python_is_made_anew(clone: Path) -> None:
    python = clone / ".venv/bin/python"
    for version, is_kept in (("3, 11", True), ("3, 10", False)):
        python.unlink()
        code = f"import sys; sys.version_info = ({version}); exec(sys.argv[1])"
        python.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$2\"\n")
        python.chmod(0o755)
        make(clone, "help")
        assert python.exists() == is_kept


def test_the_targets_are_listed_without_what_only_gnu_has(bare: Path, tmp_path: Path) -> None:
    """BSD's sed, for one, writes t where GNU's writes a tab."""
    sed = tmp_path / "sed"
    sed.write_text("#!/bin/sh\nexit 1\n")
    sed.chmod(0o755)
    listed = make(bare, "help", path=f"{tmp_path}{os.pathsep}{os.environ['PATH']}").splitlines()
    assert "help        list the targets" in listed
    assert "build       build the Lambda functions from template.yaml" in listed
    assert len(listed) == len(re.findall("^[a-z]+:.*##", (ROOT / "Makefile").read_text(), re.M))
