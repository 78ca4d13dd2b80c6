"""The most memory that one photograph takes, in a process of its own.

``python -m benchmarks.memory hold|color PHOTOGRAPH`` prints it in megabytes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Section, Target, child_json, peak_megabytes
from benchmarks.photographs import jpeg, mosaic

GIBIBYTE = 1073.741824  # megabytes


def measure(quick: bool) -> Section:
    small, large = (1, 4) if quick else (12, 100)
    section = Section()
    with tempfile.TemporaryDirectory() as place:
        for megapixels in (small, large):
            path = Path(place) / f"{megapixels}.jpg"
            path.write_bytes(jpeg(mosaic(megapixels)))
            section.figures[f"{megapixels} MP, megabytes"] = {
                mode: child_json(["-m", "benchmarks.memory", mode, str(path)])
                for mode in ("hold", "color")
            }
    one, many = (section.figures[f"{n} MP, megabytes"] for n in (small, large))
    section.targets = [
        Target(
            f"peak memory, {small} MP / input, output and model", one["color"] / one["hold"], 1.3
        ),
        Target(f"peak memory, {large} MP", many["color"] / GIBIBYTE, 2, unit="GiB"),
    ]
    return section


def _hold(photograph: Path) -> None:
    """Loads the model, and holds the photograph and its color."""
    from PIL import Image

    from deepcolor import load

    colorizer = load("colornet", device="cpu")
    image = Image.open(photograph)
    image.load()
    colored = Image.new("RGB", image.size, (1, 2, 3))
    assert colorizer.card.name
    assert colored.size == image.size


def _color(photograph: Path) -> None:
    from deepcolor import load

    load("colornet", device="cpu").file(photograph)


if __name__ == "__main__":
    {"hold": _hold, "color": _color}[sys.argv[1]](Path(sys.argv[2]))
    print(peak_megabytes())
