"""Photographs as they come: formats, orientation, depth, color profiles, all made one kind."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from deepcolor import exif, xmp
from deepcolor.defaults import MOST_PIXELS
from deepcolor.errors import (
    AddressError,
    DamagedPhotographError,
    DeepcolorError,
    HeicNotReadError,
    InputKindError,
    NotAPhotographError,
    TiffKindError,
    TiffPlanesError,
    TooManyPixelsError,
    UnreadableFileError,
    reason,
)
from deepcolor.formats import READ_AS
from deepcolor.profiles import deep_in_srgb, in_srgb
from deepcolor.quiet import QUIET_PILLOW

Named = str | os.PathLike[str] | IO[bytes]
"""A file by its path, or open for reading."""
Content = bytes | bytearray | memoryview
Input = Named | Content | Image.Image | NDArray[np.uint8]

STRIP_PIXELS = 1 << 18  # that are looked at at a time

TIFF_BITS, TIFF_COMPRESSION, TIFF_PHOTOMETRIC = 258, 259, 262
TIFF_RESOLUTION, TIFF_PLANES, TIFF_SAMPLE_FORMAT = 282, 284, 339
NOT_COMPRESSED, WHITE_IS_ZERO, APART, UNSIGNED = 1, 0, 2, 1
TIFF_KIND_OF_PAGE, SMALLER = 254, 1  # a bit of it: a smaller copy of another page

TIFF_BEGINNINGS = frozenset({b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"})
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


@dataclass(frozen=True)
class Reading:
    """What is read: nothing larger than ``max_pixels``, GPS only if it is to be kept."""

    max_pixels: int = MOST_PIXELS
    keep_gps: bool = False


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph, upright and in sRGB.

    ``pixels`` is an 8-bit image of mode ``L`` or ``RGB``, ``deep`` the same as (H, W) of uint16
    where a gray scan has sixteen bits, ``alpha`` an image of mode ``L`` or ``None``, ``format``
    Pillow's name of what it was read from (``None`` for pixels that came as such), ``exif`` the
    camera's notes without orientation, ``dpi`` the pixels an inch across and down, if it tells,
    ``xmp`` the properties that people wrote.
    """

    pixels: Image.Image
    deep: NDArray[np.uint16] | None
    alpha: Image.Image | None
    format: str | None
    exif: Image.Exif
    dpi: tuple[float, float] | None
    xmp: tuple[Element, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.size


def decode(source: Input, reading: Reading | None = None) -> Photograph:
    """Reads a photograph from a path, an open file, bytes, a PIL image or an array.

    Arrays are (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8. Of a file with several pages or
    frames, the first is read. Raises :class:`deepcolor.errors.InputKindError`,
    ``UnreadableFileError``, ``NotAPhotographError``, ``TooManyPixelsError`` and
    ``DamagedPhotographError``.
    """
    reading = reading or Reading()
    if isinstance(source, Image.Image):
        with _parsing("The image"):
            return _normalize(source, "The image", reading)
    if isinstance(source, np.ndarray):
        return _normalize(_image(source), "The array", reading)
    if isinstance(source, Content):
        return _read(_content_of_buffer(source), "The file", reading)
    if isinstance(source, str | os.PathLike):
        return _read(_content(Path(os.fsdecode(source))), str(source), reading)
    return _read(_content_of_open(source), "The file", reading)


def held(source: Input) -> Input:
    """The same photograph for later, though whoever gave it may change or close it meanwhile.

    Raises :class:`deepcolor.errors.InputKindError` and ``UnreadableFileError``.
    """
    if isinstance(source, np.ndarray):
        return source.copy()
    if isinstance(source, Image.Image):
        with contextlib.suppress(Exception), QUIET_PILLOW:  # decode() says what is wrong with it
            source.load()
            # Another frame takes the place of this one's pixels.
            return source.copy() if getattr(source, "n_frames", 1) > 1 else source
        return source
    if isinstance(source, Content):
        return _content_of_buffer(source)
    return source if isinstance(source, str | os.PathLike) else _content_of_open(source)


def is_one(source: object) -> bool:
    """Whether that is a photograph itself, and no list of them."""
    if isinstance(source, np.ndarray):
        return source.ndim < 3 or (source.ndim == 3 and source.shape[2] in {1, 3, 4})
    single = isinstance(source, str | os.PathLike | Content | Image.Image)
    return single or hasattr(source, "read")


def format_of(path: Path) -> str | None:
    """Pillow's name of the format of a file, whatever its suffix; ``None`` for no photograph."""
    try:
        with QUIET_PILLOW, Image.open(path, formats=_openable()) as image:
            return image.format
    except Exception:  # as in _read, where decoding says what is wrong
        return None


def lightness_codes(photograph: Photograph) -> Image.Image | None:
    """The photograph as 8-bit gray if every pixel of it is gray, else ``None``."""
    pixels = photograph.pixels
    if pixels.mode == "L":
        return pixels
    rows = max(1, STRIP_PIXELS // pixels.width)
    for top in range(0, pixels.height, rows):
        strip = pixels.crop((0, top, pixels.width, min(top + rows, pixels.height)))
        red, green, blue = (channel.tobytes() for channel in strip.split())
        if not red == green == blue:
            return None
    return pixels.getchannel("G")


@functools.cache
def _openable() -> tuple[str, ...]:
    """The formats that this Pillow can open, with HEIC where pillow-heif is installed."""
    Image.init()  # else Pillow knows only a few of the formats by name
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(name for name in READ_AS if name in Image.OPEN)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # a name with a zero in it is a ValueError
        if address := AddressError.address(str(path)):
            raise AddressError(address) from error
        raise UnreadableFileError(str(path), reason(error)) from error


def _content_of_buffer(content: Content) -> bytes:
    try:
        return bytes(content)
    except ValueError as error:  # a view that was released
        raise UnreadableFileError("The file", str(error)) from error


def _content_of_open(file: Any) -> bytes:
    try:
        content = file.read() if hasattr(file, "read") else None
    except MemoryError:
        raise
    except Exception as error:  # closed, text, cut off: whatever what it reads through raises
        raise UnreadableFileError("The file", str(error)) from error
    if not isinstance(content, bytes):
        raise InputKindError(type(file).__name__)
    return content


def _image(pixels: NDArray[Any]) -> Image.Image:
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    is_flat = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in {3, 4})
    if not is_flat or pixels.dtype != np.uint8:
        raise InputKindError(f"array {pixels.shape} of {pixels.dtype}")
    return Image.fromarray(pixels)


def _read(content: bytes, name: str, reading: Reading) -> Photograph:
    with _parsing(name):
        try:
            image = Image.open(io.BytesIO(content), formats=_openable())
        except UnidentifiedImageError as error:
            raise _not_opened(content, name) from error
        with image:
            return _normalize(image, name, reading)


@contextlib.contextmanager
def _parsing(name: str) -> Iterator[None]:
    """Raises :class:`DamagedPhotographError` for what Pillow stumbles over."""
    try:
        with QUIET_PILLOW:
            yield
    except (DeepcolorError, MemoryError):
        raise
    except Exception as error:  # Pillow raises whatever its parsers of damaged files run into
        told = " ".join(str(error).split()) or type(error).__name__
        raise DamagedPhotographError(name, told) from error


def _not_opened(content: bytes, name: str) -> DeepcolorError:
    """Why Pillow knows nothing of a file."""
    is_heic = content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS
    if is_heic and "HEIF" not in _openable():
        return HeicNotReadError(name)
    return TiffKindError(name) if content[:4] in TIFF_BEGINNINGS else NotAPhotographError(name)


def _normalize(image: Image.Image, name: str, reading: Reading) -> Photograph:
    _pass_over_thumbnails(image, name)
    width, height = image.size
    if width * height > reading.max_pixels:
        raise TooManyPixelsError(name, width, height, reading.max_pixels)
    if not width * height:
        raise DamagedPhotographError(name, "it has no pixels")
    if _is_misread(image):
        raise TiffPlanesError(name)
    read_as = image.format
    # Before it is loaded, for Pillow then turns TIFFs by itself and says no more of it.
    orientation = exif.orientation(image)
    is_turned, is_laid_down = orientation in range(2, 9), orientation in range(5, 9)
    image.load()
    profile = image.info.get("icc_profile")
    # Pillow would copy what is upright, and what is in its mode already.
    upright = ImageOps.exif_transpose(image) if is_turned else image
    deep = alpha = None
    if upright.mode.startswith("I;16"):
        deep = _sixteen_bit(np.asarray(upright).astype(np.uint16), image)
        deep = ~deep if _is_negative(image) else deep
        if (transparent := image.info.get("transparency")) is not None:
            alpha = Image.fromarray(np.where(deep == transparent, 0, 255).astype(np.uint8))
    elif upright.mode == "I":
        deep = _of_integers(np.asarray(upright), unsigned=_is_unsigned(image))
    elif upright.mode == "F":
        deep = _of_floats(np.asarray(upright))
    if deep is not None:
        deep = deep_in_srgb(deep, profile)
        upright, profile = _rounded(deep.astype(np.float32) / 257), None
    if upright.mode == "La":  # of which Pillow makes nothing else
        upright = upright.convert("LA")
    if upright.has_transparency_data:
        gray = upright.mode in {"1", "L", "LA"}
        upright = upright.convert("RGBA")
        alpha = upright.getchannel("A")
        upright = upright.getchannel("G") if gray else upright.convert("RGB")
    camera = exif.kept(image, keep_gps=reading.keep_gps, is_laid_down=is_laid_down)
    dpi = _sensible_dpi(image.info.get("dpi")) if _tells_resolution(image) else None
    if dpi is not None and is_laid_down:
        dpi = dpi[::-1]
    notes = xmp.kept(image, keep_gps=reading.keep_gps, is_turned=is_turned)
    return Photograph(in_srgb(upright, profile), deep, alpha, read_as, camera, dpi, notes)


def _pass_over_thumbnails(image: Image.Image, name: str) -> None:
    """Goes on to the first page of a TIFF that is no smaller copy of another.

    Raises :class:`TiffKindError` where all are, as in cameras' raw files.
    """
    while isinstance(kind := _tiff_tag(image, TIFF_KIND_OF_PAGE), int) and kind & SMALLER:
        try:
            image.seek(image.tell() + 1)
        except EOFError as error:
            raise TiffKindError(name) from error


def _sixteen_bit(codes: NDArray[np.uint16], image: Image.Image) -> NDArray[np.uint16]:
    """Pillow takes scans of twelve bits for dark ones of sixteen."""
    if _tiff_tag(image, TIFF_BITS) == 12:
        return (codes << 4 | codes >> 8).astype(np.uint16)
    return codes


def _is_misread(image: Image.Image) -> bool:
    """Whether Pillow takes sixteen bits of colors that lie apart for eight, without a word."""
    return (
        _tiff_tag(image, TIFF_PLANES) == APART
        and _tiff_tag(image, TIFF_BITS) == 16
        and _tiff_tag(image, TIFF_COMPRESSION) == NOT_COMPRESSED
    )


def _tells_resolution(image: Image.Image) -> bool:
    """Pillow gives a TIFF that tells none one of a single pixel an inch."""
    return not isinstance(image, TiffImageFile) or _tiff_tag(image, TIFF_RESOLUTION) is not None


def _is_negative(image: Image.Image) -> bool:
    """Whether white is zero: Pillow turns such TIFFs of eight bits round, not of sixteen."""
    return _tiff_tag(image, TIFF_PHOTOMETRIC) == WHITE_IS_ZERO


def _is_unsigned(image: Image.Image) -> bool:
    """Whether negative numbers are large ones: Pillow reads all integers of a TIFF as signed."""
    return isinstance(image, TiffImageFile) and _tiff_tag(image, TIFF_SAMPLE_FORMAT) in {
        None,
        UNSIGNED,
    }


def _tiff_tag(image: Image.Image, tag: int) -> object:
    """The value of a tag, the first if there are several; ``None`` if there is none."""
    value = image.tag_v2.get(tag) if isinstance(image, TiffImageFile) else None
    return value[0] if isinstance(value, tuple) and value else value


def _sensible_dpi(dpi: Any) -> tuple[float, float] | None:
    """Pixels an inch across and down, if they are numbers that every format can hold."""
    try:
        across, down = (float(value) for value in dpi)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return (across, down) if all(1 <= value <= 65_535 for value in (across, down)) else None


def _of_integers(values: NDArray[np.int32], *, unsigned: bool) -> NDArray[np.uint16]:
    """Codes of sixteen bits; where some are larger than these, the largest is white."""
    large = (values.view(np.uint32) if unsigned else values).astype(np.float64)
    return _codes(large, max(65_535, large.max(initial=0)))


def _of_floats(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Codes of sixteen bits. White is 1, 255 or 65,535, whichever is nearest, by its logarithm, to
    what 99 of 100 pixels do not exceed: single ones overshoot where it was sharpened or resized.
    """
    values = np.nan_to_num(values, posinf=0)
    brightest = np.quantile(values, 0.99) if values.size else 0
    white = 1 if brightest <= 255**0.5 else 255 if brightest <= (255 * 65_535) ** 0.5 else 65_535
    return _codes(values, white)


def _codes(values: NDArray[Any], white: float) -> NDArray[np.uint16]:
    """Scaled in place, for a large photograph's are many."""
    values *= 65_535 / white
    values += 0.5
    return np.clip(values, 0, 65_535, out=values).astype(np.uint16)


def _rounded(values: NDArray[Any]) -> Image.Image:
    """Mode ``L`` of numbers in 0…255."""
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))
