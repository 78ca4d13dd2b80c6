"""Only the formats of the list ever meet a decoder, whatever a file is called or claims."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deepcolor.errors import DeepcolorError, NotAPhotographError
from deepcolor.formats import READ_AS, READABLE
from deepcolor.photograph import decode
from tests.hostile.samples import landscape, samples

BEGINNINGS = {
    "PSD": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 1, 8, 8, 8, 1),
    "FITS": b"SIMPLE  =                    T".ljust(80) + b"END".ljust(2800),
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
    "PCX": b"\x0a\5\1\x08" + struct.pack("<HHHH", 0, 0, 7, 7) + bytes(116),
    "ICNS": b"icns" + struct.pack(">I4sI", 24, b"ic08", 16) + bytes(8),
    "ICO": b"\0\0\1\0\1\0\x08\x08\0\0\1\0\x08\0" + struct.pack("<II", 64, 22) + bytes(64),
    "JPEG2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(64),
    "WMF": b"\xd7\xcd\xc6\x9a\0\0" + bytes(40),
    "DDS": b"DDS \x7c\0\0\0" + bytes(120),
    "TGA": b"\0\0\3" + bytes(9) + struct.pack("<HHBB", 8, 8, 8, 0) + bytes(64),
    "PPM": b"P5 8 8 255\n" + bytes(64),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "GRIB": b"GRIB\0\0\0\1" + bytes(64),
    "QOI": b"qoif" + struct.pack(">II", 8, 8) + b"\3\0" + bytes(64),
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/>",
    "PDF": b"%PDF-1.7\n1 0 obj",
    "ZIP": b"PK\3\4" + bytes(64),
    "MP4": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2mp41" + bytes(64),
    "ELF": b"\x7fELF\2\1\1" + bytes(64),
    "a Python pickle": b"\x80\4\x95" + bytes(64),
}


def strangers() -> Iterator[tuple[str, bytes]]:
    """Files of all that Pillow can write and deepcolor does not read, and what begins like more."""
    yield from BEGINNINGS.items()
    Image.init()
    for file_format in sorted(Image.SAVE.keys() - {*READ_AS, "MPO"}):
        for mode in ("RGB", "L", "1"):
            out = io.BytesIO()
            try:
                landscape(mode).save(out, file_format)
            except Exception:  # it takes no such mode, or no image at all
                continue
            yield f"{file_format} as written", out.getvalue()
            break


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the decoders that a file meets, in turn."""
    for file_format in READ_AS:
        decode(samples(file_format)[0])  # so that all decoders are there to be watched
    names: list[str] = []

    def watched(name: str, opener: Callable[..., Any]) -> Callable[..., Any]:
        def open_it(*arguments: Any) -> Any:
            names.append(name)
            return opener(*arguments)

        return open_it

    for name, (opener, accepts) in list(Image.OPEN.items()):
        monkeypatch.setitem(Image.OPEN, name, (watched(name, opener), accepts))
    return names


def test_strangers_under_a_photographs_name_meet_no_decoder(met: list[str], tmp_path: Path) -> None:
    tried = 0
    for name, content in strangers():
        for suffix in (".jpg", ".tif"):
            file = tmp_path / f"{tried}{suffix}"
            file.write_bytes(content)
            with pytest.raises(DeepcolorError) as caught:
                decode(file)
            assert isinstance(caught.value, NotAPhotographError), name
            tried += 1
    assert tried > 60
    assert set(met) <= set(READ_AS), met


def test_photographs_meet_their_own_decoder(met: list[str]) -> None:
    for file_format in READ_AS:
        met.clear()
        decode(samples(file_format)[0])
        assert met == [file_format]


@pytest.mark.parametrize("suffix", sorted(READABLE))
@pytest.mark.parametrize("file_format", ["JPEG", "GIF"])
def test_the_suffix_is_nothing_to_go_by(file_format: str, suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_bytes(samples(file_format)[0])
    assert decode(file).format == file_format
