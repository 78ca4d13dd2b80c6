"""The formats that results may be asked for, and the suffixes of files.

Nothing heavy: the command line reads this first.
"""

from pathlib import Path
from typing import Literal, get_args

Format = Literal["keep", "jpeg", "png", "webp", "tiff", "avif"]

FORMATS: tuple[Format, ...] = get_args(Format)

WRITTEN_SUFFIX = {
    ".bmp": ".png",
    ".gif": ".png",
    ".heic": ".jpg",
    ".heif": ".jpg",
    ".jfif": ".jpg",
    ".jpe": ".jpg",
}
"""What becomes of the suffixes that are not written."""

FORMAT_OF_SUFFIX: dict[str, Format] = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".png": "png",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".avif": "avif",
}
SUFFIX_OF_FORMAT = {
    "jpeg": ".jpg",
    "png": ".png",
    "webp": ".webp",
    "tiff": ".tif",
    "avif": ".avif",
}

READABLE = frozenset({*FORMAT_OF_SUFFIX, *WRITTEN_SUFFIX})
"""Suffixes of the formats deepcolor reads."""


def renamed(path: Path, suffix: str = "") -> Path:
    """With another suffix, or none, instead of one that names a format."""
    return path.with_name(split_suffix(path)[0] + suffix)


def split_suffix(path: Path) -> tuple[str, str]:
    """A file's name and its suffix if that names a format; any other belongs to the name."""
    if path.suffix.lower() in READABLE:
        return path.stem, path.suffix
    return path.name, ""
