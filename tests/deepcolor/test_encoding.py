from __future__ import annotations

import io
import struct
import subprocess
import sys
from typing import Any

import numpy as np
import png
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from deepcolor.encoding import SRGB_PROFILE, Credit, Writing, encode
from deepcolor.errors import FormatLimitError, FormatNotWrittenError, QualityRangeError
from deepcolor.formats import FORMATS, Format, written_format
from deepcolor.photograph import decode
from deepcolor.version import __version__

CREDIT = Credit("some-strategy", "0123456789abcdef" * 4)
SOFTWARE, DESCRIPTION, ARTIST = 0x0131, 0x010E, 0x013B


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def file(image: Image.Image, file_format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


@pytest.fixture
def colors() -> NDArray[np.uint8]:
    """Smooth, so that no format bends it much."""
    y, x = np.mgrid[0:60, 0:80]
    return np.stack((x * 3, y * 4, 255 - x * 3), axis=2).astype(np.uint8)


@pytest.mark.parametrize("wanted", ["jpeg", "png", "webp", "tiff"])
def test_any_format_may_be_wanted(colors: NDArray[np.uint8], wanted: Any) -> None:
    original = decode(file(Image.new("L", (80, 60)), "GIF"))
    content, written = encode(Image.fromarray(colors), original, CREDIT, Writing(wanted))
    result = opened(content)
    assert (result.format, written, result.size) == (wanted.upper(), wanted.upper(), (80, 60))
    assert np.abs(np.asarray(result.convert("RGB")).astype(int) - colors).mean() < 4
    assert "simulated" in result.getexif()[DESCRIPTION]
    assert result.getexif()[SOFTWARE] == (
        f"deepcolor {__version__} (some-strategy, weights 0123456789ab)"
    )


def test_which_formats_are_kept() -> None:
    kept = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"]
    assert [written_format(name, "keep") for name in kept] == kept
    others = {name: written_format(name, "keep") for name in ("GIF", "BMP", "HEIF", "MPO", None)}
    assert others == {"GIF": "PNG", "BMP": "PNG", "HEIF": "JPEG", "MPO": "JPEG", None: "PNG"}


@pytest.mark.parametrize("wanted", ["jpeg", "webp"])
def test_quality_is_a_matter_of_bytes(wanted: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    original = decode(np.zeros((60, 80), np.uint8))
    sizes = [
        len(encode(Image.fromarray(noise), original, CREDIT, Writing(wanted, q))[0])
        for q in (10, 50, 95)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 2


@pytest.mark.parametrize("wanted", ["png", "tiff", "webp"])
def test_alpha_is_kept_where_the_format_can(colors: NDArray[np.uint8], wanted: Any) -> None:
    alpha = Image.linear_gradient("L").resize((80, 60))
    original = decode(Image.merge("LA", (Image.new("L", (80, 60), 9), alpha)))
    result = opened(encode(Image.fromarray(colors), original, CREDIT, Writing(wanted))[0])
    assert result.mode == "RGBA"
    assert result.getchannel("A").tobytes() == alpha.tobytes()
    assert (
        opened(encode(Image.fromarray(colors), original, CREDIT, Writing("jpeg"))[0]).mode == "RGB"
    )


@pytest.mark.parametrize("wanted", ["png", "tiff"])
def test_sixteen_bits_are_written(wanted: Any) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (6, 9, 3), dtype=np.uint16)
    original = decode(Image.fromarray(deep[..., 0]))
    content, written = encode(deep, original, CREDIT, Writing(wanted))
    assert written == wanted.upper()
    if wanted == "png":
        import png

        width, height, rows, info = png.Reader(bytes=content).asDirect()
        assert (width, height, info["bitdepth"]) == (9, 6, 16)
        read = np.vstack([np.asarray(row, np.uint16) for row in rows]).reshape(6, 9, 3)
    else:
        import tifffile

        read = tifffile.imread(io.BytesIO(content))
    assert (read == deep).all()
    # Other programs can open them, too, and see whose colors they are.
    image = opened(content)
    assert image.size == (9, 6)
    assert b"Colors are simulated by deepcolor" in content


CAPTION = "Großmutter im Garten, 1932"
WRITTEN = [(8, "jpeg"), (8, "png"), (8, "tiff"), (16, "png"), (16, "tiff")]


def scan(depth: int, caption: str, **options: Any) -> bytes:
    """A gray TIFF of so many bits with a caption."""
    exif = Image.Exif()
    exif[DESCRIPTION] = caption.encode()
    exif[ARTIST] = "Müller".encode()
    ramp = np.linspace(0, 60_000, 80 * 60).reshape(60, 80)
    pixels = ramp.astype(np.uint16) if depth == 16 else (ramp / 257).astype(np.uint8)
    return file(Image.fromarray(pixels), "TIFF", exif=exif, **options)


def colored(content: bytes, credit: Credit, wanted: Format) -> bytes:
    original = decode(content)
    gray = original.deep
    pixels = original.pixels.convert("RGB") if gray is None else np.dstack((gray, gray, gray))
    return encode(pixels, original, credit, Writing(wanted))[0]


def text(content: bytes, tag: int) -> str:
    return str(opened(content).getexif()[tag]).encode("latin-1").decode()


@pytest.mark.parametrize(("depth", "wanted"), [*WRITTEN, (8, "webp")])
def test_the_caption_stays_above_one_credit(depth: int, wanted: Format) -> None:
    once = colored(scan(depth, CAPTION), CREDIT, wanted)
    assert text(once, DESCRIPTION) == f"{CAPTION}\n{CREDIT.description}"
    if (depth, wanted) != (16, "tiff"):
        assert text(once, ARTIST) == "Müller"
    other = Credit("another-strategy", "f" * 64)
    assert text(colored(once, other, wanted), DESCRIPTION) == f"{CAPTION}\n{other.description}"


@pytest.mark.parametrize("depth", [8, 16])
def test_what_programs_note_of_pixels_is_no_caption(depth: int) -> None:
    for note in ('{"shape": [60, 80]}', "ImageJ=1.53t\nimages=1", '<?xml version="1.0"?>'):
        content = colored(scan(depth, note), CREDIT, "tiff")
        assert text(content, DESCRIPTION) == CREDIT.description


@pytest.mark.parametrize("caption", ["<unknown woman>, Lisbon 1919", "{Oma Lisbeth}"])
def test_captions_in_brackets_are_peoples(caption: str) -> None:
    assert text(colored(scan(8, caption), CREDIT, "tiff"), DESCRIPTION).startswith(f"{caption}\n")


@pytest.mark.parametrize(("depth", "wanted"), WRITTEN)
def test_the_resolution_stays(depth: int, wanted: Format) -> None:
    content = colored(scan(depth, CAPTION, dpi=(600, 300)), CREDIT, wanted)
    assert opened(content).info["dpi"] == pytest.approx((600, 300), abs=0.1)
    assert "dpi" not in opened(colored(file(Image.new("L", (9, 9)), "PNG"), CREDIT, "png")).info


@pytest.mark.parametrize("dpi", [(0, 0), (1e9, 1e9), (float("nan"), 1), "300", (300,), None])
def test_a_resolution_that_makes_no_sense_goes(dpi: Any) -> None:
    image = Image.new("L", (9, 9))
    image.info["dpi"] = dpi
    assert decode(image).dpi is None


@pytest.mark.parametrize(("wanted", "side"), [("webp", 16_383), ("jpeg", 65_500)])
def test_the_longest_side_that_a_format_holds(wanted: Format, side: int) -> None:
    def write(length: int) -> tuple[bytes, str]:
        photograph = decode(Image.new("L", (length, 1), 90))
        colored = Image.new("RGB", (length, 1), (90, 80, 70))
        return encode(colored, photograph, CREDIT, Writing(wanted))

    assert Image.open(io.BytesIO(write(side)[0])).size == (side, 1)
    with pytest.raises(FormatLimitError, match="write it as png or tiff") as caught:
        write(side + 1)
    assert caught.value.code == "format_limit"


@pytest.mark.parametrize("wanted", ["gif", "bmp", "nonsense", "JPEG", "", None, 7, ["png"]])
def test_a_format_that_is_not_written(wanted: Any) -> None:
    with pytest.raises(
        FormatNotWrittenError, match=r"the formats are keep, jpeg, .* avif\.$"
    ) as caught:
        Writing(wanted)
    assert (caught.value.code, caught.value.exit_code) == ("format_not_written", 2)


@pytest.mark.parametrize("quality", [900, 101, 0, -5, 92.5, "92", float("nan"), True])
def test_a_quality_that_is_none(quality: Any) -> None:
    with pytest.raises(QualityRangeError, match="whole number between 1 and 100, not ") as caught:
        Writing("jpeg", quality)
    assert (caught.value.code, caught.value.exit_code) == ("quality_out_of_range", 2)


@pytest.mark.parametrize("wanted", FORMATS)
def test_what_may_be_wanted(wanted: Format) -> None:
    for quality in (None, 1, 100, np.int64(92)):
        assert Writing(wanted, quality).format == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize("wanted", ["png", "tiff"])
def test_sixteen_bits_keep_alpha_and_say_that_they_are_srgb(wanted: Any) -> None:
    alpha = Image.fromarray(np.array([[0, 100, 255]], np.uint8))
    original = decode(Image.merge("LA", (Image.new("L", (3, 1), 9), alpha)))
    content, _ = encode(np.zeros((1, 3, 3), np.uint16), original, CREDIT, Writing(wanted))
    if wanted == "png":
        _, _, rows, _ = png.Reader(bytes=content).asDirect()
        read = np.vstack([np.asarray(row, np.uint16) for row in rows]).reshape(1, 3, 4)
        assert b"sRGB" in content
    else:
        with tifffile.TiffFile(io.BytesIO(content)) as tiff:
            read = tiff.asarray()
            assert tiff.pages[0].extrasamples == (2,)  # not premultiplied
        profile = io.BytesIO(opened(content).info["icc_profile"])
        assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert read[0, :, 3].tolist() == [0, 100 * 257, 65535]


@pytest.mark.parametrize(("wanted", "quality"), [("jpeg", 92), ("webp", 90), ("avif", 80)])
def test_quality_is_high_unless_told(wanted: Any, quality: int) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8))
    original = decode(Image.new("L", (80, 60)))
    untold, told = (encode(noise, original, CREDIT, Writing(wanted, q))[0] for q in (None, quality))
    assert untold == told


def test_sixteen_bits_become_eight_where_the_format_has_no_more(colornet: Any) -> None:
    deep = Image.fromarray(np.linspace(0, 65535, 64 * 48, dtype=np.uint16).reshape(48, 64))
    for wanted in ("jpeg", "webp"):
        done = colornet.file(file(deep, "PNG"), writing=Writing(wanted))
        assert opened(done.content).format == done.format == wanted.upper()


def test_no_time_of_day_is_in_a_result() -> None:
    """Two processes write the same bytes."""
    code = "from deepcolor.encoding import SRGB_PROFILE as p; print(p[24:36].hex(), len(p))"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.split()[0] == struct.pack(">6H", 2026, 1, 1, 0, 0, 0).hex()
    assert ImageCms.getProfileDescription(io.BytesIO(SRGB_PROFILE)).startswith("sRGB")
