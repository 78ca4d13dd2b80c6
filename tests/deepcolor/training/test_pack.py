from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepcolor.errors import NotWritableError, UnreadableFileError
from deepcolor.training.errors import TooFewPhotographsError
from deepcolor.training.pack import SHORT_SIDE, packed
from deepcolor.training.photographs import split
from tests.deepcolor.training.conftest import HELD_OUT, LEARNED, PICTURES, add, jpeg, meadow

SHOWN = 6  # photographs of the docs


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
def test_a_tar_that_is_none_or_breaks_off(tmp_path: Path, kept: int) -> None:
    tar = tmp_path / "some.tar"
    with tarfile.open(tar, "w") as file:
        for seed in range(3):
            add(file, f"{seed}.jpg", jpeg(meadow(seed)))
    content = tar.read_bytes()
    tar.write_bytes(content[:kept] or b"no tar" * 999)
    with pytest.raises(UnreadableFileError, match=r"some\.tar cannot be read: "):
        packed(tar)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_beside_which_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    tmp_path.chmod(0o500)
    with pytest.raises(NotWritableError):
        packed(tmp_path / "data")
