"""Small files that promise much: refused before a pixel is decoded, or colored within bounds."""

from __future__ import annotations

import io
import struct
import sys
from typing import Any

import pytest
from PIL import Image

import deepcolor
from deepcolor.errors import NotAPhotographError, TooManyPixelsError
from deepcolor.photograph import Reading, decode
from tests.hostile import jail
from tests.hostile.samples import (
    FORMATS,
    SIZE,
    landscape,
    notes,
    png,
    png_chunk,
    png_sealed,
    profile,
    samples,
)

MEMORY_MEBIBYTES = 4096
IDLE_MEBIBYTES = 64  # a process that refuses a file holds no more
MOST_BYTES_A_PIXEL = 32  # decoded, turned upright, converted and encoded, of all formats

linux = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")


def replaced(content: bytes, at: int, new: bytes) -> bytes:
    return content[:at] + new + content[at + len(new) :]


def boxed(content: bytes, width: int, height: int) -> bytes:
    """Of AVIF and HEIC, whose 'ispe' boxes tell the size."""
    at = content.index(b"ispe")
    while at >= 0:
        content = replaced(content, at + 8, struct.pack(">II", width, height))
        at = content.find(b"ispe", at + 1)
    return content


def promising(file_format: str, width: int, height: int) -> bytes:
    """A small file whose header tells of another size."""
    content = samples(file_format)[0]
    match file_format:
        case "JPEG":
            return replaced(
                content, content.index(b"\xff\xc0\0") + 5, struct.pack(">HH", height, width)
            )
        case "PNG":
            return png_sealed(replaced(content, 16, struct.pack(">II", width, height)))
        case "GIF":
            return replaced(content, 6, struct.pack("<HH", width, height))
        case "BMP":
            return replaced(content, 18, struct.pack("<ii", width, height))
        case "TIFF":
            told = zip((256, 257), SIZE, (width, height), strict=True)
            for tag, old, new in told:
                content = replaced(
                    content,
                    content.index(struct.pack("<HHII", tag, 4, 1, old)),
                    struct.pack("<HHII", tag, 4, 1, new),
                )
            return content
        case "WEBP":  # a moving one: the frames of a still one must fill its canvas
            moving = samples("WEBP")[2]
            canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
            return replaced(moving, moving.index(b"VP8X") + 12, canvas)
        case _:
            return boxed(content, width, height)


@linux
def test_headers_of_four_gigapixels_cost_nothing() -> None:
    files = [(name, promising(name, 65535, 65535)) for name in FORMATS]
    report = jail.decode_all(files, max_pixels=200_000_000, memory_mebibytes=60_000)
    print(report)
    assert report.is_clean, report
    assert "result" not in report.outcomes
    assert report.outcomes["too_many_pixels"] >= 6  # libavif and libheif have limits of their own
    assert report.peak_mebibytes < IDLE_MEBIBYTES


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_the_limit_counts_before_a_pixel_is_decoded(
    file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: Any) -> None:
        raise AssertionError("decoded before its size was looked at")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(TooManyPixelsError):
        decode(promising(file_format, 2000, 1000), Reading(max_pixels=1_000_000))


@linux
def test_what_is_larger_inside_than_it_says_is_not_unpacked() -> None:
    """HEIC and AVIF tell their size outside of the coded picture, too."""
    files = []
    for file_format in ("HEIF", "AVIF"):
        out = io.BytesIO()
        Image.new("L", (2048, 2048), 99).save(out, file_format, quality=10)
        files.append((file_format, boxed(out.getvalue(), *SIZE)))
    report = jail.decode_all(files, max_pixels=1_000_000, memory_mebibytes=MEMORY_MEBIBYTES)
    print(report)
    assert report.is_clean, report
    # libheif refuses; libavif decodes one frame, of at most 268 megapixels, and makes it smaller.
    assert report.outcomes == {"damaged_photograph": 1, "result": 1}
    assert report.peak_mebibytes < 128


def flat(file_format: str, mode: str, side: int = 1500, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (side, side)).save(out, file_format, **options)
    return out.getvalue()


