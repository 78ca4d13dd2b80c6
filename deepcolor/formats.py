"""The formats that are read and written, and how files of them end.

Nothing heavy: the command line reads this first.
"""

from pathlib import Path
from typing import Literal, NamedTuple, get_args

Format = Literal["keep", "jpeg", "png", "webp", "tiff", "avif"]

FORMATS: tuple[Format, ...] = get_args(Format)
"""What results may be asked for."""


class Kind(NamedTuple):
    """What a format becomes, and how its files end, the usual suffix first.

    Those that end in one of ``others`` become files of the usual suffix of what is written.
    """

    becomes: str
    suffixes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


KINDS = {
    "JPEG": Kind("JPEG", (".jpg", ".jpeg"), others=(".jfif", ".jpe")),
    "PNG": Kind("PNG", (".png",)),
    "WEBP": Kind("WEBP", (".webp",)),
    "TIFF": Kind("TIFF", (".tif", ".tiff")),
    "BMP": Kind("PNG", others=(".bmp",)),  # which is larger for nothing
    "GIF": Kind("PNG", others=(".gif",)),  # which has too few colors
    "AVIF": Kind("AVIF", (".avif",)),
    "HEIF": Kind("JPEG", others=(".heic", ".heif")),  # which few programs read
    "MPO": Kind("JPEG"),  # as Pillow calls a JPEG of several pictures once it has opened it
}
"""The formats that are read, and those they are written in, by Pillow's names."""

READ_AS = tuple(name for name, (_, suffixes, others) in KINDS.items() if suffixes or others)
"""Pillow's names of the formats that are ever handed to a decoder."""

SUFFIXES = {name: kind.suffixes for name, kind in KINDS.items() if kind.suffixes}
"""What a written file may end in, the usual suffix first, by Pillow's name of its format."""

WRITTEN_SUFFIX = {
    suffix: SUFFIXES[kind.becomes][0] for kind in KINDS.values() for suffix in kind.others
}
"""What becomes of the suffixes that are not written."""

SUFFIX_OF_FORMAT: dict[Format, str] = {
    wanted: SUFFIXES[wanted.upper()][0] for wanted in FORMATS if wanted != "keep"
}
FORMAT_OF_SUFFIX: dict[str, Format] = {
    suffix: wanted for wanted in SUFFIX_OF_FORMAT for suffix in SUFFIXES[wanted.upper()]
}

READABLE = frozenset({*FORMAT_OF_SUFFIX, *WRITTEN_SUFFIX})
"""Suffixes of the formats deepcolor reads."""


def written_format(read_as: str | None, wanted: Format) -> str:
    """Pillow's name of the format for a photograph that was read as ``read_as``."""
    if wanted != "keep":
        return wanted.upper()
    return KINDS[read_as].becomes if read_as in KINDS else "PNG"


def renamed(path: Path, suffix: str = "") -> Path:
    """With another suffix, or none, instead of one that names a format."""
    return path.with_name(split_suffix(path)[0] + suffix)


def split_suffix(path: Path) -> tuple[str, str]:
    """A file's name and its suffix if that names a format; any other belongs to the name."""
    if path.suffix.lower() in READABLE:
        return path.stem, path.suffix
    return path.name, ""
