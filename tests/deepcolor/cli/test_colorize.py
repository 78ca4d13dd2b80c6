from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deepcolor import xmp
from deepcolor.colorizer import Colorizer
from deepcolor.exif import DESCRIPTION
from deepcolor.files.found import SHEET_NOTE
from deepcolor.files.sheet import CELL, GAP, LABEL
from deepcolor.photograph import Photograph, Reading, decode
from tests.deepcolor.conftest import PAINTER

GPS, GPS_LATITUDE_REF = 0x8825, 1
CHOOSY = PAINTER.format(type="Painter", name="choosy").replace(
    "        return", "        assert l.mean() < 50, 'too light'\n        return"
)


def colorful(path: Path) -> bool:
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    return bool(np.ptp(pixels, axis=2).mean() > 2)


def below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def lock(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Keeps folders of a name from being looked into, even by root."""
    scandir = os.scandir

    def locked(path: str) -> Any:
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", locked)


@pytest.fixture
def photo(folder: Path, landscape: Image.Image) -> Path:
    path = folder / "photo.jpg"
    landscape.save(path, quality=90)
    return path


def test_beside_the_original_and_the_original_stays(run: Any, folder: Path, photo: Path) -> None:
    before = photo.read_bytes()
    result = run("colorize", "photo.jpg")
    assert (result.exit_code, result.stdout) == (0, "photo.colornet.jpg\n")
    assert below(folder) == ["photo.colornet.jpg", "photo.jpg"]
    assert colorful(folder / "photo.colornet.jpg")
    assert photo.read_bytes() == before


@pytest.mark.usefixtures("photo")
def test_the_shorthand(run: Any, folder: Path) -> None:
    assert run("photo.jpg").exit_code == 0
    assert colorful(folder / "photo.colornet.jpg")


@pytest.mark.usefixtures("photo")
def test_to_a_file_of_the_format_it_names(run: Any, folder: Path) -> None:
    assert run("colorize", "photo.jpg", "-o", "new/color.png").exit_code == 0
    with Image.open(folder / "new/color.png") as image:
        assert (image.format, image.size) == ("PNG", (320, 240))


@pytest.mark.usefixtures("photo")
def test_what_is_there_stays_unless_told(run: Any, folder: Path) -> None:
    target = folder / "photo.colornet.jpg"
    target.write_bytes(b"precious")
    refused = run("colorize", "photo.jpg")
    assert refused.exit_code == 1
    assert "photo.colornet.jpg is already there; --overwrite" in refused.stderr
    skipped = run("colorize", "photo.jpg", "--skip-existing")
    assert (skipped.exit_code, skipped.stdout, skipped.stderr) == (0, "", "")
    assert target.read_bytes() == b"precious"
    assert run("colorize", "photo.jpg", "--overwrite").exit_code == 0
    assert colorful(target)
    assert run("colorize", "photo.jpg", "--overwrite", "--skip-existing").exit_code == 2


def test_the_original_is_never_overwritten(run: Any, photo: Path) -> None:
    before = photo.read_bytes()
    for output in ("photo.jpg", ".", "../" + photo.parent.name):
        result = run("colorize", "photo.jpg", "-o", output, "--overwrite")
        assert result.exit_code == 1
        assert "its result must go elsewhere" in result.stderr
    assert photo.read_bytes() == before


def test_a_folder_is_mirrored_and_the_broken_cost_no_other(
    run: Any, folder: Path, photographs: Path
) -> None:
    before = below(photographs)
    result = run("colorize", "scans", "-o", "out")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["out/a.jpg", "out/sub/a.jpg"]
    sentences = result.stderr.splitlines()
    assert len(sentences) == 2
    assert all(sentence.startswith("deepcolor: ") for sentence in sentences)
    assert "broken.jpg is damaged" in sentences[0]
    assert "letter.jpg is not a photograph" in sentences[1]
    assert below(folder / "out") == ["a.jpg", "sub/a.jpg"]
    assert all(colorful(folder / "out" / name) for name in ("a.jpg", "sub/a.jpg"))
    assert below(photographs) == before


@pytest.mark.usefixtures("photographs")
def test_json_is_a_line_a_photograph(run: Any) -> None:
    result = run("colorize", "scans", "missing.jpg", "-o", "out", "--json")
    assert result.exit_code == 1
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {line["input"]: line["output"] for line in lines} == {
        "scans/a.jpg": "out/a.jpg",
        "scans/broken.jpg": None,
        "scans/letter.jpg": None,
        "scans/sub/a.jpg": "out/sub/a.jpg",
        "missing.jpg": None,
    }
    by_input = {line["input"]: line for line in lines}
    good = by_input["scans/a.jpg"]
    assert (good["strategy"], good["width"], good["height"]) == ("colornet", 320, 240)
    assert good["error"] is None
    assert good["milliseconds"].keys() >= {"decode", "network", "join", "encode"}
    codes = {name: line["error"]["code"] for name, line in by_input.items() if line["error"]}
    assert codes == {
        "scans/broken.jpg": "damaged_photograph",
        "scans/letter.jpg": "not_a_photograph",
        "missing.jpg": "unreadable_file",
    }


def test_names_that_would_collide(run: Any, folder: Path, landscape: Image.Image) -> None:
    for name in ("x", "y"):
        (folder / name).mkdir()
        landscape.save(folder / name / "a.png")
    result = run("colorize", "x", "y", "-o", "out", "--overwrite")
    assert result.exit_code == 1
    assert result.stdout == "out/a.png\n"
    assert "y/a.png would become out/a.png, as x/a.png does" in result.stderr


@pytest.mark.usefixtures("photo")
def test_wrong_usage_is_exit_code_two(run: Any, photographs: Path, folder: Path) -> None:
    before = below(folder)
    for arguments, sentence in [
        (["colorize"], "Missing argument"),
        (["colorize", "photo.jpg", "--colour"], "No such option"),
        (["colorize", "photo.jpg", "-s", "colournet"], "did you mean 'colornet'?"),
        (["colorize", "photo.jpg", "--vividness", "3"], "vividness must be between 0 and 2"),
        (["colorize", "photo.jpg", "--size", "5"], "size must be between 64 and 1024"),
        (["colorize", "scans", "-o", "x.jpg"], "x.jpg names one file"),
        (["colorise"], "did you mean 'colorize'?"),
        (["colorize", "photo.jpg", "--format", "gif"], "'gif' is not one of"),
    ]:
        result = run(*arguments)
        assert result.exit_code == 2, arguments
        assert sentence in result.stderr, arguments
        assert "Traceback" not in result.output
    assert below(folder) == before


@pytest.mark.usefixtures("photo")
def test_missing_weights_are_exit_code_three(shell: Any, folder: Path) -> None:
    # A proxy at which nobody listens.
    done = shell("colorize", "photo.jpg", "-s", "richzhang", https_proxy="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (3, "")
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith("deepcolor: The weights of 'richzhang' (colorization_release_v2-")
    assert "are not here and could not be fetched" in sentence
    assert "https://colorizers.s3.us-east-2.amazonaws.com/" in sentence
    assert str(folder / "home/weights") in sentence
    offline = shell("colorize", "photo.jpg", "-s", "richzhang", "--offline")
    assert offline.returncode == 3
    assert "are not here and fetching is off" in offline.stderr


@pytest.mark.usefixtures("photo")
def test_a_process_of_its_own(shell: Any, folder: Path) -> None:
    done = shell("colorize", "photo.jpg", "-o", "color.jpg")
    assert (done.returncode, done.stdout, done.stderr) == (0, "color.jpg\n", "")
    assert colorful(folder / "color.jpg")


def test_knobs_are_turned(run: Any, folder: Path, photo: Path) -> None:
    assert run("photo.jpg", "--saturation", "0", "-o", "gray.png").exit_code == 0
    assert run("photo.jpg", "--vividness", "2", "--size", "128", "-o", "bold.png").exit_code == 0
    assert not colorful(folder / "gray.png")
    assert colorful(folder / "bold.png")


def test_gps_goes_unless_it_is_kept(run: Any, folder: Path, landscape: Image.Image) -> None:
    exif = Image.Exif()
    exif.get_ifd(GPS)[GPS_LATITUDE_REF] = "N"
    landscape.save(folder / "there.jpg", exif=exif)
    assert run("there.jpg", "-o", "nowhere.jpg").exit_code == 0
    assert run("there.jpg", "-o", "still-there.jpg", "--keep-gps").exit_code == 0
    with Image.open(folder / "nowhere.jpg") as image:
        assert dict(image.getexif().get_ifd(GPS)) == {}
    with Image.open(folder / "still-there.jpg") as image:
        assert image.getexif().get_ifd(GPS)[GPS_LATITUDE_REF] == "N"


@pytest.mark.parametrize("address", ["https://example.org/a.jpg", "http://[::1]/a.png?b=*"])
def test_an_address_is_no_path(run: Any, address: str) -> None:
    sentence = f"{address} is an address, and photographs are not fetched from there; download"
    for options in ([], ["-o", "colored"], ["-o", "-"]):
        refused = run("colorize", address, *options)
        assert refused.exit_code == 1
        assert refused.stderr.startswith(f"deepcolor: {sentence}")
    assert sentence in json.loads(run("colorize", address, "--json").stdout)["error"]["message"]


def test_the_device_is_chosen(run: Any, install: Any, photo: Path) -> None:
    install("paint")
    done = run(photo.name, "-s", "painter", "--device", "cpu", "--json")
    assert json.loads(done.stdout)["device"] == "cpu"
    for target in ("other.jpg", "-"):
        refused = run(photo.name, "-s", "painter", "--device", "cuda:99", "-o", target)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr.startswith("deepcolor: There is no device 'cuda:99' here; there are")
        assert refused.stderr.count("\n") == 1


def test_no_weights_are_fetched_for_a_device_that_is_not_here(
    run: Any, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCOLOR_WEIGHTS_URL", "http://127.0.0.1:9")
    refused = run(photo.name, "-s", "richzhang", "--device", "cuda:99", "-o", "colored")
    assert refused.exit_code == 2
    assert "no device 'cuda:99'" in refused.stderr


@pytest.mark.usefixtures("photo")
def test_the_limit_of_pixels_is_the_users(run: Any) -> None:
    refused = run("photo.jpg", "--max-megapixels", "0.05")
    assert refused.exit_code == 1
    assert "320 x 240 pixels, more than the 0.05 megapixels allowed" in refused.stderr
    assert "--max-megapixels" in refused.stderr
    assert run("photo.jpg", "--max-megapixels", "0.08").exit_code == 0


def test_sixteen_bits_stay_sixteen(run: Any, folder: Path, landscape: Image.Image) -> None:
    deep = np.asarray(landscape).astype(np.uint16) * 257
    Image.fromarray(deep).save(folder / "scan.png")
    assert run("scan.png").exit_code == 0
    bit_depth = (folder / "scan.colornet.png").read_bytes()[24]
    assert bit_depth == 16


def test_standard_input_to_standard_output(run: Any, photo: Path) -> None:
    result = run("colorize", "-", stdin=photo.read_bytes())
    assert result.exit_code == 0
    with Image.open(io.BytesIO(result.stdout_bytes)) as image:
        assert (image.format, image.size) == ("JPEG", (320, 240))
    broken = run("colorize", "-", stdin=b"no photograph")
    assert (broken.exit_code, broken.stdout_bytes) == (1, b"")
    assert "is not a photograph" in broken.stderr


def test_results_that_cannot_be_written(run: Any, folder: Path, photographs: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "sub").write_text("in the way")
    result = run("colorize", "scans/a.jpg", "scans", "-o", "out", "--overwrite")
    assert result.exit_code == 1
    assert "out/sub/a.jpg cannot be written" in result.stderr
    assert colorful(folder / "out" / "a.jpg")


def test_a_contact_sheet(run: Any, folder: Path, photographs: Path) -> None:
    arguments = ("colorize", "scans/a.jpg", "scans/sub/a.jpg", "--compare", "sheet.png")
    assert run(*arguments).exit_code == 0
    with Image.open(folder / "sheet.png") as sheet:
        left, right = np.asarray(sheet)[40:240, 20:300], np.asarray(sheet)[40:240, 350:620]
    assert np.ptp(left.astype(int), axis=2).mean() < 1
    assert np.ptp(right.astype(int), axis=2).mean() > 2


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet.png"])
def test_a_contact_sheet_says_that_its_colors_are_simulated(
    run: Any, folder: Path, photo: Path, name: str
) -> None:
    assert run(photo.name, "--compare", name).exit_code == 0
    with Image.open(folder / name) as sheet:
        assert "simulated" in sheet.getexif()[DESCRIPTION]
        assert xmp.BY_A_TRAINED_ALGORITHM.encode() in sheet.info["xmp"]


def test_the_rows_of_a_contact_sheet_are_in_the_photographs_order(
    run: Any, folder: Path, install: Any
) -> None:
    """Also where one strategy colors but the second of two, and another both."""
    install("choosy", name="choosy", code=CHOOSY)
    for name, shade in (("a.png", 230), ("b.png", 30)):
        Image.new("L", (64, 64), shade).save(folder / name)
    told = ("a.png", "b.png", "-s", "choosy", "-s", "colornet", "--compare", "sheet.png")
    assert run(*told).exit_code == 1
    with Image.open(folder / "sheet.png") as sheet:
        light, dark = (
            sheet.convert("L").getpixel((GAP + CELL // 2, top))
            for top in (LABEL + GAP + 32, LABEL + 2 * GAP + CELL // 2 + 32)
        )
    assert light == pytest.approx(230, abs=2)
    assert dark == pytest.approx(30, abs=2)


def test_a_contact_sheet_shows_what_was_colored_however_large(
    run: Any, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = []

    def watched(path: Path, reading: Reading) -> Photograph:
        most.append(reading.max_pixels)
        return decode(path, reading)

    monkeypatch.setattr("deepcolor.files.sheet.decode", watched)
    told = ("photo.jpg", "--max-megapixels", "300", "--compare", "sheet.png")
    assert run(*told).exit_code == 0
    assert most == [300_000_000] * 2


@pytest.mark.parametrize("arguments", [("",), ("photo.jpg", ""), ("photo.jpg", "-o", "")])
def test_an_empty_path_is_refused(run: Any, folder: Path, photo: Path, arguments: Any) -> None:
    result = run("colorize", *arguments)
    assert result.exit_code == 2
    assert "A path is empty" in result.stderr
    assert below(folder) == [photo.name]


def test_a_name_without_a_suffix_keeps_its_label(run: Any, folder: Path, photo: Path) -> None:
    content = photo.read_bytes()
    for name in ("scan", "IMG.0001", "IMG.0002"):
        (folder / name).write_bytes(content)
    (folder / "scan.jpg").write_text("notes")
    result = run("colorize", "scan", "IMG.0001", "IMG.0002", "--overwrite")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "scan.colornet.jpg",
        "IMG.0001.colornet.jpg",
        "IMG.0002.colornet.jpg",
    ]
    assert (folder / "scan.jpg").read_text() == "notes"


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet.png"])
def test_a_contact_sheet_is_no_photograph_the_next_time(
    run: Any, folder: Path, photo: Path, name: str
) -> None:
    for _ in range(2):
        result = run("colorize", ".", "-o", "color", "--compare", name, "--overwrite")
        assert (result.exit_code, result.stdout) == (0, "color/photo.jpg\n")
    assert run("*.*g", "-o", "matched").stdout == "matched/photo.jpg\n"
    assert below(folder) == sorted([name, "photo.jpg", "color/photo.jpg", "matched/photo.jpg"])
    (folder / name).rename(folder / f"moved-{name}")
    assert run("colorize", ".", "-o", "moved").stdout.splitlines() == [
        "moved/color/photo.jpg",
        "moved/matched/photo.jpg",
        "moved/photo.jpg",
    ]
    named = run(f"moved-{name}", "-o", "sheet-in-color.png")
    assert (named.exit_code, named.stdout) == (0, "sheet-in-color.png\n")


def test_the_contact_sheets_of_earlier_versions_are_no_photographs(
    run: Any, folder: Path, photo: Path
) -> None:
    exif = Image.Exif()
    exif[DESCRIPTION] = SHEET_NOTE
    for name in ("sheet.jpg", "sheet.png"):
        Image.new("RGB", (64, 64)).save(folder / name, exif=exif)
    assert run("colorize", ".", "-o", "color").stdout == f"color/{photo.name}\n"


@pytest.mark.parametrize(
    ("sheet", "sentence", "exit_code"),
    [
        ("photo.jpg", "photo.jpg is a photograph to color or a result", 2),
        ("link.jpg", "link.jpg is a photograph to color or a result", 2),
        ("photo.colornet.jpg", "photo.colornet.jpg is a photograph to color or a result", 2),
        ("sheet.webp", "sheet.webp must end in .jpg, .jpeg or .png", 2),
        ("album.jpg", "album.jpg cannot be written: Is a directory", 1),
        ("notes.txt/sheet.jpg", "notes.txt/sheet.jpg cannot be written: Not a directory", 1),
        (f"{'x' * 300}.jpg", f"{'x' * 300}.jpg cannot be written: File name too long", 1),
    ],
)
def test_a_contact_sheet_that_would_do_harm_is_refused_before_all(
    run: Any, folder: Path, photo: Path, sheet: str, sentence: str, exit_code: int
) -> None:
    (folder / "link.jpg").symlink_to("photo.jpg")
    (folder / "album.jpg").mkdir()
    (folder / "notes.txt").touch()
    before, original = below(folder), photo.read_bytes()
    for order in (["photo.jpg", "--compare", sheet], ["--compare", sheet, "photo.jpg"]):
        result = run(*order, "--overwrite")
        assert (result.exit_code, result.stdout) == (exit_code, "")
        assert sentence in result.stderr
    assert (below(folder), photo.read_bytes()) == (before, original)


@pytest.mark.usefixtures("photo")
def test_a_contact_sheet_that_is_there_stays_unless_told(run: Any, folder: Path) -> None:
    other = folder / "other.jpg"
    other.write_bytes(b"precious")
    refused = run("photo.jpg", "--compare", "other.jpg")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "other.jpg is already there; --overwrite" in refused.stderr
    assert run("photo.jpg", "--compare", "other.jpg", "--skip-existing").exit_code == 0
    assert other.read_bytes() == b"precious"
    assert run("photo.jpg", "--compare", "other.jpg", "--overwrite").exit_code == 0
    assert colorful(other)


def test_a_contact_sheet_never_replaces_a_result_whose_name_was_corrected(
    run: Any, folder: Path, landscape: Image.Image
) -> None:
    landscape.save(folder / "a.jpg", "PNG")
    result = run("a.jpg", "--compare", "a.colornet.png")
    assert (result.exit_code, result.stdout) == (2, "a.colornet.png\n")
    with Image.open(folder / "a.colornet.png") as image:
        assert image.size == landscape.size


def test_a_contact_sheet_of_nothing_is_not_drawn(run: Any, folder: Path) -> None:
    (folder / "letter.jpg").write_text("Dear grandmother, ...")
    assert run("letter.jpg", "--compare", "sheet.jpg").exit_code == 1
    assert below(folder) == ["letter.jpg"]


def test_no_photograph_is_shown_to_a_terminal(photo: Path) -> None:
    controller, terminal = pty.openpty()
    try:
        result = subprocess.run(
            [sys.executable, "-m", "deepcolor", str(photo), "-o", "-"],
            stdout=terminal,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(controller)
    assert result.returncode == 2
    assert "would go to the terminal; name a file with -o, or pipe it on." in result.stderr


def test_standard_input_to_a_file_is_as_careful(run: Any, folder: Path, photo: Path) -> None:
    content = photo.read_bytes()
    there = folder / "there.jpg"
    there.write_bytes(b"precious")
    refused = run("-", "-o", "there.jpg", stdin=content)
    assert refused.exit_code == 1
    assert "there.jpg is already there; --overwrite" in refused.stderr
    assert run("-", "-o", "there.jpg", "--skip-existing", stdin=content).exit_code == 0
    assert there.read_bytes() == b"precious"
    assert run("-", "-o", "there.jpg", "--overwrite", stdin=content).exit_code == 0
    assert colorful(there)
    told = run("-", "-o", "new.png", "--json", stdin=content)
    assert json.loads(told.stdout) | {"input": "-", "output": "new.png"} == json.loads(told.stdout)
    with Image.open(folder / "new.png") as image:
        assert image.format == "PNG"
    (folder / "file").touch()
    unwritable = run("-", "-o", "file/x.jpg", stdin=content)
    assert unwritable.exit_code == 1
    assert "file/x.jpg cannot be written" in unwritable.stderr
    broken = run("-", "-o", "broken.jpg", stdin=b"no photograph")
    assert broken.stderr.startswith("deepcolor: The file is not a photograph")


def test_to_standard_output(run: Any, folder: Path, photo: Path) -> None:
    before = below(folder)
    for source in ("photo.jpg", "-"):
        result = run(source, "-o", "-", "--format", "png", stdin=photo.read_bytes())
        assert result.exit_code == 0
        with Image.open(io.BytesIO(result.stdout_bytes)) as image:
            assert (image.format, image.size) == ("PNG", (320, 240))
    missing = run("missing.jpg", "-o", "-")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert below(folder) == before


def test_what_is_found_goes_to_standard_output_if_it_is_one(
    run: Any, folder: Path, photo: Path
) -> None:
    named = run("photo.jpg", "-o", "-")
    for source in ("ph*.jpg", "."):
        found = run("colorize", source, "-o", "-")
        assert (found.exit_code, found.stdout_bytes) == (0, named.stdout_bytes)
    photo.with_name("photo2.jpg").write_bytes(photo.read_bytes())
    (folder / "-").mkdir()
    before = below(folder)
    for source, exit_code, sentence in [
        ("*.jpg", 2, "- names one file, but there are several results"),
        (".", 2, "- names one file, but there are several results"),
        ("*.png", 1, "*.png cannot be read: No such file or directory"),
        ("./-", 2, "There are no photographs in ./-"),
    ]:
        refused = run("colorize", source, "-o", "-")
        assert (refused.exit_code, refused.stdout) == (exit_code, ""), source
        assert sentence in refused.stderr, source
    assert run("-", "-o", "-", stdin=photo.read_bytes()).stdout_bytes == named.stdout_bytes
    assert below(folder) == before


def test_a_locked_folder_beside_what_goes_to_standard_output(
    run: Any, folder: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("broken.jpg", "letter.jpg"):
        (photographs / name).unlink()
    lock(monkeypatch, "sub")
    result = run("colorize", "scans", "-o", "-")
    assert result.exit_code == 1
    assert result.stdout_bytes.startswith(b"\xff\xd8")
    assert "scans/sub cannot be read: Permission denied; check" in result.stderr


@pytest.mark.usefixtures("photo")
def test_what_makes_no_sense_with_standard_streams(run: Any, folder: Path) -> None:
    for arguments, sentence in [
        (["-", "photo.jpg", "-o", "out"], "- stands for one photograph"),
        (["photo.jpg", "photo.jpg", "-o", "-"], "- stands for one photograph"),
        (["photo.jpg", "-s", "colornet", "-s", "richzhang", "-o", "-"], "one strategy"),
        (["-", "--compare", "sheet.jpg"], "--compare draws a sheet of files, and - is stdin"),
        (["-", "--json"], "--json, --overwrite and --skip-existing need -o FILE"),
        (["photo.jpg", "-o", "-", "--skip-existing"], "need -o FILE"),
        (["-", "-o", "out/"], "has no name; name a file with -o"),
    ]:
        result = run(*arguments, stdin=b"")
        assert (result.exit_code, result.stdout) == (2, ""), arguments
        assert sentence in result.stderr, arguments
    assert below(folder) == ["photo.jpg"]


def test_a_corrected_name_takes_no_others_place(
    run: Any, folder: Path, landscape: Image.Image
) -> None:
    for name in ("c/a.jpg", "c/a.png", "ob/in/x.jpg", "ob/out/x.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        landscape.save(folder / name, "PNG")
    twins = run("c")
    assert (twins.exit_code, twins.stdout) == (1, "c/a.colornet.png\n")
    assert "c/a.jpg would become c/a.colornet.png, as c/a.png does; color it" in twins.stderr
    before = (folder / "ob/out/x.png").read_bytes()
    onto = run("ob/in/x.jpg", "ob/out/x.png", "-o", "ob/out/", "--overwrite")
    assert onto.exit_code == 1
    assert onto.stderr.count("ob/out/x.png is a photograph to color") == 2
    assert (folder / "ob/out/x.png").read_bytes() == before


def test_a_corrected_name_that_is_there_is_skipped(
    run: Any, folder: Path, landscape: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    landscape.save(folder / "a.jpg", "PNG")
    assert run("a.jpg").stdout == "a.colornet.png\n"
    assert "a.colornet.png is already there" in run("a.jpg").stderr
    landscape.save(folder / "b.jpg")
    landscape.save(folder / "b.png")
    assert run("b.png").exit_code == 0
    (folder / "c.jpg").write_text("Dear grandmother, ...")
    (folder / "c.colornet.png").touch()
    colored: list[Path] = []
    map_ = Colorizer.map

    def watched(self: Any, sources: Any, *arguments: Any, **options: Any) -> Any:
        colored.extend(sources)
        return map_(self, colored, *arguments, **options)

    monkeypatch.setattr(Colorizer, "map", watched)
    again = run("a.jpg", "b.jpg", "c.jpg", "--skip-existing")
    assert (again.exit_code, again.stdout) == (1, "b.colornet.jpg\n")
    assert again.stderr.startswith("deepcolor: c.jpg is not a photograph")
    assert colored == [Path("b.jpg"), Path("c.jpg")]


def test_nothing_to_color(run: Any, folder: Path) -> None:
    (folder / "empty").mkdir()
    result = run("empty", "--compare", "sheet.jpg")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(
        "deepcolor: There are no photographs in empty; photographs are files that end in .avif, "
    )
    assert below(folder) == []


def test_a_locked_folder_costs_no_other(
    run: Any, folder: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("broken.jpg", "letter.jpg"):
        (photographs / name).unlink()
    lock(monkeypatch, "sub")
    result = run("scans/sub", "scans", "-o", "out")
    assert (result.exit_code, result.stdout) == (1, "out/a.jpg\n")
    assert "scans/sub cannot be read: Permission denied; check" in result.stderr


def test_errors_say_which_file(run: Any, folder: Path, landscape: Image.Image) -> None:
    for name in "ab":
        (folder / name).mkdir()
        (folder / name / "2.jpg").write_text("Dear grandmother, ...")
    landscape.resize((16_400, 2)).save(folder / "a/wide.png")
    result = run("a", "b", "--format", "webp")
    assert [line.partition(" ")[2].split()[0] for line in result.stderr.splitlines()] == [
        "a/2.jpg",
        "a/wide.png:",
        "b/2.jpg",
    ]


@pytest.mark.usefixtures("photo")
def test_any_knob_by_its_name(run: Any, folder: Path) -> None:
    assert run("photo.jpg", "--knob", "saturation=0", "--knob", "size=64").exit_code == 0
    assert not colorful(folder / "photo.colornet.jpg")
    for written, sentence in [
        ("strength=1", "'colornet' has no knob 'strength'"),
        ("saturation=9", "saturation must be between 0 and 2"),
        ("saturation=nan", "saturation must be between 0 and 2"),
        ("saturation", "saturation is not understood; write NAME=NUMBER"),
        ("saturation=much", "saturation=much is not understood"),
    ]:
        result = run("photo.jpg", "--knob", written, "-o", "x.jpg")
        assert result.exit_code == 2
        assert sentence in result.stderr
    assert not (folder / "x.jpg").exists()


@pytest.mark.usefixtures("photo")
def test_a_knob_is_turned_once(run: Any, folder: Path) -> None:
    for name, own, other in [
        ("size", "128", "256"),
        ("vividness", "0", "1.5"),
        ("saturation", "1", "0"),
    ]:
        result = run("photo.jpg", f"--{name}", own, "--knob", f"{name}={other}")
        assert result.exit_code == 2
        sentence = f"--{name} and --knob {name}={other} turn the same knob; leave one out."
        assert sentence in result.stderr
    assert below(folder) == ["photo.jpg"]
    both = run("photo.jpg", "--size", "64", "--knob", "saturation=0", "-o", "gray.png")
    assert both.exit_code == 0
    assert not colorful(folder / "gray.png")


@pytest.mark.usefixtures("photo")
def test_all_weights_are_had_before_the_first_photograph(
    run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCOLOR_OFFLINE", "1")
    result = run("photo.jpg", "-s", "colornet", "-s", "richzhang")
    assert (result.exit_code, result.stdout) == (3, "")
    assert below(folder) == ["photo.jpg"]


@pytest.mark.usefixtures("photo")
@pytest.mark.parametrize("megapixels", ["inf", "nan", "0", "-1"])
def test_a_limit_that_is_none(run: Any, folder: Path, megapixels: str) -> None:
    result = run("photo.jpg", "--max-megapixels", megapixels)
    assert result.exit_code == 2
    assert f"{megapixels} is no number of megapixels above 0." in result.stderr
    assert below(folder) == ["photo.jpg"]


@pytest.mark.usefixtures("photo")
def test_hints_from_a_file_that_is_not_there(run: Any) -> None:
    assert run("photo.jpg", "--hints", "lost.json").exit_code == 2


def test_names_that_stdout_cannot_say(shell: Any, folder: Path, photo: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has names that are no text")
    (folder / "in").mkdir()
    photo.rename(os.fsdecode(os.fsencode(folder) + b"/in/caf\xe9.jpg"))
    for n, encoding in enumerate(["utf-8:strict", "latin-1", "ascii"]):
        done = shell("in", "-o", f"out{n}", "--size", "64", PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, ""), encoding
        assert done.stdout.startswith(f"out{n}/caf")


@pytest.mark.parametrize("arguments", [["photo.jpg", "--size", "64"], ["--version"], ["--help"]])
@pytest.mark.usefixtures("photo")
def test_a_full_disk_behind_stdout(arguments: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "deepcolor", *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "deepcolor: not all could be written: No space left on device.\n",
    )


def test_interrupted(folder: Path, landscape: Image.Image) -> None:
    (folder / "many").mkdir()
    big = io.BytesIO()
    landscape.resize((2000, 1500)).save(big, "JPEG")
    for n in range(400):  # many seconds' work, however late the signal comes
        (folder / "many" / f"{n:03}.jpg").write_bytes(big.getvalue())
    process = subprocess.Popen(
        [sys.executable, "-m", "deepcolor", "colorize", "many", "-o", "out"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell has what it starts in the background ignore it, and that is handed down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob("out/*.jpg")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    done = below(folder / "out")
    assert 1 <= len(done) < 400
    for name in done:
        with Image.open(folder / "out" / name) as image:
            image.load()
