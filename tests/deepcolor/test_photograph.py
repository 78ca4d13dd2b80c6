from __future__ import annotations

import gzip
import io
import os
import re
import struct
import warnings
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms
from png import Writer

from deepcolor import photograph as room
from deepcolor.encoding import Credit, Writing
from deepcolor.encoding import encode as encode_pixels
from deepcolor.errors import (
    AddressError,
    DamagedPhotographError,
    DeepcolorError,
    HeicNotReadError,
    InputKindError,
    NotAPhotographError,
    TiffKindError,
    TooManyPixelsError,
    UnreadableFileError,
)
from deepcolor.photograph import Photograph, Reading, decode, lightness_codes
from deepcolor.version import __version__

MAKER, SOFTWARE, ORIENTATION, CAMERA_IFD, GPS = 0x010F, 0x0131, 0x0112, 0x8769, 0x8825
DESCRIPTION = 0x010E
TAKEN = 0x9003
WITH_NOTES = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"]


def encode(colored: Image.Image, original: Photograph, strategy: str) -> tuple[bytes, str]:
    """A file's bytes and media type."""
    pixels = colored.convert("RGB")
    content, written = encode_pixels(pixels, original, Credit(strategy, "0" * 64), Writing())
    return content, Image.MIME[written]


def written(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def codes(read: Photograph) -> NDArray[np.uint8]:
    return np.asarray(read.pixels)


def notes(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[MAKER] = "Leitz"
    exif[SOFTWARE] = "scanner 3"
    exif[ORIENTATION] = orientation
    exif.get_ifd(CAMERA_IFD)[TAKEN] = "1932:07:14 12:00:00"
    exif[GPS] = {1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 3.0)}
    return exif.tobytes()


def png(width: int, height: int, depth: int, color: int, rows: bytes, extra: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    if extra:
        chunks.insert(1, (extra[:4], extra[4:]))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.fixture(scope="module")
def corner() -> Image.Image:
    """6 wide, 4 high, with a light in the upper left."""
    image = Image.new("L", (6, 4), 0)
    image.putpixel((0, 0), 255)
    return image


# Orientation n: where the stored upper left corner belongs.
UPRIGHT = {
    1: ((6, 4), (0, 0)),
    2: ((6, 4), (5, 0)),
    3: ((6, 4), (5, 3)),
    4: ((6, 4), (0, 3)),
    5: ((4, 6), (0, 0)),
    6: ((4, 6), (3, 0)),
    7: ((4, 6), (3, 5)),
    8: ((4, 6), (0, 5)),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG"])
def test_orientation_is_applied_and_reset(
    corner: Image.Image, orientation: int, file_format: str
) -> None:
    size, light = UPRIGHT[orientation]
    options = {"quality": 100} if file_format == "JPEG" else {}
    read = decode(written(corner, file_format, exif=notes(orientation), **options))
    assert read.size == size
    y, x = np.unravel_index(codes(read).argmax(), codes(read).shape)
    assert (x, y) == light
    content, _ = encode(read.pixels.convert("RGB"), read, "colornet")
    assert opened(content).size == size
    assert opened(content).getexif().get(ORIENTATION, 1) == 1


@pytest.mark.parametrize("file_format", WITH_NOTES)
def test_camera_notes_stay_and_gps_goes(landscape: Image.Image, file_format: str) -> None:
    original = written(landscape, file_format, exif=notes())
    assert opened(original).getexif().get_ifd(GPS)
    read = decode(original)
    content, media_type = encode(read.pixels.convert("RGB"), read, "colornet")
    kept = opened(content).getexif()
    assert media_type == Image.MIME[file_format]
    assert kept[MAKER] == "Leitz"
    assert kept.get_ifd(CAMERA_IFD)[TAKEN] == "1932:07:14 12:00:00"
    assert GPS not in kept
    assert not kept.get_ifd(GPS)


def test_notes_on_the_cameras_own_pixels_and_the_makers_own_go(landscape: Image.Image) -> None:
    exif = Image.Exif()
    exif.load(notes())
    exif.get_ifd(CAMERA_IFD).update({0xA001: 65535, 0xA002: 640, 0xA003: 480})
    exif.get_ifd(CAMERA_IFD)[0x927C] = b"Maker's own: a preview, and 48.8584N 2.2945E"
    original = written(landscape, "JPEG", exif=exif)
    assert 0xA002 in opened(original).getexif().get_ifd(CAMERA_IFD)
    read = decode(original)
    kept = opened(encode(read.pixels, read, "colornet")[0]).getexif().get_ifd(CAMERA_IFD)
    assert kept.keys() == {TAKEN}


def test_a_tiff_that_tells_no_resolution_is_given_none(landscape: Image.Image) -> None:
    told = written(landscape, "TIFF", dpi=(300, 300))
    assert decode(told).dpi == (300, 300)
    assert decode(written(landscape, "TIFF")).dpi is None
    assert decode(opened(told)).dpi == (300, 300)


def test_gps_in_a_tiffs_xmp_goes_too(landscape: Image.Image) -> None:
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><exif:GPSLatitude>48,51N</exif:GPSLatitude>"
    read = decode(written(landscape, "TIFF", tiffinfo={700: xmp}))
    content, _ = encode(read.pixels.convert("RGB"), read, "colornet")
    assert b"GPSLatitude" not in content


@pytest.mark.parametrize("file_format", WITH_NOTES)
def test_the_result_says_that_its_colors_are_simulated(
    landscape: Image.Image, file_format: str
) -> None:
    read = decode(written(landscape, file_format, exif=notes()))
    content, _ = encode(read.pixels.convert("RGB"), read, "some-strategy")
    note = opened(content).getexif()[SOFTWARE]
    assert note == f"deepcolor {__version__} (some-strategy, weights 000000000000)"
    assert opened(content).getexif()[DESCRIPTION].startswith("Colors are simulated by deepcolor")
    assert "sRGB" in ImageCms.getProfileDescription(
        io.BytesIO(opened(content).info["icc_profile"])  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("JPEG", "JPEG"),
        ("PNG", "PNG"),
        ("WEBP", "WEBP"),
        ("TIFF", "TIFF"),
        ("AVIF", "AVIF"),
        ("BMP", "PNG"),
        ("GIF", "PNG"),
    ],
)
def test_formats_out_follow_formats_in(landscape: Image.Image, before: str, after: str) -> None:
    read = decode(written(landscape, before))
    assert np.abs(codes(read)[..., :].astype(int).mean() - np.asarray(landscape).mean()) < 2
    content, media_type = encode(Image.new("RGB", read.size, (200, 30, 30)), read, "x")
    result = opened(content)
    assert (result.format, result.size, media_type) == (after, (320, 240), Image.MIME[after])
    assert np.abs(np.asarray(result.convert("RGB"))[120, 160] - np.array((200, 30, 30))).max() < 8


def test_pixels_without_a_file_become_png(landscape: Image.Image) -> None:
    read = decode(np.asarray(landscape))
    assert read.format is None
    assert encode(read.pixels, read, "x")[1] == "image/png"


def test_two_photographs_in_one_jpeg_give_the_first(landscape: Image.Image) -> None:
    both = written(landscape, "MPO", save_all=True, append_images=[landscape.rotate(180)])
    read = decode(both)
    assert read.size == landscape.size
    assert np.abs(codes(read).astype(int) - np.asarray(landscape)).mean() < 5
    assert encode(read.pixels.convert("RGB"), read, "x")[1] == "image/jpeg"


MODES = {
    "1": 255,
    "L": 200,
    "RGB": (200, 200, 200),
    "CMYK": (0, 0, 0, 55),
    "YCbCr": (200, 128, 128),
    "I;16": 200 * 257,
    "I": 200 * 257,
    "F": 200 / 255,
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_gray_or_rgb_of_eight_bits(mode: str) -> None:
    read = decode(Image.new(mode, (5, 3), MODES[mode]))
    assert read.pixels.mode in {"L", "RGB"}
    assert np.abs(codes(read).astype(int) - (255 if mode == "1" else 200)).max() <= 1
    assert read.alpha is None


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_range(file_format: str) -> None:
    steps = np.arange(256, dtype=np.uint16) * 257
    read = decode(written(Image.fromarray(steps[None]), file_format))
    assert codes(read)[0].tolist() == list(range(256))


def test_sixteen_bits_with_a_transparent_gray_keep_their_range() -> None:
    rows = b"\0" + struct.pack(">HHH", 0, 100 * 257, 65535)
    read = decode(png(3, 1, 16, 0, rows, extra=b"tRNS" + struct.pack(">H", 0)))
    assert codes(read)[0].tolist() == [0, 100, 255]


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_read(mode: str) -> None:
    alpha = Image.linear_gradient("L").resize((8, 8))
    read = decode(Image.merge("LA", (Image.new("L", (8, 8), 77), alpha)).convert(mode))
    assert read.alpha is not None
    assert read.alpha.tobytes() == alpha.tobytes()
    assert (codes(read) == 77).all()


def test_a_transparent_gray_is_alpha() -> None:
    read = decode(png(2, 1, 8, 0, b"\0\x00\x4d", extra=b"tRNS\0\0"))
    assert read.alpha is not None
    assert np.asarray(read.alpha)[0].tolist() == [0, 255]
    assert codes(read)[0].tolist() == [0, 77]


def test_a_palette_is_looked_up() -> None:
    palette = Image.fromarray(np.array([[0, 1, 1]], np.uint8))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    read = decode(written(palette, "PNG"))
    assert codes(read)[0].tolist() == [[10, 20, 30], [200, 100, 50], [200, 100, 50]]


def test_alpha_goes_where_the_format_has_none() -> None:
    read = decode(written(Image.new("L", (4, 4), 77), "JPEG"))
    content, media_type = encode(Image.new("RGBA", (4, 4), (1, 2, 3, 4)), read, "x")
    assert (opened(content).mode, media_type) == ("RGB", "image/jpeg")


def linear_profile() -> bytes:
    """An RGB profile of the sRGB primaries with a linear curve, from sRGB's own."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for i in range(struct.unpack_from(">I", profile, 128)[0]):
        name, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * i)
        if name in {b"rTRC", b"gTRC", b"bTRC"}:
            # A 'para' curve of type 3 becomes type 0 with an exponent of 1.
            struct.pack_into(">4sIHHi", profile, offset, b"para", 0, 0, 0, 0x10000)
    return bytes(profile)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colors_are_converted_from_the_files_profile(mode: str) -> None:
    image = Image.new("RGB", (4, 4), (55, 55, 55))
    image = image.quantize() if mode == "P" else image.convert(mode)
    read = decode(written(image, "PNG", icc_profile=linear_profile()))
    # Linear 55/255 is sRGB code 128.
    assert np.abs(codes(read).astype(int) - 128).max() <= 1


def gray_profile(exponent: float) -> bytes:
    """A gray profile whose curve is a power of the code."""
    white = struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    curve = struct.pack(">4sIHHi", b"para", 0, 0, 0, round(exponent * 65536))
    tags = {b"wtpt": b"XYZ \0\0\0\0" + white, b"kTRC": curve}
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        begin = 132 + 12 * len(tags) + len(data)
        table += struct.pack(">4sII", name, begin, len(content))
        data += content.ljust(len(content) + -len(content) % 4, b"\0")
    head = struct.pack(">4sI4s4s4s", b"", 0x04300000, b"mntr", b"GRAY", b"XYZ ")
    head = head.ljust(32, b"\0") + b"acsp".ljust(28, b"\0") + struct.pack(">I", 0) + white
    whole = head.ljust(124, b"\0") + table + data
    return struct.pack(">I", len(whole) + 4) + whole


def test_sixteen_bits_are_converted_from_the_files_profile() -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for exponent in (1.0, 1.8):
        file = written(Image.fromarray(ramp), "TIFF", icc_profile=gray_profile(exponent))
        linear = (ramp / 65535) ** exponent
        right = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        read = decode(file)
        assert read.deep is not None
        assert np.abs(read.deep - right * 65535).max() < 32  # an eighth of an 8-bit code
        assert np.abs(codes(read) - right * 255).max() < 0.7


@pytest.mark.parametrize("exponent", [1.0, 1.8, 2.2])
def test_eight_bits_of_gray_are_converted_exactly(exponent: float) -> None:
    """In the shadows, too."""
    ramp = np.arange(256, dtype=np.uint8)[None]
    linear = (ramp / 255) ** exponent
    right = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    read = decode(written(Image.fromarray(ramp), "TIFF", icc_profile=gray_profile(exponent)))
    assert np.abs(codes(read) - right * 255).max() < 1


def test_sixteen_bits_with_a_profile_that_makes_no_sense() -> None:
    ramp = np.arange(0, 65536, 257, dtype=np.uint16)[None]
    read = decode(written(Image.fromarray(ramp), "TIFF", icc_profile=b"nonsense" * 30))
    assert read.deep is not None
    assert (read.deep == ramp).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_gray_with_a_profile_of_colors_is_converted(kind: Any) -> None:
    """As whoever makes a photograph gray leaves the file's profile in it."""
    of_eight = np.arange(256)[None]
    linear = of_eight / 255
    right = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    ramp = linear if kind is np.float32 else of_eight * (np.iinfo(kind).max // 255)
    content = tiff(ramp.astype(kind), photometric="minisblack", iccprofile=linear_profile())
    read = decode(content)
    assert np.abs(codes(read) - right * 255).max() <= 1
    assert (read.deep is None) == (kind is np.uint8)


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_where_white_is_zero(kind: type[np.unsignedinteger[Any]]) -> None:
    most = np.iinfo(kind).max
    read = decode(tiff(np.array([[0, most // 5, most]], kind), photometric="miniswhite"))
    assert codes(read)[0].tolist() == [255, 204, 0]
    if kind is np.uint16:
        assert read.deep is not None
        assert read.deep[0].tolist() == [65535, 65535 - 13107, 0]


def twelve_bits(values: Sequence[int]) -> bytes:
    """A TIFF of one row, two pixels in three bytes."""
    pairs = zip(values[::2], values[1::2], strict=True)
    packed = b"".join((first << 12 | second).to_bytes(3) for first, second in pairs)
    tags = {256: len(values), 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1}
    tags |= {279: len(packed)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    header = struct.pack("<2sHI", b"II", 42, 8 + len(packed))
    return header + packed + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_twelve_bits_keep_their_range() -> None:
    read = decode(twelve_bits([0, 1024, 2048, 4095]))
    assert read.deep is not None
    assert read.deep[0].tolist() == [0, 0x4004, 0x8008, 0xFFFF]
    assert codes(read)[0].tolist() == [0, 64, 128, 255]


@pytest.mark.parametrize("kind", [np.int32, np.uint32])
def test_integers_beyond_sixteen_bits(kind: type[np.integer[Any]]) -> None:
    most = np.iinfo(kind).max
    read = decode(tiff(np.array([[0, most // 5, most]], kind), photometric="minisblack"))
    assert codes(read)[0].tolist() == [0, 51, 255]
    small = decode(tiff(np.array([[0, 13107, 30_000]], kind), photometric="minisblack"))
    assert codes(small)[0].tolist() == [0, 51, 117]


def test_a_profile_that_makes_no_sense_is_passed_over() -> None:
    image = Image.new("L", (4, 4), 99)
    assert (codes(decode(written(image, "PNG", icc_profile=b"nonsense" * 30))) == 99).all()


def test_the_first_frame_of_several(landscape: Image.Image) -> None:
    frames = [landscape.point(lambda code: 255 - code)]
    read = decode(written(landscape, "GIF", save_all=True, append_images=frames))
    assert np.abs(codes(read)[..., 0].astype(int) - np.asarray(landscape)).mean() < 3


def test_paths_bytes_images_and_arrays_are_one(landscape: Image.Image, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(written(landscape, "PNG"))
    content = file.read_bytes()
    sources: list[Any] = [file, str(file), content, bytearray(content), memoryview(content)]
    sources += [io.BytesIO(content), landscape, np.asarray(landscape)]
    sources += [np.asarray(landscape)[..., None]]
    for source in sources:
        assert codes(decode(source)).tobytes() == landscape.tobytes()
    assert decode(np.asarray(landscape.convert("RGB"))).size == landscape.size


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (None, "NoneType"),
        (7, "int"),
        (io.StringIO("text"), "StringIO"),
        (np.zeros((4, 5, 3)), r"array \(4, 5, 3\) of float64"),
        (np.zeros((4, 5), np.int64), r"array \(4, 5\) of int64"),
        (np.zeros(5, np.uint8), r"array \(5,\) of uint8"),
        (np.zeros((), np.uint8), r"array \(\) of uint8"),
    ],
    ids=str,
)
def test_what_can_be_no_photograph(source: Any, kind: str) -> None:
    with pytest.raises(InputKindError, match=f"cannot be given as {kind}; give a path") as caught:
        decode(source)
    assert (caught.value.code, caught.value.exit_code) == ("input_kind", 2)


@pytest.mark.parametrize("address", ["https://example.org/a.jpg", "S3://bucket/a.png"])
def test_addresses_are_not_fetched(address: str) -> None:
    sentence = re.escape(f"{address} is an address, and")
    for given in (address, Path(address)):
        with pytest.raises(AddressError, match=f"^{sentence} .*; download it first") as caught:
            decode(given)
    assert (caught.value.code, caught.value.exit_code) == ("unreadable_file", 1)


def test_a_path_that_looks_like_an_address_is_one(
    landscape: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "https:" / "example.org").mkdir(parents=True)
    landscape.save(tmp_path / "https:/example.org/a.png")
    monkeypatch.chdir(tmp_path)
    assert decode("https://example.org/a.png").size == landscape.size


def test_heic_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_openable", lambda: ("JPEG", "PNG"))
    content = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)
    with pytest.raises(HeicNotReadError, match=r"is HEIC.*pip install pillow-heif\."):
        decode(content)


def test_the_callers_image_stays_as_it_was(corner: Image.Image) -> None:
    image = opened(written(corner, "PNG", exif=notes(6)))
    before = dict(image.getexif())
    read = decode(image)
    encode(read.pixels, read, "x")
    assert image.size == (6, 4)
    assert dict(image.getexif()) == before


def test_gray_in_three_channels_is_recognized(landscape: Image.Image) -> None:
    gray = lightness_codes(decode(landscape.convert("RGB")))
    assert gray is not None
    assert gray.tobytes() == landscape.tobytes()
    assert lightness_codes(decode(Image.new("RGB", (2, 2), (9, 9, 10)))) is None
    assert lightness_codes(decode(Image.new("RGB", (2, 2), (10, 9, 9)))) is None


@pytest.mark.parametrize("place", [(0, 0), (1023, 300), (5, 1023)])
def test_a_single_pixel_of_color_makes_a_photograph_one(place: tuple[int, int]) -> None:
    gray = Image.effect_noise((1024, 1024), 50).convert("RGB")
    assert lightness_codes(decode(gray)) is not None
    gray.putpixel(place, (1, 0, 0))
    assert lightness_codes(decode(gray)) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"a text, no picture\n" * 50, b"%PDF-1.7\n", b"<svg xmlns='x'/>", b"PK\3\4" * 9],
    ids=["empty", "a zero", "text", "pdf", "svg", "zip"],
)
def test_what_is_no_photograph(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "holiday.jpg"
    file.write_bytes(content)
    with pytest.raises(
        NotAPhotographError, match=r"^/.*/holiday\.jpg is not a photograph"
    ) as caught:
        decode(file)
    assert (caught.value.code, caught.value.exit_code) == ("not_a_photograph", 1)
    with pytest.raises(NotAPhotographError, match=r"^The file is not"):
        decode(content)


def test_a_tiff_of_a_kind_that_is_not_read() -> None:
    pixels = np.zeros((4, 6, 3), np.float32)
    with pytest.raises(NotAPhotographError, match=r"^The file begins like a TIFF, .* 8 or 16 bits"):
        decode(tiff(pixels, photometric="rgb"))


def test_a_tiff_that_pillow_would_misread_is_refused() -> None:
    gray = np.linspace(0, 65535, 30 * 40).astype(np.uint16).reshape(30, 40)
    planes = np.stack([gray, gray, gray])
    apart = {"photometric": "rgb", "planarconfig": "separate"}
    with pytest.raises(NotAPhotographError, match="plane by plane"):
        decode(tiff(planes, **apart))
    right = gray // 257
    for content in (
        tiff(planes, **apart, compression="zlib"),
        tiff(np.dstack(list(planes)), photometric="rgb"),
        tiff((planes // 257).astype(np.uint8), **apart),
    ):
        assert np.abs(codes(decode(content))[..., 1].astype(int) - right).max() <= 1


def test_gray_multiplied_by_its_alpha_is_divided_again() -> None:
    image = Image.new("LA", (4, 4), (200, 128)).convert("La")
    read = decode(image)
    assert read.alpha is not None
    assert read.alpha.getextrema() == (128, 128)
    assert abs(int(codes(read)[0, 0]) - 200) <= 1


def test_an_image_that_breaks_off(landscape: Image.Image) -> None:
    content = written(landscape, "JPEG")
    with pytest.raises(DamagedPhotographError, match=r"^The image is damaged"):
        decode(Image.open(io.BytesIO(content[: len(content) // 2])))
    closed = Image.open(io.BytesIO(content))
    closed.close()
    with pytest.raises(DamagedPhotographError):
        decode(closed)


@pytest.mark.parametrize("file_format", ["PPM", "TGA", "PCX", "ICO", "EPS"])
def test_formats_that_are_not_listed_meet_no_decoder(file_format: str) -> None:
    with pytest.raises(NotAPhotographError):
        decode(written(Image.new("RGB", (16, 16)), file_format))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "GIF"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_what_breaks_off(landscape: Image.Image, file_format: str, kept: float) -> None:
    content = written(landscape, file_format)
    with pytest.raises((DamagedPhotographError, NotAPhotographError)) as caught:
        decode(content[: int(len(content) * kept)])
    assert caught.value.exit_code == 1
    if kept == 0.9 and file_format in {"JPEG", "PNG", "BMP"}:
        assert caught.value.code == "damaged_photograph"
        assert "The file is damaged" in str(caught.value)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_flipped_bits_end_in_a_photograph_or_a_sentence(
    landscape: Image.Image, file_format: str
) -> None:
    content = written(landscape.resize((64, 48)), file_format, exif=notes(6))
    random = np.random.default_rng(7)
    for _ in range(150):
        broken = bytearray(content)
        for place in random.integers(0, min(len(broken), 900), random.integers(1, 9)):
            broken[place] = random.integers(0, 256)
        try:
            read = decode(bytes(broken))
            encode(read.pixels.convert("RGB"), read, "x")
        except DeepcolorError as error:
            assert "\n" not in str(error)  # noqa: PT017 (either outcome is right)


def test_a_renamed_file_is_read_by_what_it_is(landscape: Image.Image, tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(written(landscape, "PNG"))
    assert decode(file).format == "PNG"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = png(60_000, 60_000, 8, 0, b"")
    with pytest.raises(
        TooManyPixelsError, match=r"60000 x 60000 pixels.* 200 megapixels"
    ) as caught:
        decode(bomb)
    assert (caught.value.code, caught.value.exit_code) == ("too_many_pixels", 1)
    assert str(caught.value).endswith(
        "allow more: --max-megapixels on the command line, "
        "Colorizer.file(…, reading=deepcolor.Reading(max_pixels=…)) in Python."
    )


def test_the_limit_itself_is_allowed() -> None:
    assert decode(Image.new("L", (10, 10)), Reading(max_pixels=100)).size == (10, 10)
    with pytest.raises(TooManyPixelsError):
        decode(Image.new("L", (101, 1)), Reading(max_pixels=100))


def test_pictures_above_pillows_own_limit_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is there for whoever else opens pictures."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    file = io.BytesIO()
    Image.new("L", (100, 100)).save(file, "PNG")
    assert decode(file.getvalue()).size == (100, 100)
    assert Reading().max_pixels == 200_000_000
    assert Image.MAX_IMAGE_PIXELS == 40
    with pytest.raises(Image.DecompressionBombError):
        Image.open(file)


def test_no_pixels_at_all() -> None:
    with pytest.raises(DamagedPhotographError, match="no pixels"):
        decode(np.zeros((0, 5), np.uint8))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="No such file"):
        decode(tmp_path / "none.jpg")
    with pytest.raises(UnreadableFileError, match="Is a directory"):
        decode(tmp_path)
    with pytest.raises(UnreadableFileError, match="null byte"):
        decode("a\0b.jpg")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.touch(mode=0)
    with pytest.raises(UnreadableFileError, match="Permission denied"):
        decode(file)


def test_an_open_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with path.open("rb") as closed:
        pass
    with pytest.raises(UnreadableFileError, match="closed file"):
        decode(closed)
    with path.open(encoding="utf-8") as text, pytest.raises(UnreadableFileError, match="utf-8"):
        decode(text)  # type: ignore[arg-type]


def test_sixteen_bits_of_either_byte_order() -> None:
    ramp = (np.arange(256, dtype=np.uint16) * 257)[None]
    for order in ("<", ">"):
        read = decode(tiff(ramp.astype(f"{order}u2"), byteorder=order, photometric="minisblack"))
        assert read.deep is not None
        assert (read.deep == ramp).all()


def test_floating_point_gray_up_to_white() -> None:
    for white, middle in ((1.0, 0.4), (255.0, 102.0), (65535.0, 26214.0)):
        values = np.array([[0, middle, white, np.nan]], np.float32)
        assert codes(decode(tiff(values, photometric="minisblack")))[0].tolist() == [0, 102, 255, 0]


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_floating_point_gray_may_overshoot(white: float) -> None:
    """Where it was sharpened or resampled, up to every second pixel of a white sky."""
    values = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
    values[10:] = [1.02, 0.999] * 10
    values[0, 1] = np.inf
    read = decode(tiff(values * np.float32(white), photometric="minisblack"))
    seen = codes(read)
    assert seen[10:].min() >= 254
    assert np.abs(seen[1:10] - values[1:10] * 255).max() <= 1


@pytest.mark.parametrize("kind", [np.float32, np.uint32])
def test_deep_gray_is_converted_from_its_profile_at_its_depth(kind: Any) -> None:
    share = np.arange(4096)[None] / 4095
    right = np.where(share <= 0.0031308, 12.92 * share, 1.055 * share ** (1 / 2.4) - 0.055)
    values = share.astype(kind) if kind is np.float32 else (share * (2**32 - 1)).astype(kind)
    content = tiff(values, photometric="minisblack", iccprofile=gray_profile(1.0))
    read = decode(content)
    assert read.deep is not None
    assert np.abs(read.deep - right * 65535).max() < 64  # a quarter of an 8-bit code


def test_sixteen_bit_gray_with_a_transparent_color_keeps_its_alpha() -> None:
    ramp = np.arange(0, 65536, 257, dtype=np.uint16)[None]
    file = io.BytesIO()
    writer = Writer(256, 1, greyscale=True, bitdepth=16, transparent=257)
    writer.write(file, ramp.tolist())
    read = decode(file.getvalue())
    assert read.deep is not None
    assert (read.deep == ramp).all()
    assert read.alpha is not None
    assert np.flatnonzero(np.asarray(read.alpha) == 0).tolist() == [1]


def test_a_tiffs_thumbnail_is_not_taken_for_the_photograph() -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(np.zeros((4, 6), np.uint8), subfiletype=1, photometric="minisblack")
        writer.write(np.full((20, 30), 99, np.uint8), photometric="minisblack")
    read = decode(file.getvalue())
    assert read.size == (30, 20)
    assert (codes(read) == 99).all()
    with pytest.raises(TiffKindError, match="raw"):
        decode(tiff(np.zeros((4, 6), np.uint8), subfiletype=1, photometric="minisblack"))


@pytest.mark.parametrize(("orientation", "turned"), [(1, False), (3, False), (6, True), (8, True)])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_the_resolution_is_turned_with_the_photograph(
    landscape: Image.Image, file_format: str, orientation: int, turned: bool
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x0128] = orientation, 2
    exif[0x011A], exif[0x011B] = 300.0, 600.0
    read = decode(written(landscape, file_format, exif=exif, dpi=(300, 600)))
    result = opened(encode(read.pixels.convert("RGB"), read, "x")[0])
    across, down = (600, 300) if turned else (300, 600)
    assert [round(float(value)) for value in result.info["dpi"]] == [across, down]
    kept = result.getexif()
    assert (kept.get(0x011A, across), kept.get(0x011B, down)) == (across, down)


@pytest.mark.parametrize("file_format", WITH_NOTES)
def test_what_people_wrote_in_windows_stays(landscape: Image.Image, file_format: str) -> None:
    exif = Image.Exif()
    written_there = {
        tag: f"Großmutter {tag}\0".encode("utf-16-le") for tag in range(0x9C9B, 0x9CA0)
    }
    for tag, value in written_there.items():
        exif[tag] = value
    exif[0x4746], exif[0x010D] = 5, "Album 3"
    read = decode(written(landscape, file_format, exif=exif))
    kept = opened(encode(read.pixels, read, "x")[0]).getexif()
    assert {tag: bytes(kept[tag]) for tag in written_there} == written_there
    assert (kept[0x4746], kept[0x010D]) == (5, "Album 3")


def test_copyright_and_artist_stay() -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "Dorothea Lange", "Library of Congress"
    read = decode(written(Image.new("L", (9, 9), 90), "JPEG", exif=exif))
    kept = opened(encode(read.pixels, read, "x")[0]).getexif()
    assert (kept[0x013B], kept[0x8298]) == ("Dorothea Lange", "Library of Congress")


def oddly(tag: int, kind: int, value: bytes, gps: tuple[int, int, bytes] | None = None) -> bytes:
    """EXIF with a caption, a note of a kind that Pillow stumbles over, and another in GPS."""

    def directory(entries: list[tuple[int, int, int, bytes]], begin: int) -> bytes:
        head, data = struct.pack("<H", len(entries)), b""
        after = begin + 2 + 12 * len(entries) + 4
        for name, of_kind, count, content in sorted(entries):
            held = content.ljust(4, b"\0")
            if len(content) > 4:
                held = struct.pack("<I", after + len(data))
                data += content
            head += struct.pack("<HHI", name, of_kind, count) + held
        return head + struct.pack("<I", 0) + data

    caption = b"Grandma, 1910\0"
    entries = [(DESCRIPTION, 2, len(caption), caption), (tag, kind, len(value), value)]
    if gps is None:
        return b"Exif\0\0II*\0\x08\0\0\0" + directory(entries, 8)
    name, of_kind, content = gps
    entries.append((GPS, 4, 1, struct.pack("<I", 500)))
    whole = (b"II*\0\x08\0\0\0" + directory(entries, 8)).ljust(500, b"\0")
    return b"Exif\0\0" + whole + directory([(name, of_kind, len(content), content)], 500)


@pytest.mark.parametrize(
    "exif",
    [
        oddly(ORIENTATION, 1, b"\1"),
        oddly(0x011A, 2, b"300\0"),
        oddly(0x0128, 2, b"2\0"),
        oddly(MAKER, 2, b"Leitz\0", gps=(0, 2, b"2.2.0.0\0")),
    ],
    ids=["orientation", "resolution", "unit", "position"],
)
def test_a_note_of_an_odd_kind_costs_no_other(exif: bytes, landscape: Image.Image) -> None:
    read = decode(written(landscape, "JPEG", exif=exif), Reading(keep_gps=True))
    kept = opened(encode(read.pixels, read, "x")[0]).getexif()
    assert str(kept[DESCRIPTION]).startswith("Grandma, 1910\n")


def test_captions_stay_where_the_cameras_notes_are_too_long(landscape: Image.Image) -> None:
    def kept(**lengths: int) -> Image.Exif:
        exif = Image.Exif()
        exif[DESCRIPTION], exif[0x8298] = "Grandma", "(c) Ada"
        exif[CAMERA_IFD] = {TAKEN: "1932:07:14 12:00:00"} | {
            int(tag[1:]): b"x" * length for tag, length in lengths.items()
        }
        image = landscape.copy()
        image.getexif().load(exif.tobytes())
        read = decode(image)
        return opened(encode(read.pixels, read, "x")[0]).getexif()

    for notes in (kept(_37500=60_500), kept(_37500=60_500, _37510=100)):
        assert notes[0x8298] == "(c) Ada"
        assert str(notes[DESCRIPTION]).startswith("Grandma")
        assert notes.get_ifd(CAMERA_IFD)[TAKEN] == "1932:07:14 12:00:00"
        assert 37500 not in notes.get_ifd(CAMERA_IFD)
    without = kept(_37510=60_500)
    assert without[0x8298] == "(c) Ada"
    assert not without.get_ifd(CAMERA_IFD)


@pytest.mark.parametrize("file_format", ["TIFF", "JPEG"])
def test_a_position_without_a_camera_is_kept(landscape: Image.Image, file_format: str) -> None:
    exif = Image.Exif()
    exif[GPS] = {1: "N", 2: (48.0, 51.0, 24.0)}
    read = decode(written(landscape, "JPEG", exif=exif), Reading(keep_gps=True))
    content, _ = encode_pixels(
        read.pixels.convert("RGB"),
        read,
        Credit("x", "0" * 64),
        Writing("tiff" if file_format == "TIFF" else "jpeg"),
    )
    assert opened(content).getexif().get_ifd(GPS)[1] == "N"


def test_an_image_of_another_format_is_written_as_png(landscape: Image.Image) -> None:
    read = decode(opened(written(landscape, "PPM")))
    assert read.format == "PPM"
    assert encode(read.pixels, read, "x")[1] == "image/png"


def test_pillow_is_silenced_and_nobody_else(landscape: Image.Image) -> None:
    """However many threads read at once, and whatever each of them finds."""
    odd = written(landscape, "JPEG", exif=oddly(MAKER, 2, b"Leitz\0"))
    content = odd.replace(
        struct.pack("<HHI", MAKER, 2, 6), struct.pack("<HHI", MAKER, 2, 6_000_000)
    )
    assert content != odd
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        opened(content).getexif().items()
        assert heard
        heard.clear()
        before = list(warnings.filters)
        with ThreadPoolExecutor(8) as pool:
            reads = [pool.submit(decode, content) for _ in range(200)]
            for read in reads:
                read.result()
        assert heard == []
        assert list(warnings.filters) == before
        warnings.warn("mine", stacklevel=1)
        assert [str(one.message) for one in heard] == ["mine"]


@pytest.mark.parametrize("kind", ["int8", "uint16", "int32", "int64", "float32", "bool"])
def test_arrays_of_other_numbers_are_refused(kind: str) -> None:
    """Their white may be 1, 255 or 65,535: whoever has them knows."""
    with pytest.raises(InputKindError, match=rf"array \(4, 5\) of {kind}"):
        decode(np.ones((4, 5), kind))
    with pytest.raises(InputKindError, match=r"array \(4, 5, 2\) of uint8"):
        decode(np.ones((4, 5, 2), np.uint8))


def test_streams_that_break_in_their_own_way(tmp_path: Path) -> None:
    path = tmp_path / "photo.png.gz"
    path.write_bytes(gzip.compress(b"a photograph" * 99)[:-20])
    with gzip.open(path) as file, pytest.raises(UnreadableFileError, match="ended before"):
        decode(file)
    view = memoryview(b"photograph")
    view.release()
    with pytest.raises(UnreadableFileError, match="released"):
        decode(view)


def test_a_path_may_be_of_bytes(tmp_path: Path) -> None:
    Image.new("L", (6, 4)).save(tmp_path / "a.png")
    [entry] = os.scandir(os.fsencode(tmp_path))
    assert decode(entry).size == (6, 4)
