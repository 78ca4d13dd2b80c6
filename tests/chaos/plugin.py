"""Installs the package of :mod:`tests.chaos.perilous` into a folder, as pip would."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.chaos import perilous

ENTRY_POINTS = """[deepcolor.strategies]
perilous = perilous:Perilous
sealed = perilous:Sealed
"""


def install(folder: Path) -> dict[str, str]:
    """The environment in which the package is found."""
    shutil.copy(perilous.__file__, folder)
    (folder / "seal.bin").write_bytes(perilous.SEAL)
    info = folder / "perilous-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: perilous\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return {"PYTHONPATH": str(folder)}
