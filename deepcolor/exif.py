"""EXIF: which of the camera's notes go on to a result. (CIPA DC-008, Exif 2.32, section 4.6.)"""

from __future__ import annotations

import contextlib
from collections.abc import Set
from typing import Any

from PIL import Image

ORIENTATION = 0x0112
DESCRIPTION = 0x010E
SOFTWARE = 0x0131
GPS = 0x8825
CAMERA_IFD = 0x8769
IFDS = {CAMERA_IFD, GPS}
KEPT = frozenset(
    {
        0x010D,  # document's name
        DESCRIPTION,
        0x010F,  # camera's maker
        0x0110,  # camera
        0x011A,  # resolution across
        0x011B,  # resolution down
        0x0128,  # resolution's unit
        0x0132,  # date
        0x013B,  # artist
        0x4746,  # stars
        0x8298,  # copyright
        *range(0x9C9B, 0x9CA0),  # Windows' title, comment, author, keywords and subject
        CAMERA_IFD,  # exposure, lens and the like
    }
)
"""Not kept: orientation, which has been applied, GPS unless asked for, how a TIFF was stored."""
RESOLUTION = {0x011A: 0x011B, 0x011B: 0x011A}
"""Across and down, and what each is for a photograph that lay on its side."""
OF_PIXELS = frozenset({0xA001, 0xA002, 0xA003, 0xA005})
"""The camera's notes on its own pixels, their color space and size, which are not the result's."""
MAKERS_NOTE = 0x927C
"""What only the maker can read; some hold previews of what was cropped, and names of places."""

MOST_BYTES = 60_000
"""A JPEG holds 65,533, deepcolor's own notes included."""


def orientation(image: Image.Image) -> object:
    """How the pixels are to be turned: 1 to 8, if it is told and makes sense."""
    return image.getexif().get(ORIENTATION)


def copied(exif: Image.Exif) -> Image.Exif:
    """A copy to be changed. Its texts are bytes, for of others Pillow writes the ASCII only."""
    copy = Image.Exif()
    copy.load(exif.tobytes())
    for tag, value in exif.items():
        if isinstance(value, str):
            copy[tag] = value.encode("latin-1", "replace")  # as which Pillow has read them
        elif isinstance(value, bytes):
            copy[tag] = value
    return copy


def kept(image: Image.Image, *, keep_gps: bool, is_laid_down: bool) -> Image.Exif:
    """A copy of the camera's notes but for those that make no sense.

    ``is_laid_down`` says that rows of pixels will be columns: the resolutions across and down then
    change places. Where no result could hold them all, those on exposure and the like go first.
    """
    notes = _notes(image, KEPT | {GPS} if keep_gps else KEPT)
    if is_laid_down and RESOLUTION.keys() <= notes.keys():
        notes |= {tag: notes[other] for tag, other in RESOLUTION.items()}
    exif = _exif(notes)
    if not _can_be_written(exif):
        exif = _exif(_sensible(notes))
    if not _is_too_long(exif):
        return exif
    exif.pop(CAMERA_IFD, None)
    return Image.Exif() if _is_too_long(exif) else exif


def _notes(image: Image.Image, wanted: Set[int]) -> dict[int, Any]:
    """The values of tags, a dict for those that are directories; Pillow reads some when asked."""
    notes: dict[int, Any] = {}
    with contextlib.suppress(Exception):  # it raises whatever its parser of damaged notes runs into
        found = image.getexif()
        for tag in sorted(wanted & found.keys()):
            with contextlib.suppress(Exception):
                notes[tag] = found[tag] if tag not in IFDS else found.get_ifd(tag)
    left = OF_PIXELS | {MAKERS_NOTE}
    for tag in IFDS & notes.keys():
        notes[tag] = {each: notes[tag][each] for each in notes[tag].keys() - left}
    return {tag: value for tag, value in notes.items() if value != {}}


def _sensible(notes: dict[int, Any]) -> dict[int, Any]:
    """Those that can be written, each by itself."""
    notes = {
        tag: {
            each: one for each, one in value.items() if _can_be_written(_exif({tag: {each: one}}))
        }
        if isinstance(value, dict)
        else value
        for tag, value in notes.items()
    }
    return {tag: value for tag, value in notes.items() if _can_be_written(_exif({tag: value}))}


def _exif(notes: dict[int, Any]) -> Image.Exif:
    exif = Image.Exif()
    exif.update(notes)
    return exif


def _can_be_written(exif: Image.Exif) -> bool:
    try:
        exif.tobytes()
    except Exception:  # Pillow raises whatever it runs into with values of odd types
        return False
    return True


def _is_too_long(exif: Image.Exif) -> bool:
    return len(exif.tobytes()) > MOST_BYTES
