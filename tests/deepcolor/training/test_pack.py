from __future__ import annotations

import io
import os
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import numpy as np
import pytest
import torch
from PIL import Image

from deepcolor import xmp
from deepcolor.errors import UnreadableFileError
from deepcolor.files.found import SHEET_NOTE
from deepcolor.training import pack
from deepcolor.training.errors import (
    NotPackedError,
    PackedDamagedError,
    PackedPlaceError,
    TooFewPhotographsError,
)
from deepcolor.training.pack import INDEX, PIXELS, SHORT_SIDE, packed
from deepcolor.training.photographs import split
from deepcolor.training.sheet import write_sheet
from deepcolor.training.sources import contents, files, fingerprint
from tests.deepcolor.training.conftest import HELD_OUT, LEARNED, PICTURES, add, jpeg, meadow

SHOWN = 6  # photographs of the docs


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder of three photographs."""
    data = tmp_path / "three"
    data.mkdir()
    for seed in range(3):
        (data / f"{seed}.jpg").write_bytes(jpeg(meadow(seed)))
    return data


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def write_tar(path: Path) -> Path:
    """A tar of three photographs, compressed as its suffix says."""
    path.parent.mkdir(exist_ok=True)
    compression = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}
    with tarfile.open(path, compression.get(path.suffix, "w")) as file:  # type: ignore[call-overload]
        for seed in range(3):
            add(file, f"{seed}.jpg", jpeg(meadow(seed)))
    return path


def test_packed_photographs_are_the_decoded_ones(mixed: Path) -> None:
    learned, held_out, _ = split(packed(mixed), least_chroma=4)
    assert len(learned) + len(held_out) == LEARNED + HELD_OUT + SHOWN
    with tarfile.open(mixed / "meadows.tar") as tar:
        for photographs in (learned, held_out):
            [i, *_] = [i for i, name in enumerate(photographs.names) if name.startswith("meadow")]
            file = tar.extractfile(f"{photographs.names[i]}.jpg")
            assert file is not None
            with Image.open(io.BytesIO(file.read())) as image:
                original = np.array(image.convert("RGB"))
            assert (photographs[i].permute(1, 2, 0).numpy() == original).all()


def test_large_photographs_are_made_smaller(mixed: Path) -> None:
    learned, _, _ = split(packed(mixed), least_chroma=4)
    i = learned.names.index("pictures/killarney-1910.color")
    assert learned[i].shape == (3, SHORT_SIDE, round(480 * SHORT_SIDE / 370))
    with Image.open(PICTURES / "killarney-1910.color.jpg") as image:
        small = np.asarray(image.resize((16, 16), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    assert np.abs(learned.miniatures[i].numpy().astype(int) - small).mean() < 2


def test_what_is_dropped_is_told(mixed: Path) -> None:
    learned, held_out, dropped = split(packed(mixed), least_chroma=4)
    assert str(dropped) == "dropped 1 gray, 1 near-gray, 1 near-duplicates, 1 unreadable"
    kept = {*learned.names, *held_out.names}
    assert kept.isdisjoint({"gray", "sepia", "broken", "smaller"})
    assert split(packed(mixed), least_chroma=0)[2].nearly_gray == 0


@pytest.mark.parametrize("tint", [(1, 1, 1), (1, 0.99, 0.97)])
def test_a_photograph_is_no_repeat_of_its_gray_copy(three: Path, tint: tuple[float, ...]) -> None:
    pale = Image.blend(meadow(9), meadow(9).convert("L").convert("RGB"), 0.8)
    copy = np.asarray(pale.convert("L"))[..., None] * np.array(tint)
    (three / "copy.png").write_bytes(png(Image.fromarray(copy.astype("u1"))))
    (three / "original.png").write_bytes(png(pale))
    learned, held_out, dropped = split(packed(three), least_chroma=4)
    assert {*learned.names, *held_out.names} == {"0", "1", "2", "original"}
    assert dropped.gray + dropped.nearly_gray == 1


def test_sources_are_folders_or_names_without_their_numbers(mixed: Path) -> None:
    learned, _, _ = split(packed(mixed), least_chroma=4)
    assert set(learned.sources()) == {"meadow", "pictures"}


def test_packing_is_done_once_and_again_when_photographs_change(tmp_path: Path) -> None:
    data = tmp_path / "some"
    data.mkdir()
    for seed in range(3):
        (data / f"{seed}.jpg").write_bytes(jpeg(meadow(seed)))
    told: list[tuple[str, float, float]] = []
    folder = packed(data, lambda *one: told.append(one))
    assert folder == tmp_path / "some.packed"
    assert [one[0] for one in told] == ["MB packed"]
    assert told[0][1] == pytest.approx(told[0][2])
    assert packed(data, lambda *one: told.append(one)) == folder
    assert packed(folder, lambda *one: told.append(one)) == folder
    assert len(told) == 1
    (data / "3.jpg").write_bytes(jpeg(meadow(3)))
    assert packed(data, lambda *one: told.append(one)) == folder
    assert len(told) == 2
    learned, held_out, _ = split(folder, least_chroma=4)
    assert (len(learned), len(held_out)) == (3, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some", "some.packed"]


def test_what_deepcolor_colored_is_not_learned_from(three: Path) -> None:
    photographs = sorted(three.iterdir())
    content = photographs[0].read_bytes()
    photographs[0].with_suffix(".colornet.jpg").write_bytes(content)
    (three / "sheet.jpg").write_bytes(content[:20] + SHEET_NOTE + content[20:])
    assert files(three) == photographs


def test_what_deepcolor_colored_is_not_learned_from_in_a_tar_either(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "some.tar")
    sheet = jpeg(meadow(7))
    with tarfile.open(tar, "a") as file:
        for name in ("0.colornet.jpg", "x/8.colornet.jpg", "._2.jpg", ".hidden/9.jpg"):
            add(file, name, jpeg(meadow(8)))
        add(file, "sheet.jpg", sheet[:20] + SHEET_NOTE + sheet[20:])
    assert [name for name, _ in contents(tar)] == ["0", "1", "2", "x/8.colornet"]


def test_a_tar_of_the_folder_one_is_in(three: Path, tmp_path: Path) -> None:
    """Which holds a folder named "."."""
    tar = tmp_path / "here.tar"
    with tarfile.open(tar, "w") as file:
        file.add(three, ".")
    assert sorted(name for name, _ in contents(tar)) == ["0", "1", "2"]


def test_links_in_a_tar(tmp_path: Path) -> None:
    """As in a folder: one that leads nowhere is none, others are what they lead to."""
    tar = write_tar(tmp_path / "some.tar")
    with tarfile.open(tar, "a") as file:
        for name, to in (("3.jpg", "nowhere.jpg"), ("4.jpg", "4.jpg"), ("5.jpg", "1.jpg")):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, to
            file.addfile(link)
    found = dict(contents(tar))
    assert list(found) == ["0", "1", "2", "5"]
    assert found["5"] == found["1"]


def test_no_more_than_so_many_bytes_are_kept(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    monkeypatch.setattr(pack, "BYTES_AT_ONCE", (three / "0.jpg").stat().st_size)
    learned, held_out, _ = split(packed(three, lambda _, done, __: told.append(done)), 0)
    assert {*learned.names, *held_out.names} == {"0", "1", "2"}
    assert len(told) >= 2
    assert told == sorted(told)


def test_of_several_at_once_one_packs(three: Path) -> None:
    told: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(packed, three, lambda *one: told.append(one[0])) for _ in range(4)]
        folders = {task.result() for task in tasks}
    assert folders == {three.with_name("three.packed")}
    assert told == ["MB packed"]
    assert sorted(path.name for path in three.parent.iterdir()) == ["three", "three.packed"]


def test_who_waits_goes_on_where_the_other_is_interrupted(three: Path) -> None:
    begun, go = Event(), Event()

    def interrupted(*_: object) -> None:
        begun.set()
        go.wait()
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(packed, three, interrupted)
        begun.wait()
        second = pool.submit(packed, three)
        go.set()
        with pytest.raises(KeyboardInterrupt):
            first.result()
        assert second.result() == three.with_name("three.packed")
    assert sorted(path.name for path in three.parent.iterdir()) == ["three", "three.packed"]


def test_a_runs_sheets_among_the_photographs_are_none(three: Path) -> None:
    photographs, before = files(three), fingerprint(three)
    picture = torch.full((3, 256, 256), 90, dtype=torch.uint8)
    sheet = three / "run" / "sheet-000012.png"
    write_sheet([[picture] * 5] * 8, sheet)
    assert files(three) == photographs
    assert fingerprint(three) == before
    assert xmp.BY_A_TRAINED_ALGORITHM.encode() in sheet.read_bytes()


@pytest.mark.usefixtures("nobody")
def test_a_folder_that_cannot_be_looked_into() -> None:
    Path("photographs/locked").mkdir(parents=True)
    Path("photographs/locked").chmod(0)
    with pytest.raises(UnreadableFileError, match=r"^photographs/locked cannot be read: Perm"):
        files(Path("photographs"))


@pytest.mark.parametrize("suffix", ["packed", "packing"])
def test_a_folder_of_somebody_elses_is_left_alone(three: Path, suffix: str) -> None:
    mine = three.with_name(f"three.{suffix}") / "letters" / "1912.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("Dear grandmother, ...")
    with pytest.raises(PackedPlaceError) as caught:
        packed(three)
    assert str(caught.value) == (
        f"{mine.parents[1]} is where photographs are packed, and holds other files; "
        "move or rename that folder."
    )
    assert (caught.value.code, caught.value.exit_code) == ("packed_place", 2)
    assert mine.read_text() == "Dear grandmother, ..."


def test_what_was_put_into_a_packed_folder_is_not_lost(three: Path) -> None:
    notes = packed(three) / "notes.txt"
    notes.write_text("which to leave out")
    assert packed(three) == notes.parent
    (three / "2.jpg").unlink()
    with pytest.raises(PackedPlaceError):
        packed(three)
    assert notes.exists()


def test_what_a_killed_packing_left_is_replaced(three: Path) -> None:
    for suffix in ("packed", "packing"):
        three.with_name(f"three.{suffix}").mkdir()
    (three.with_name("three.packing") / PIXELS).write_bytes(b"half")
    assert set(split(packed(three), least_chroma=0)[0].names) <= {"0", "1", "2"}
    assert not three.with_name("three.packing").exists()


@pytest.mark.parametrize("name", [PIXELS, INDEX])
@pytest.mark.parametrize("kept", [None, 0, 600, -1])
def test_a_packed_folder_that_is_not_whole(three: Path, name: str, kept: int | None) -> None:
    """Beside the photographs it is packed anew; alone it is told."""
    spoilt = packed(three) / name
    content = spoilt.read_bytes()
    spoilt.unlink()
    if kept is not None:
        spoilt.write_bytes(content[:kept])
    with pytest.raises(PackedDamagedError, match=r"three\.packed is damaged, or holds not all"):
        split(spoilt.parent, least_chroma=0)
    assert len(split(packed(three), least_chroma=0)[0]) == 2


@pytest.mark.parametrize(("where", "given"), [("three", "."), ("three/below", "..")])
def test_the_folder_one_is_in(
    three: Path, monkeypatch: pytest.MonkeyPatch, where: str, given: str
) -> None:
    (three / "below").mkdir()
    monkeypatch.chdir(three.parent / where)
    assert packed(Path(given)) == three.with_name("three.packed")
    assert packed(three) == three.with_name("three.packed")


def test_a_link_is_packed_beside_itself(three: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(three)
    assert packed(link) == link.with_name("link.packed")


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tgz", "tar.bz2", "tar.xz", "TAR"])
@pytest.mark.parametrize("alone", [True, False])
def test_tars_may_be_compressed(tmp_path: Path, suffix: str, alone: bool) -> None:
    tar = write_tar(tmp_path / "some" / f"shard.{suffix}")
    learned, held_out, _ = split(packed(tar if alone else tar.parent), least_chroma=0)
    assert {*learned.names, *held_out.names} == {"0", "1", "2"}


def test_names_may_be_of_any_bytes(three: Path) -> None:
    (three / os.fsdecode(b"caf\xe9_1.jpg")).write_bytes(jpeg(meadow(7)))
    with tarfile.open(three / "old.tar", "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        add(tar, "ge\xe4ndert_1.jpg", jpeg(meadow(8)))
    learned, held_out, _ = split(packed(three), least_chroma=0)
    assert {os.fsencode(name) for name in (*learned.names, *held_out.names)} == {
        *(b"0", b"1", b"2", b"caf\xe9_1", b"ge\xe4ndert_1")
    }


def test_the_split_does_not_depend_on_the_other_photographs(mixed: Path) -> None:
    _, held_out, _ = split(packed(mixed), least_chroma=4)
    assert {name for name in held_out.names if name.startswith("meadow")} == {
        name for name in held_out.names if not name.startswith("pictures")
    }
    assert len(held_out) >= HELD_OUT


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="nowhere"):
        packed(tmp_path / "nowhere")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "gray.jpg").write_bytes(jpeg(meadow(0).convert("L")))
    with pytest.raises(TooFewPhotographsError, match=r"0 are left .*dropped 1 gray"):
        split(packed(tmp_path / "one"), least_chroma=4)
    (tmp_path / "empty").mkdir()
    with pytest.raises(TooFewPhotographsError, match="0 are left"):
        split(packed(tmp_path / "empty"), least_chroma=4)


@pytest.mark.parametrize("kept", [0, 700])
@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_tar_that_is_none_or_breaks_off(tmp_path: Path, suffix: str, kept: int) -> None:
    tar = write_tar(tmp_path / f"some.{suffix}")
    content = tar.read_bytes()
    tar.write_bytes(content[:kept] or b"no tar" * 999)
    with pytest.raises(UnreadableFileError, match=rf"some\.{suffix} cannot be read: .*\.$"):
        packed(tar)


@pytest.mark.parametrize("suffix", ["tar.bz2", "tar.xz"])
@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_tar_that_is_spoilt_on_the_way(tmp_path: Path, suffix: str, share: float) -> None:
    tar = write_tar(tmp_path / f"some.{suffix}")
    spoilt = bytearray(tar.read_bytes())
    begin = round(len(spoilt) * share)
    spoilt[begin : begin + 99] = bytes(99)
    tar.write_bytes(spoilt)
    with pytest.raises(UnreadableFileError, match=rf"some\.{suffix} cannot be read: .*\.$"):
        packed(tar)


@pytest.mark.usefixtures("nobody")
def test_a_folder_beside_which_nothing_can_be_written() -> None:
    """A link to it that lies elsewhere is the cure."""
    with TemporaryDirectory() as place:  # for nobody's eyes, unlike pytest's
        archive, link = Path(place, "archive"), Path(place, "link")
        (archive / "data").mkdir(parents=True)
        archive.chmod(0o500)
        with pytest.raises(NotPackedError, match=r"data\.packing cannot be written: .* a link to"):
            packed(archive / "data")
        link.symlink_to(archive / "data")
        assert packed(link) == Path(place, "link.packed")
        archive.chmod(0o700)
