"""What photographs say of themselves: too long, or without sense."""

from __future__ import annotations

import io
import struct
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from deepcolor.encoding import Credit, Writing, encode
from deepcolor.exif import MOST_BYTES
from deepcolor.photograph import decode
from tests.hostile import jail
from tests.hostile.samples import CAMERA_IFD, FORMATS, MAKER, landscape, notes, profile, samples

USERS_COMMENT = 0x9286
TEN_MEGABYTES = 10_000_000


def long_notes(length: int) -> bytes:
    exif = notes()
    exif.get_ifd(CAMERA_IFD)[USERS_COMMENT] = b"m" * length
    return exif.tobytes()


SENSELESS: list[tuple[str, dict[str, Any]]] = [
    ("ten megabytes of EXIF", {"exif": long_notes(TEN_MEGABYTES)}),
    ("ten megabytes of no EXIF", {"exif": b"Exif\0\0MM\0*\0\0\0\x08" + b"\xff" * TEN_MEGABYTES}),
    ("an IFD that is its own next", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\x08"}),
    ("ten megabytes of XMP", {"xmp": b"<x>" + b"y" * TEN_MEGABYTES}),
    ("ten megabytes of profile", {"icc_profile": b"nonsense" * (TEN_MEGABYTES // 8)}),
    ("a profile that breaks off", {"icc_profile": profile()[:200]}),
    ("a profile of ones", {"icc_profile": profile()[:132] + b"\xff" * 400}),
    ("a profile that says CMYK", {"icc_profile": profile().replace(b"RGB ", b"CMYK")}),
    ("an orientation of 99", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\x63\0\0"}),
]


def in_many_segments(exif: bytes) -> bytes:
    """A JPEG takes notes of any length in segments of 64 KB."""
    body = exif.removeprefix(b"Exif\0\0")
    parts = (b"Exif\0\0" + body[at : at + 65_000] for at in range(0, len(body), 65_000))
    segments = (b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts)
    out = io.BytesIO()
    landscape().save(out, "JPEG")
    return out.getvalue()[:2] + b"".join(segments) + out.getvalue()[2:]


def senseless() -> Iterator[tuple[str, bytes]]:
    samples("HEIF")  # so that Pillow can write it
    for name, options in SENSELESS:
        for file_format in FORMATS:
            longest = max(map(len, options.values()))
            if file_format == "JPEG" and longest > 65_000 and "icc_profile" not in options:
                continue  # Pillow does not write it
            out = io.BytesIO()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of which Pillow warns while it writes them
                landscape("RGB").save(out, file_format, **options)
            yield f"{file_format}: {name}", out.getvalue()
    yield "JPEG: ten megabytes of EXIF", in_many_segments(long_notes(TEN_MEGABYTES))


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")
def test_senseless_notes_cost_little_and_rarely_the_photograph() -> None:
    report = jail.decode_all(senseless(), max_pixels=1_000_000, memory_mebibytes=1024)
    print(report)
    assert report.is_clean, report
    # Pillow unpacks no profile of a PNG that is longer than a megabyte.
    assert report.outcomes == {"result": report.files - 1, "damaged_photograph": 1}, report
    assert report.peak_mebibytes < 256


@pytest.mark.parametrize("length", [10, MOST_BYTES - 1000, MOST_BYTES + 1, 1_000_000])
def test_notes_that_no_result_could_hold_are_left_behind(length: int) -> None:
    samples("HEIF")
    out = io.BytesIO()
    landscape().save(out, "HEIF", exif=long_notes(length))
    for original in (decode(out.getvalue()), decode(in_many_segments(long_notes(length)))):
        colored = original.pixels.convert("RGB")
        content, _ = encode(colored, original, Credit("nobody", "0" * 64), Writing("jpeg"))
        with Image.open(io.BytesIO(content)) as result:
            kept = result.getexif()
            camera = kept.get_ifd(CAMERA_IFD)
        assert (USERS_COMMENT in camera) == (length < MOST_BYTES)
        assert kept[MAKER] == "A camera"
        assert "deepcolor" in kept[0x0131]
