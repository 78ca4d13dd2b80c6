"""Photographs that are nearly the same, found by a perceptual hash."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BANDS = 4  # of 16 bits: two hashes that differ in fewer bits than bands share one
MOST_BITS = BANDS - 1
MOST_DIFFERENCE = 10.0  # codes, on average over the miniatures


def difference_hash(image: Image.Image) -> np.uint64:
    """64 bits: whether each cell of a 9x8 gray miniature is darker than its right neighbor."""
    gray = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BILINEAR))
    return np.packbits(gray[:, :-1] < gray[:, 1:]).view(np.uint64)[0]


def repeats(hashes: NDArray[np.uint64], miniatures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which photographs repeat an earlier one, (N,) of hashes (N,) and miniatures (N, h, w, 3).

    Hashes of plain skies agree by chance, so that the miniatures must agree as well.
    """
    repeated = np.zeros(len(hashes), dtype=bool)
    words = hashes.view(np.uint16).reshape(-1, BANDS)
    small = miniatures.astype(np.int16)
    for band in range(BANDS):
        buckets: defaultdict[int, list[int]] = defaultdict(list)
        for i, word in enumerate(words[:, band].tolist()):
            buckets[word].append(i)
        for bucket in buckets.values():
            members = np.array(bucket)
            for place, i in enumerate(members[1:], start=1):
                before = members[:place][~repeated[members[:place]]]
                near = before[np.bitwise_count(hashes[before] ^ hashes[i]) <= MOST_BITS]
                if len(near):
                    apart = np.abs(small[near] - small[i]).mean(axis=(1, 2, 3))
                    repeated[i] |= bool((apart <= MOST_DIFFERENCE).any())
    return repeated
