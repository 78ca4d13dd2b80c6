"""The wheel, with a C compiler and without, and what it is built from elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = "deepcolor/draw/draw.so"
FILES = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "NOTICE", "CHANGELOG.md")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What a wheel is built from, without what was compiled here."""
    copy = tmp_path / "source"
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(ROOT / "deepcolor", copy / "deepcolor", ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    return copy


def built(source: Path, compiler: str, target: str = "wheel") -> tuple[Path, str]:
    """The wheel, or the sdist, and what was said while it was built."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target],
        cwd=source,
        env=os.environ | {"CC": compiler},
        capture_output=True,
        text=True,
        check=True,
    )
    [path] = (source / "dist").iterdir()
    return path, done.stderr


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_a_compiler_makes_a_wheel_for_this_kind_of_machine(source: Path) -> None:
    wheel, _ = built(source, "cc")
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")
    assert LIBRARY in zipfile.ZipFile(wheel).namelist()


@pytest.mark.parametrize("compiler", ["no-such-compiler", "false"])
def test_without_one_the_wheel_is_for_all_machines(source: Path, compiler: str) -> None:
    wheel, said = built(source, compiler)
    assert wheel.name.endswith("-py3-none-any.whl")
    assert LIBRARY not in zipfile.ZipFile(wheel).namelist()
    assert "deepcolor will draw in NumPy" in said


def test_the_wheel_tells_what_it_runs_on_and_that_it_is_typed(source: Path) -> None:
    archive = zipfile.ZipFile(built(source, "false")[0])
    [path] = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(archive.read(path).decode())
    classifiers = set(metadata.get_all("Classifier", ()))
    assert classifiers >= {"Typing :: Typed", "Operating System :: POSIX :: Linux"}
    pythons = [int(minor) for minor in re.findall(r":: Python :: 3\.(\d+)", str(classifiers))]
    assert metadata["Requires-Python"] == f">=3.{min(pythons)}"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert not any(name.startswith("License ::") for name in classifiers), "PEP 639 forbids both"


def test_the_sdist_holds_the_package_and_what_builds_it(source: Path) -> None:
    for elsewhere in ("docs/deepcolor/photo.jpg", "web/README.md", "tests/deepcolor/test_lab.py"):
        (source / elsewhere).parent.mkdir(parents=True)
        (source / elsewhere).touch()
    sdist, _ = built(source, "cc", "sdist")
    with tarfile.open(sdist) as archive:
        held = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    assert {path.parts[0] for path in held} == {"deepcolor", "PKG-INFO", *FILES}
    assert Path("deepcolor/draw/draw.c") in held
