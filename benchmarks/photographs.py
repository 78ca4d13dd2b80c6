"""Photographs to measure with: real ones at their own resolution, put together or cut out.

They are those of ``../shared/photos_bw`` where that folder is, else those of the docs.
"""

from __future__ import annotations

import functools
import io
import random
from pathlib import Path

from PIL import Image

from benchmarks.measure import ROOT

FOLDERS = (ROOT.parent / "shared" / "photos_bw", ROOT / "docs" / "pictures")
TILE = 320  # pixels; the smallest of the photographs is not much larger
QUALITY = 92
SMALL_SIDE = 512


@functools.cache
def originals() -> list[Image.Image]:
    """Gray photographs."""
    folder = next(folder for folder in FOLDERS if folder.is_dir())
    gray = [path for path in sorted(folder.glob("*.jpg")) if folder is FOLDERS[0] or _is_gray(path)]
    return [Image.open(path).convert("L") for path in gray]


def _is_gray(path: Path) -> bool:
    return path.name.endswith(".gray.jpg")


def source() -> str:
    return "shared photographs" if FOLDERS[0].is_dir() else "the docs' pictures"


def mosaic(megapixels: float) -> Image.Image:
    """A gray 4:3 photograph full of detail: squares of real ones side by side, none enlarged."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = round(megapixels * 1e6 / width)
    draw = random.Random(width)  # noqa: S311
    image = Image.new("L", (width, height))
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            image.paste(_square(draw, TILE), (left, top))
    return image


def _square(draw: random.Random, side: int) -> Image.Image:
    photograph = draw.choice(originals())
    left = draw.randrange(max(1, photograph.width - side))
    top = draw.randrange(max(1, photograph.height - side))
    return photograph.crop((left, top, left + side, top + side))


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def folder(place: Path, count: int) -> list[Path]:
    """JPEG files of 512 pixels on the longer side, each a view of its own of a real photograph."""
    draw = random.Random(count)  # noqa: S311
    place.mkdir(parents=True)
    paths = []
    for i in range(count):
        whole = originals()[i % len(originals())]
        share = draw.uniform(0.8, 1)
        width, height = round(whole.width * share), round(whole.height * share)
        left, top = draw.randint(0, whole.width - width), draw.randint(0, whole.height - height)
        scale = SMALL_SIDE / max(width, height)
        view = whole.resize(
            (round(width * scale), round(height * scale)),
            Image.Resampling.BICUBIC,
            (left, top, left + width, top + height),
        )
        paths.append(place / f"{i:03}.jpg")
        paths[-1].write_bytes(jpeg(view))
    return paths
