"""Small honest files of every format, which the tests of hostile ones spoil."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageCms
from pillow_heif import register_heif_opener

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
SIZE = (64, 48)
ORIENTATION, MAKER, CAMERA_IFD, TAKEN = 0x0112, 0x010F, 0x8769, 0x9003

VARIANTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "JPEG": [
        ("L", {}),
        ("RGB", {"progressive": True}),
        ("CMYK", {"quality": 60}),
        ("RGB", {"format": "MPO", "save_all": True, "frames": 2}),
    ],
    "PNG": [
        ("L", {}),
        ("RGBA", {}),
        ("P", {}),
        ("1", {}),
        ("I;16", {}),
        ("L", {"save_all": True, "frames": 3}),
    ],
    "WEBP": [
        ("L", {}),
        ("RGBA", {"lossless": True}),
        ("RGB", {"save_all": True, "frames": 3, "duration": 40}),
    ],
    "TIFF": [
        ("L", {}),
        ("RGB", {"compression": "tiff_lzw"}),
        ("CMYK", {"compression": "tiff_adobe_deflate"}),
        ("RGB", {"compression": "jpeg"}),
        ("1", {"compression": "group4"}),
        ("I;16", {}),
        ("F", {"compression": "packbits"}),
        ("L", {"save_all": True, "frames": 3}),
    ],
    "BMP": [("L", {}), ("RGB", {}), ("P", {}), ("RGBA", {})],
    "GIF": [("L", {}), ("P", {"save_all": True, "frames": 3, "duration": 40})],
    "AVIF": [
        ("L", {"speed": 10}),
        ("RGBA", {"speed": 10}),
        ("RGB", {"speed": 10, "save_all": True, "frames": 2}),
        ("RGB", {"speed": 10, "bare": True}),
    ],
    "HEIF": [
        ("RGB", {"bare": True}),
        ("L", {}),
        ("RGBA", {}),
        ("RGB", {"save_all": True, "frames": 2}),
    ],
}
"""Mode and options of what is written in each format; bare ones are mostly pixels."""


@functools.cache
def samples(file_format: str) -> tuple[bytes, ...]:
    """Files of one format in all its variants, with the notes, profile and XMP that it can hold."""
    register_heif_opener()
    return tuple(_written(file_format, mode, options) for mode, options in VARIANTS[file_format])


def _written(file_format: str, mode: str, options: dict[str, Any]) -> bytes:
    options = {"format": file_format} | options
    bare = options.pop("bare", False)
    animated_avif = file_format == "AVIF" and "frames" in options  # an orientation ends libavif
    if not (bare or animated_avif or "compression" in options):  # nor can Pillow write these so
        options["exif"] = notes().tobytes()
    options |= (
        {"icc_profile": profile(), "xmp": b"<x:xmpmeta/>"} if mode != "1" and not bare else {}
    )
    if frames := options.pop("frames", 0):
        options["append_images"] = [landscape(mode).rotate(90 * i) for i in range(1, frames)]
    out = io.BytesIO()
    landscape(mode).save(out, **options)
    return out.getvalue()


def landscape(mode: str = "L") -> Image.Image:
    """A slope with some grain."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    grain = np.random.default_rng(1).normal(0, 12, y.shape)
    return Image.fromarray((2 * x + 2 * y + grain).clip(0, 255).astype(np.uint8)).convert(mode)


def notes() -> Image.Exif:
    """What a camera says that was held upright."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[MAKER] = "A camera"
    exif.get_ifd(CAMERA_IFD)[TAKEN] = "1938:05:01 12:00:00"
    return exif


@functools.cache
def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def png(
    width: int, height: int, rows: bytes, *, depth: int = 8, color: int = 0, extra: bytes = b""
) -> bytes:
    """A PNG of which only the checksums must be right; ``extra`` is chunks before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(rows, 9))
    end = png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + pixels + end


def png_chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def png_sealed(content: bytes) -> bytes:
    """The same with right checksums, as far as its chunks can be followed."""
    sealed, at = bytearray(content), 8
    while at + 12 <= len(sealed):
        end = at + 8 + int.from_bytes(sealed[at : at + 4], "big")
        if end + 4 > len(sealed):
            break
        sealed[end : end + 4] = struct.pack(">I", zlib.crc32(sealed[at + 4 : end]))
        at = end + 4
    return bytes(sealed)
