from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deepcolor.training.photographs import Photographs, square


def test_packed_photographs_are_the_decoded_ones(shard: Path, packed: Path) -> None:
    photographs = Photographs(packed, held_out=False, least_chroma=0)
    with tarfile.open(shard) as tar:
        for i in (0, 7, len(photographs) - 1):
            file = tar.extractfile(f"{photographs.names[i]}.jpg")
            assert file is not None
            with Image.open(io.BytesIO(file.read())) as image:
                original = np.array(image.convert("RGB"))
            assert photographs[i].dtype == torch.uint8
            assert (photographs[i].permute(1, 2, 0).numpy() == original).all()


def test_the_split_holds_a_few_out_whatever_their_order(packed: Path) -> None:
    learnt = Photographs(packed, held_out=False, least_chroma=0)
    held_out = Photographs(packed, held_out=True, least_chroma=0)
    assert (len(learnt), len(held_out)) == (25, 4)
    assert set(learnt.names).isdisjoint(held_out.names)


def test_near_gray_photographs_are_left_out(packed: Path) -> None:
    assert len(Photographs(packed, held_out=False, least_chroma=4)) == 24


def test_sources_are_the_names_without_their_numbers(packed: Path) -> None:
    assert set(Photographs(packed, held_out=True, least_chroma=0).sources()) == {"meadow"}


@pytest.mark.parametrize("size", [16, 256])
def test_squares(packed: Path, size: int) -> None:
    photograph = Photographs(packed, held_out=True, least_chroma=0)[0]
    stretched = square(photograph, size)
    assert stretched.shape == (3, size, size)
    assert stretched.float().mean().item() == pytest.approx(photograph.float().mean().item(), abs=2)
