from __future__ import annotations

import numpy as np
from PIL import Image

from deepcolor.training.duplicates import difference_hash, repeats
from tests.deepcolor.training.conftest import meadow


def looked_at(*images: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    small = [np.asarray(image.resize((16, 16), Image.Resampling.BILINEAR)) for image in images]
    return np.array([difference_hash(image) for image in images]), np.array(small)


def test_a_smaller_brighter_copy_repeats_and_another_photograph_does_not() -> None:
    one, other = meadow(1), meadow(2)
    copy = one.resize((64, 48)).point(lambda code: min(255, code + 4))
    assert repeats(*looked_at(one, other, copy)).tolist() == [False, False, True]


def test_only_what_repeats_a_kept_one_is_dropped() -> None:
    assert repeats(*looked_at(meadow(1), meadow(1), meadow(1))).tolist() == [False, True, True]


def test_plain_walls_of_other_colors_are_no_copies() -> None:
    walls = [Image.new("RGB", (90, 60), color) for color in ("tan", "skyblue", "olive")]
    hashes, miniatures = looked_at(*walls)
    assert len(set(hashes.tolist())) == 1
    assert not repeats(hashes, miniatures).any()


def test_hashes_may_differ_in_few_bits_only() -> None:
    miniatures = np.zeros((5, 16, 16, 3), np.uint8)
    hashes = np.array([0, 0b111, 1 << 63 | 1 << 33 | 1 << 17 | 1, 0xFFFF, 0b1111 << 8], np.uint64)
    assert repeats(hashes, miniatures).tolist() == [False, True, False, False, False]