def test_memory_is_a_multiple_of_the_pixels_whatever_is_asked() -> None:
    turned = {"exif": notes().tobytes(), "icc_profile": profile()}
    deflated = {"compression": "tiff_adobe_deflate"}
    files = [
        ("progressive JPEG", flat("JPEG", "CMYK", progressive=True, **turned)),
        ("turned JPEG", flat("JPEG", "RGB", **turned)),
        ("turned PNG", flat("PNG", "RGBA", **turned)),
        ("palette", flat("PNG", "P", **turned)),
        ("bilevel", flat("PNG", "1")),
        ("deep PNG", flat("PNG", "I;16")),
        ("floats", flat("TIFF", "F", **deflated)),
        ("integers", flat("TIFF", "I", **deflated)),
        ("CMYK", flat("TIFF", "CMYK", icc_profile=profile(), **deflated)),
        ("WebP", flat("WEBP", "RGBA", **turned)),
        ("GIF", flat("GIF", "P")),
        ("AVIF", flat("AVIF", "RGB", speed=10, **turned)),
        ("HEIC", flat("HEIF", "RGB", **turned)),
    ]
    if sys.platform != "linux":
        pytest.skip("the limits are Linux's")
    report = jail.decode_all(files, max_pixels=1500**2, memory_mebibytes=MEMORY_MEBIBYTES)
    print(report)
    assert report.outcomes == {"result": len(files)}, report
    assert report.peak_mebibytes < 45 + MOST_BYTES_A_PIXEL * 1500**2 / jail.MEBIBYTE


@linux
def test_only_the_first_of_two_hundred_frames_is_decoded() -> None:
    """A million pixels a frame, so that all of them would be 200 megabytes in the TIFF."""
    first, *others = [Image.new("L", (1000, 1000), 50 + i % 2) for i in range(200)]
    files = []
    for file_format in ("GIF", "PNG"):
        out = io.BytesIO()
        first.save(out, file_format, save_all=True, append_images=others[:19])
        files.append((file_format, out.getvalue()))
    out = io.BytesIO()
    first.save(out, "TIFF", save_all=True, append_images=others, compression="tiff_adobe_deflate")
    files.append(("TIFF", out.getvalue()))
    report = jail.decode_all(files, max_pixels=1_000_000, memory_mebibytes=1024)
    print(report)
    assert report.outcomes == {"result": 3}, report
    assert report.peak_mebibytes < 100


@linux
def test_what_is_packed_beside_the_pixels_is_not_unpacked_without_end() -> None:
    """Texts and profiles of PNG that would be 200 megabytes."""
    import zlib

    packed = zlib.compress(bytes(200_000_000), 1)
    rows = b"\0\x50" * 9
    files = [
        ("zTXt", png(1, 9, rows, extra=png_chunk(b"zTXt", b"a\0\0" + packed))),
        ("iTXt", png(1, 9, rows, extra=png_chunk(b"iTXt", b"a\0\1\0\0\0" + packed))),
        ("iCCP", png(1, 9, rows, extra=png_chunk(b"iCCP", b"a\0\0" + packed))),
        ("IDAT", png(1, 9, bytes(200_000_000))),
    ]
    report = jail.decode_all(files, max_pixels=1_000_000, memory_mebibytes=1024)
    print(report)
    assert report.is_clean, report
    assert report.peak_mebibytes < IDLE_MEBIBYTES


def test_a_drawing_that_unfolds_never_does() -> None:
    svg = b'<?xml version="1.0"?><!DOCTYPE lol [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>'
    svg += b'<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999">&b;</svg>'
    with pytest.raises(NotAPhotographError):
        decode(svg)


def test_a_photograph_with_something_else_behind_it_is_the_photograph() -> None:
    """Polyglots: a page, an archive or another picture after the end, which nobody reads."""
    for tail in (b"<script>alert(1)</script>", b"PK\3\4" + bytes(64), samples("PNG")[0], b"%PDF-1"):
        for file_format in ("JPEG", "PNG", "GIF", "BMP"):
            read = decode(samples(file_format)[0] + tail)
            assert sorted(read.size) == sorted(SIZE)
            assert read.format == file_format


def test_a_result_carries_nothing_of_what_was_hidden_in_the_original(
    colornet: deepcolor.Colorizer,
) -> None:
    hidden = b"<script>alert(document.domain)</script>"
    out = io.BytesIO()
    landscape().save(out, "JPEG", comment=hidden, xmp=hidden, icc_profile=profile() + hidden)
    content = colornet.file(out.getvalue() + hidden, {"size": 64}).content
    assert content.startswith(b"\xff\xd8")
    assert b"alert" not in content
