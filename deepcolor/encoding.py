"""Colored photographs as files: format, depth, profile, and the note that colors are guesses."""

from __future__ import annotations

import io
import math
import re
import struct
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from deepcolor import xmp
from deepcolor.errors import FormatLimitError, FormatNotWrittenError, QualityRangeError
from deepcolor.exif import DESCRIPTION, IFDS, SOFTWARE, copied
from deepcolor.formats import FORMATS, Format, written_format
from deepcolor.photograph import Photograph
from deepcolor.version import __version__

DEFAULT_QUALITY = {"JPEG": 92, "WEBP": 90, "AVIF": 80}
LOWEST_QUALITY, HIGHEST_QUALITY = 1, 100
LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 65_536}
DEEP = {"PNG", "TIFF"}
# Little CMS notes when it made the profile, which must not tell two results apart.
_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SRGB_PROFILE = _PROFILE[:24] + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + _PROFILE[36:]

TIFF_XMP, TIFF_ICC_PROFILE = 700, 34675
PNG_XMP = "XML:com.adobe.xmp"
INCH_IN_METERS = 0.0254

# Which say how the original's pixels lie.
_NOTES_OF_PROGRAMS = (b'{"', b"<?xml", b"<OME", b"ImageJ=")
_OLDER_CREDIT = re.compile(
    rb"Colors are simulated by deepcolor [^\n]*; the original is black and white\."
)


@dataclass(frozen=True)
class Writing:
    """How results are written; ``quality`` (1…100) is of the formats that lose something.

    ``instance`` names this file in its XMP: those of two names differ, though their colors don't.
    Raises :class:`FormatNotWrittenError` and :class:`QualityRangeError`.
    """

    format: Format = "keep"
    quality: int | None = None
    instance: str | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise FormatNotWrittenError(self.format, FORMATS)
        if self.quality is not None and not _is_quality(self.quality):
            raise QualityRangeError(self.quality, LOWEST_QUALITY, HIGHEST_QUALITY)


@dataclass(frozen=True)
class Credit:
    """Who guessed the colors, for the metadata of every file that is written."""

    strategy: str
    weights: str

    @property
    def software(self) -> str:
        return f"deepcolor {__version__} ({self.strategy}, weights {self.weights[:12]})"

    @property
    def description(self) -> str:
        return f"Colors are simulated by {self.software}; the original is black and white."

    def below(self, caption: bytes) -> bytes:
        """The photograph's caption with this credit in a line below it, instead of an older one."""
        if caption.startswith(_NOTES_OF_PROGRAMS):
            return self.description.encode()
        kept = _OLDER_CREDIT.sub(b"", caption.rstrip(b"\0")).strip()
        return b"\n".join(filter(None, (kept, self.description.encode())))


def encode(
    colored: Image.Image | NDArray[np.uint16],
    original: Photograph,
    credit: Credit,
    writing: Writing,
) -> tuple[bytes, str]:
    """The file's bytes, and Pillow's name of its format, of an ``RGB`` image or codes (H, W, 3).

    Sixteen-bit codes keep their depth in PNG and TIFF. Alpha is kept where the format can, the
    camera's notes everywhere but in sixteen-bit TIFFs, which keep caption and resolution, and what
    people wrote everywhere. Raises :class:`FormatLimitError`.
    """
    written = written_format(original.format, writing.format)
    if max(original.size) > LONGEST_SIDE.get(written, math.inf):
        raise FormatLimitError(*original.size, written, LONGEST_SIDE[written])
    exif = copied(original.exif)
    exif[SOFTWARE] = credit.software
    caption = exif.get(DESCRIPTION)
    exif[DESCRIPTION] = credit.below(caption if isinstance(caption, bytes) else b"")
    notes = xmp.packet(original.xmp, credit.software, credit.below, writing.instance)
    if not isinstance(colored, Image.Image):
        return _deep(colored, original, exif, notes, written), written
    if original.alpha is not None and written != "JPEG":
        colored = colored.copy()
        colored.putalpha(original.alpha)
    options: dict[str, Any] = {"icc_profile": SRGB_PROFILE, "exif": exif}
    if original.dpi is not None and written in {"JPEG", "PNG", "TIFF"}:
        options["dpi"] = original.dpi
    if written in DEFAULT_QUALITY:
        options["quality"] = int(writing.quality or DEFAULT_QUALITY[written])
    if written == "TIFF":
        exif[TIFF_XMP] = notes
        if not IFDS & exif.keys():
            options["compression"] = "tiff_lzw"  # which Pillow can't write with these notes
    elif written == "PNG":
        options["compress_level"] = 4
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt(PNG_XMP, notes.decode())
    else:
        options["xmp"] = notes
    if written == "AVIF":
        options["speed"] = 8
    out = io.BytesIO()
    colored.save(out, format=written, **options)
    return out.getvalue(), written


def _is_quality(value: Any) -> bool:
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    return is_whole and LOWEST_QUALITY <= value <= HIGHEST_QUALITY


def _deep(
    pixels: NDArray[np.uint16],
    original: Photograph,
    exif: Image.Exif,
    notes: bytes,
    written: str,
) -> bytes:
    """Sixteen bits a channel, which Pillow can't write."""
    if original.alpha is not None:
        alpha = np.asarray(original.alpha).astype(np.uint16) * 257
        pixels = np.dstack((pixels, alpha))
    write = _deep_tiff if written == "TIFF" else _deep_png
    return write(pixels, exif, notes, original.dpi)


def _deep_tiff(
    pixels: NDArray[np.uint16],
    exif: Image.Exif,
    notes: bytes,
    dpi: tuple[float, float] | None,
) -> bytes:
    import tifffile

    out = io.BytesIO()
    tifffile.imwrite(
        out,
        pixels,
        photometric="rgb",
        extrasamples=["unassalpha"] if pixels.shape[2] == 4 else None,
        compression="zlib",
        predictor=True,
        resolution=dpi,
        resolutionunit="inch" if dpi else None,
        software=exif[SOFTWARE],
        description=exif[DESCRIPTION],
        metadata=None,
        extratags=[
            (TIFF_ICC_PROFILE, 7, len(SRGB_PROFILE), SRGB_PROFILE, True),
            (TIFF_XMP, 1, len(notes), notes, True),
        ],
    )
    return out.getvalue()


def _deep_png(
    pixels: NDArray[np.uint16],
    exif: Image.Exif,
    notes: bytes,
    dpi: tuple[float, float] | None,
) -> bytes:
    import png

    height, width, channels = pixels.shape
    writer = png.Writer(
        width, height, greyscale=False, alpha=channels == 4, bitdepth=16, compression=4
    )
    plain = io.BytesIO()
    writer.write(plain, pixels.reshape(height, width * channels))
    plain.seek(0)
    header, *rest = png.Reader(plain).chunks()
    more = [
        (b"sRGB", b"\0"),
        (b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")),
        # Neither compressed nor in a language, nor is the keyword.
        (b"iTXt", PNG_XMP.encode() + b"\0" + b"\0\0" + b"\0" + b"\0" + notes),
    ]
    if dpi is not None:
        across, down = (round(value / INCH_IN_METERS) for value in dpi)
        more.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    out = io.BytesIO()
    png.write_chunks(out, [header, *more, *rest])
    return out.getvalue()
