"""A folder as it is found in attics: 200 files of every kind, 20 of them broken."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import png
import pytest
from PIL import Image

FILES, BROKEN = 200, 20
ORIENTATION = 0x0112


def gray(seed: int) -> Image.Image:
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 8), np.uint8))
    return coarse.resize((64, 48), Image.Resampling.BICUBIC)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return saved(image, "JPEG", exif=exif)


def deep_png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    png.Writer(*image.size, greyscale=True, bitdepth=16).write(
        out, np.asarray(image).astype(np.uint16) * 257
    )
    return out.getvalue()


def deep_tiff(image: Image.Image) -> bytes:
    return saved(Image.fromarray(np.asarray(image).astype(np.uint16) * 257), "TIFF")


def sepia(image: Image.Image) -> Image.Image:
    return Image.merge("RGB", [image.point(lambda c, k=k: int(c * k)) for k in (1, 0.88, 0.7)])


def with_alpha(image: Image.Image) -> Image.Image:
    return Image.merge("LA", (image, image.point(lambda c: 255 - c)))


def animated(image: Image.Image) -> bytes:
    return saved(image, "GIF", save_all=True, append_images=[image.rotate(90)])


def heic(image: Image.Image) -> bytes:
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(image.convert("RGB")).save(out, format="HEIF")
    return out.getvalue()


GOOD: list[tuple[str, Callable[[Image.Image], bytes]]] = [
    (".jpg", lambda image: saved(image, "JPEG")),
    (".jpeg", lambda image: saved(sepia(image), "JPEG")),
    (".jpg", lambda image: saved(image.convert("CMYK"), "JPEG")),
    (".jpg", turned),
    (".png", lambda image: saved(image, "PNG")),
    (".png", lambda image: saved(image.convert("1"), "PNG")),
    (".png", lambda image: saved(image.convert("P"), "PNG")),
    (".png", lambda image: saved(with_alpha(image), "PNG")),
    (".png", deep_png),
    (".tif", lambda image: saved(image, "TIFF", compression="tiff_lzw")),
    (".tiff", deep_tiff),
    (".webp", lambda image: saved(image.convert("RGB"), "WEBP")),
    (".bmp", lambda image: saved(image, "BMP")),
    (".gif", animated),
    (".avif", lambda image: saved(image.convert("RGB"), "AVIF")),
    (".heic", heic),
    (".JPG", lambda image: saved(image.resize((1, 1)), "JPEG")),
    (".png", lambda image: saved(image.resize((4, 200)), "PNG")),
]
BAD: list[tuple[str, Callable[[Image.Image], bytes]]] = [
    (".jpg", lambda image: b""),
    (".jpg", lambda image: b"Dear diary, today no photographs were taken."),
    (".jpg", lambda image: saved(image, "JPEG")[:-200]),
    (".png", lambda image: saved(image, "PNG")[:60]),
    (".png", lambda image: b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
]


@pytest.fixture
def attic(tmp_path: Path) -> Path:
    """Files of all kinds in three folders, whose names repeat from folder to folder."""
    folder = tmp_path / "attic"
    for i in range(FILES):
        broken = i % (FILES // BROKEN) == 0
        kinds = BAD if broken else GOOD
        suffix, make = kinds[i // (FILES // BROKEN) % len(BAD) if broken else i % len(GOOD)]
        place = folder / ("", "1910", "1910/summer")[i % 3]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"photo {i // 3:02}{suffix}").write_bytes(make(gray(i)))
    (folder / "notes.txt").write_text("not a photograph, and not tried")
    (folder / ".hidden.jpg").write_bytes(b"")
    return folder


def test_the_good_are_colored_and_the_broken_named(attic: Path, tmp_path: Path) -> None:
    output = tmp_path / "colored"
    run = subprocess.run(
        [sys.executable, "-m", "deepcolor", "colorize", attic, "-o", output, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"DEEPCOLOR_OFFLINE": "1"},
    )
    assert run.returncode == 1, run.stderr
    assert "Traceback" not in run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(lines) == FILES
    assert len({line["input"] for line in lines}) == FILES
    failed = [line for line in lines if line["error"]]
    assert len(failed) == BROKEN
    for line in failed:
        assert line["error"]["code"] in {"not_a_photograph", "damaged_photograph"}
        assert line["error"]["message"].endswith(".")
        assert "\n" not in line["error"]["message"]
    results = {path for path in output.rglob("*") if path.is_file()}
    assert results == {Path(line["output"]) for line in lines if not line["error"]}
    assert len(results) == FILES - BROKEN
    for line in lines:
        if not line["error"]:
            with Image.open(line["output"]) as image:
                assert image.size == (line["width"], line["height"])
                assert image.mode in {"RGB", "RGBA"}
