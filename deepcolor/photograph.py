"""Photographs as they come: formats, orientation, depth, color profiles, all made one kind."""

from __future__ import annotations

import contextlib
import functools
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
    UnreadableFileError,
)

Input = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
"""Pillow's names of the formats that are ever handed to a decoder."""

EXIF_ORIENTATION = 0x0112
EXIF_GPS = 0x8825
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
"""Not kept: orientation, which has been applied, GPS unless asked for, how a TIFF was stored."""

EXIF_MOST_BYTES = 60_000
"""A JPEG holds 65,533, deepcolor's own notes included."""

# Pillow's own warning comes at half of its limit; deepcolor sets its own, in decode().
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Reading:
    """What is read: nothing larger than ``max_pixels``, GPS only if it is to be kept."""

    max_pixels: int = 200_000_000
    keep_gps: bool = False


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph, upright and in sRGB.

    ``pixels`` is an 8-bit image of mode ``L`` or ``RGB``, ``deep`` the same as (H, W) of uint16
    where a gray scan has sixteen bits, ``alpha`` an image of mode ``L`` or ``None``, ``format``
    Pillow's name of what it was read from (``None`` for pixels that came as such), ``exif`` the
    camera's notes without orientation.
    """

    pixels: Image.Image
    deep: NDArray[np.uint16] | None
    alpha: Image.Image | None
    format: str | None
    exif: Image.Exif

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.size


def decode(source: Input, reading: Reading | None = None) -> Photograph:
    """Reads a photograph from a path, bytes, a PIL image or an array (H, W), (H, W, 3 or 4) uint8.

    Raises :class:`deepcolor.errors.UnreadableFileError`, ``NotAPhotographError``,
    ``TooManyPixelsError`` and ``DamagedPhotographError``.
    """
    reading = reading or Reading()
    if isinstance(source, Image.Image):
        return _normalize(source, "The image", reading)
    if isinstance(source, np.ndarray):
        return _normalize(Image.fromarray(source), "The array", reading)
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), "The file", reading)
    try:
        content = Path(source).read_bytes()
    except OSError as error:
        raise UnreadableFileError(str(source), error.strerror or str(error)) from error
    return _read(io.BytesIO(content), str(source), reading)


def format_of(path: Path) -> str | None:
    """Pillow's name of the format of a file, whatever its suffix; ``None`` for no photograph."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_openable()) as image:
                return image.format
    except Exception:  # as in _read, where decoding says what is wrong
        return None


def lightness_codes(photograph: Photograph) -> Image.Image | None:
    """The photograph as 8-bit gray if every pixel of it is gray, else ``None``."""
    if photograph.pixels.mode == "L":
        return photograph.pixels
    red, green, blue = photograph.pixels.split()
    if red.tobytes() == green.tobytes() == blue.tobytes():
        return green
    return None


@functools.cache
def _openable() -> tuple[str, ...]:
    """The formats that this Pillow can open, with HEIC where pillow-heif is installed."""
    Image.init()  # else Pillow knows only a few of the formats by name
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _read(file: IO[bytes], name: str, reading: Reading) -> Photograph:
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata in files whose pixels are fine.
            warnings.simplefilter("ignore")
            with Image.open(file, formats=_openable()) as image:
                return _normalize(image, name, reading)
    except (DeepcolorError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise NotAPhotographError(name) from error
    except Exception as error:  # Pillow raises whatever its parsers of damaged files run into
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DamagedPhotographError(name, reason) from error


def _normalize(image: Image.Image, name: str, reading: Reading) -> Photograph:
    width, height = image.size
    if width * height > reading.max_pixels:
        raise TooManyPixelsError(name, width, height, reading.max_pixels)
    if not width * height:
        raise DamagedPhotographError(name, "it has no pixels")
    read_as = image.format
    image.load()
    profile = image.info.get("icc_profile")
    # Pillow would copy what is upright, and what is in its mode already.
    upright = ImageOps.exif_transpose(image) if _is_turned(image) else image
    deep = np.asarray(upright).astype(np.uint16) if upright.mode.startswith("I;16") else None
    upright = _eight_bit(upright)
    alpha = None
    if upright.has_transparency_data:
        gray = upright.mode in {"1", "L", "LA"}
        upright = upright.convert("RGBA")
        alpha = upright.getchannel("A")
        upright = upright.getchannel("G") if gray else upright.convert("RGB")
    exif = _kept_exif(image, reading.keep_gps)
    return Photograph(_in_srgb(upright, profile), deep, alpha, read_as, exif)


def _is_turned(image: Image.Image) -> bool:
    return image.getexif().get(EXIF_ORIENTATION, 1) != 1


def _kept_exif(image: Image.Image, keep_gps: bool) -> Image.Exif:
    """A copy of the camera's notes; none where they make no sense or no result could hold them."""
    kept = EXIF_KEPT | {EXIF_GPS} if keep_gps else EXIF_KEPT
    exif = Image.Exif()
    try:
        exif.load(image.getexif().tobytes())
        for tag in exif.keys() - kept:
            del exif[tag]
        is_too_long = len(exif.tobytes()) > EXIF_MOST_BYTES
    except Exception:  # Pillow raises whatever its parser of damaged notes runs into
        return Image.Exif()
    return Image.Exif() if is_too_long else exif


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
    mode = "L" if image.mode in {"L", "1", "LA"} else "RGB"
    return image if image.mode == mode else image.convert(mode)


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
