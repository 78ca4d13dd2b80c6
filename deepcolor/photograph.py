"""Photographs as they come and as they go: decoding, orientation, color management, encoding."""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from deepcolor.errors import (
    DamagedPhotographError,
    DeepcolorError,
    NotAPhotographError,
    TooManyPixelsError,
)
from deepcolor.version import __version__

Input = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]

READABLE = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
"""Pillow's names of the formats that are ever handed to a decoder."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif"})
# A GIF has too few colors; BMP is written as the smaller PNG, in which nothing is lost either.
WRITTEN_AS = {"MPO": "JPEG", "GIF": "PNG", "BMP": "PNG"}
SAVE_OPTIONS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 92, "subsampling": "4:2:0"},
    "PNG": {"compress_level": 4},
    "WEBP": {"quality": 90, "method": 3},
    "TIFF": {"compression": "tiff_lzw"},
    "AVIF": {"quality": 80, "speed": 8},
}
MAX_PIXELS = 200_000_000
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

EXIF_SOFTWARE = 0x0131
EXIF_CAMERA_IFD = 0x8769
EXIF_KEPT = frozenset(
    {
        0x010E,  # description
        0x010F,  # camera's maker
        0x0110,  # camera
        0x011A,  # resolution across
        0x011B,  # resolution down
        0x0128,  # resolution's unit
        0x0132,  # date
        0x013B,  # artist
        0x8298,  # copyright
        EXIF_CAMERA_IFD,  # exposure, lens and the like
    }
)
"""Not kept: orientation, which has been applied, GPS, and how a TIFF was stored."""

# Pillow's own warning comes at half of its limit; deepcolor sets its own, in decode().
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph, upright and in sRGB.

    ``pixels`` is an 8-bit image of mode ``L`` or ``RGB``, ``alpha`` one of mode ``L`` and the same
    size or ``None``, ``format`` Pillow's name of what it was read from (``None`` for pixels that
    came as such), ``exif`` the camera's notes without orientation and GPS.
    """

    pixels: Image.Image
    alpha: Image.Image | None
    format: str | None
    exif: Image.Exif

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.size


def decode(source: Input) -> Photograph:
    """Reads a photograph from a path, bytes, a PIL image or an array (H, W), (H, W, 3 or 4) uint8.

    Raises :class:`FileNotFoundError` and its like for a path that can't be opened,
    :class:`NotAPhotographError`, :class:`TooManyPixelsError` and :class:`DamagedPhotographError`.
    """
    if isinstance(source, Image.Image):
        return _normalize(source, "The image")
    if isinstance(source, np.ndarray):
        return _normalize(Image.fromarray(source), "The array")
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), "The file")
    with Path(source).open("rb") as file:
        return _read(file, Path(source).name)


def encode(image: Image.Image, original: Photograph, strategy: str) -> tuple[bytes, str]:
    """The bytes and media type of a colored photograph, in the original's format where it can.

    The camera's notes are kept, and the software field says that the colors are simulated.
    """
    written = WRITTEN_AS.get(original.format or "PNG", original.format or "PNG")
    if written == "JPEG" and image.mode == "RGBA":
        image = image.convert("RGB")
    exif = original.exif
    exif[EXIF_SOFTWARE] = f"deepcolor {__version__} ({strategy}); colors are simulated"
    options = SAVE_OPTIONS[written]
    if written == "TIFF" and EXIF_CAMERA_IFD in exif:
        options = {}  # Pillow can't write these notes into a compressed TIFF.
    out = io.BytesIO()
    image.save(out, format=written, exif=exif.tobytes(), icc_profile=SRGB_PROFILE, **options)
    return out.getvalue(), Image.MIME[written]


def lightness_codes(photograph: Photograph) -> Image.Image | None:
    """The photograph as 8-bit gray if every pixel of it is gray, else ``None``."""
    if photograph.pixels.mode == "L":
        return photograph.pixels
    red, green, blue = photograph.pixels.split()
    if red.tobytes() == green.tobytes() == blue.tobytes():
        return green
    return None


def _read(file: IO[bytes], name: str) -> Photograph:
    Image.init()  # else Pillow knows only a few of the formats by name
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata in files whose pixels are fine.
            warnings.simplefilter("ignore")
            with Image.open(file, formats=READABLE) as image:
                return _normalize(image, name)
    except DeepcolorError:
        raise
    except UnidentifiedImageError as error:
        raise NotAPhotographError(name) from error
    except Exception as error:  # Pillow raises whatever its parsers of damaged files run into
        raise DamagedPhotographError(name, str(error) or type(error).__name__) from error


def _normalize(image: Image.Image, name: str) -> Photograph:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise TooManyPixelsError(name, width, height, MAX_PIXELS)
    if not width * height:
        raise DamagedPhotographError(name, "it has no pixels")
    read_as = image.format
    image.load()
    profile = image.info.get("icc_profile")
    upright = _eight_bit(ImageOps.exif_transpose(image))
    alpha = None
    if upright.has_transparency_data:
        gray = upright.mode in {"1", "L", "LA"}
        upright = upright.convert("RGBA")
        alpha = upright.getchannel("A")
        upright = upright.getchannel("G") if gray else upright.convert("RGB")
    return Photograph(_in_srgb(upright, profile), alpha, read_as, _kept_exif(image))


def _kept_exif(image: Image.Image) -> Image.Exif:
    """A copy of the camera's notes; none where they make no sense."""
    exif = Image.Exif()
    try:
        exif.load(image.getexif().tobytes())
        for tag in exif.keys() - EXIF_KEPT:
            del exif[tag]
        exif.tobytes()
    except Exception:  # Pillow raises whatever its parser of damaged notes runs into
        return Image.Exif()
    return exif


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Mode ``L`` or ``RGB`` in sRGB; a profile that makes no sense is passed over."""
    if image.mode == "P":
        image = image.convert("RGB")
    if profile and image.mode in {"L", "RGB", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
        else:
            assert converted is not None
            return converted.getchannel("G") if image.mode == "L" else converted
    if image.mode in {"L", "1", "LA"}:
        return image.convert("L")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Sixteen-bit and floating-point gray scaled to eight bits; other modes as they are."""
    if image.mode.startswith("I;16") or image.mode == "I":
        values = np.asarray(image).astype(np.float32) / 257
    elif image.mode == "F":
        values = np.nan_to_num(np.asarray(image))
        values = values * 255 if values.max(initial=0) <= 1 else values
    else:
        return image
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))
