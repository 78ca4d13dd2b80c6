"""The true photographs of a folder, each decoded once and kept small for as long as they matter."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from deepcolor.errors import DeepcolorError
from deepcolor.lab import rgb_to_lab
from deepcolor.photograph import decode

SIDE = 256
BYTES = 3 * SIDE * SIDE
IN_MEMORY = 1 << 28  # bytes, beyond which the disk takes over
CELLS = 256  # of one a*b* unit, across and down
MEDIAN_STEPS = 200


@dataclass(frozen=True)
class Truth:
    """A photograph as it should be: uint8 (3, 256, 256), and its own width and height."""

    path: Path
    size: tuple[int, int]
    rgb: Tensor


def read(paths: Sequence[Path]) -> Iterator[tuple[Path, Truth | DeepcolorError]]:
    """Each photograph in order, or what is wrong with it; several are decoded at once."""
    pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="deepcolor")
    try:
        yield from zip(paths, pool.map(_truth, paths), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


class Truths:
    """Any number of photographs in little memory: beyond a thousand or so, in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (closed on exit)
        self._known: list[tuple[Path, tuple[int, int]]] = []
        self._counts = torch.zeros(CELLS * CELLS, dtype=torch.int64)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Truth]:
        self._file.seek(0)
        for path, size in self._known:
            pixels = np.frombuffer(self._file.read(BYTES), np.uint8).copy()
            yield Truth(path, size, torch.from_numpy(pixels).reshape(3, SIDE, SIDE))

    def add(self, truth: Truth) -> None:
        self._known.append((truth.path, truth.size))
        self._file.write(truth.rgb.numpy().tobytes())
        a, b = rgb_to_lab(truth.rgb)[1:].round().long().flatten(1) + CELLS // 2
        self._counts += torch.bincount(a * CELLS + b, minlength=CELLS * CELLS)

    def median(self) -> tuple[float, float]:
        """The a*b* of least mean distance to all pixels' (the geometric median), within 0.5.

        Weiszfeld's iteration on the counts of one-unit cells.
        """
        cell = self._counts.nonzero().squeeze(1)
        count = self._counts[cell].double()
        colors = torch.stack((cell // CELLS, cell % CELLS), dim=1).double() - CELLS // 2
        median = (count[:, None] * colors).sum(dim=0) / count.sum()
        for _ in range(MEDIAN_STEPS):
            pull = count / (colors - median).norm(dim=1).clamp_min(1e-3)
            median = (pull[:, None] * colors).sum(dim=0) / pull.sum()
        a, b = median.tolist()
        return round(a, 2), round(b, 2)


def _truth(path: Path) -> Truth | DeepcolorError:
    try:
        pixels = decode(path).pixels.convert("RGB")
    except DeepcolorError as error:
        return error
    small = pixels.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return Truth(path, pixels.size, torch.from_numpy(np.array(small)).permute(2, 0, 1))
