"""Colored photographs as files: format, depth, profile, and the note that colors are guesses."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from deepcolor.errors import FormatLimitError
from deepcolor.formats import Format
from deepcolor.photograph import EXIF_CAMERA_IFD, Photograph
from deepcolor.version import __version__

KEPT = {"JPEG", "PNG", "WEBP", "TIFF", "AVIF"}
# What can't be kept: a GIF has too few colors, BMP is larger for nothing, few programs read HEIC.
INSTEAD = {"GIF": "PNG", "BMP": "PNG", "HEIF": "JPEG", "MPO": "JPEG", None: "PNG"}
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
}
DEFAULT_QUALITY = {"JPEG": 92, "WEBP": 90, "AVIF": 80}
LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 65_536}
DEEP = {"PNG", "TIFF"}
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

EXIF_DESCRIPTION = 0x010E
EXIF_SOFTWARE = 0x0131
TIFF_ICC_PROFILE = 34675


@dataclass(frozen=True)
class Writing:
    """How results are written; ``quality`` (1…100) is of the formats that lose something."""

    format: Format = "keep"
    quality: int | None = None


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


def written_format(read_as: str | None, wanted: Format) -> str:
    """Pillow's name of the format for a photograph that was read as ``read_as``."""
    if wanted != "keep":
        return wanted.upper()
    return read_as if read_as in KEPT else INSTEAD[read_as]


def encode(
    colored: Image.Image | NDArray[np.uint16],
    original: Photograph,
    credit: Credit,
    writing: Writing,
) -> tuple[bytes, str]:
    """The file's bytes, and Pillow's name of its format, of an ``RGB`` image or codes (H, W, 3).

    Sixteen-bit codes keep their depth in PNG and TIFF. Alpha is kept where the format can, the
    camera's notes everywhere but in sixteen-bit files. Raises :class:`FormatLimitError`.
    """
    written = written_format(original.format, writing.format)
    if max(original.size) > LONGEST_SIDE.get(written, math.inf):
        raise FormatLimitError(*original.size, written, LONGEST_SIDE[written])
    if not isinstance(colored, Image.Image):
        return _deep(colored, original, credit, written), written
    if original.alpha is not None and written != "JPEG":
        colored = colored.copy()
        colored.putalpha(original.alpha)
    exif = Image.Exif()
    exif.load(original.exif.tobytes())
    exif[EXIF_SOFTWARE] = credit.software
    exif[EXIF_DESCRIPTION] = credit.description
    options: dict[str, object] = {"icc_profile": SRGB_PROFILE, "exif": exif.tobytes()}
    if written in DEFAULT_QUALITY:
        options["quality"] = writing.quality or DEFAULT_QUALITY[written]
    if written == "TIFF" and EXIF_CAMERA_IFD not in exif:
        options["compression"] = "tiff_lzw"  # which Pillow can't write with these notes
    elif written == "PNG":
        options["compress_level"] = 4
    elif written == "AVIF":
        options["speed"] = 8
    out = io.BytesIO()
    colored.save(out, format=written, **options)
    return out.getvalue(), written


def _deep(pixels: NDArray[np.uint16], original: Photograph, credit: Credit, written: str) -> bytes:
    """Sixteen bits a channel, which Pillow can't write."""
    if original.alpha is not None:
        alpha = np.asarray(original.alpha).astype(np.uint16) * 257
        pixels = np.dstack((pixels, alpha))
    return (_deep_tiff if written == "TIFF" else _deep_png)(pixels, credit)


def _deep_tiff(pixels: NDArray[np.uint16], credit: Credit) -> bytes:
    import tifffile

    out = io.BytesIO()
    tifffile.imwrite(
        out,
        pixels,
        photometric="rgb",
        extrasamples=["unassalpha"] if pixels.shape[2] == 4 else None,
        compression="zlib",
        predictor=True,
        software=credit.software,
        description=credit.description,
        metadata=None,
        extratags=[(TIFF_ICC_PROFILE, 7, len(SRGB_PROFILE), SRGB_PROFILE, True)],
    )
    return out.getvalue()


def _deep_png(pixels: NDArray[np.uint16], credit: Credit) -> bytes:
    import png

    height, width, channels = pixels.shape
    writer = png.Writer(
        width, height, greyscale=False, alpha=channels == 4, bitdepth=16, compression=4
    )
    plain = io.BytesIO()
    writer.write(plain, pixels.reshape(height, width * channels))
    plain.seek(0)
    header, *rest = png.Reader(plain).chunks()
    notes = [(b"sRGB", b"\0"), *_png_notes(credit)]
    out = io.BytesIO()
    png.write_chunks(out, [header, *notes, *rest])
    return out.getvalue()


def _png_notes(credit: Credit) -> list[tuple[bytes, bytes]]:
    notes = {"Software": credit.software, "Description": credit.description}
    return [(b"tEXt", f"{name}\0{text}".encode("latin-1")) for name, text in notes.items()]
