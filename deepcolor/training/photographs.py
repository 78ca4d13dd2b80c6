"""The packed photographs of a run: what is left out, what is learned from, what is held out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from deepcolor.training.errors import TooFewPhotographsError
from deepcolor.training.pack import PIXELS, index_of

HELD_OUT_ONE_IN = 42
GRAY = 0.5  # mean chroma, which rounding to codes alone may give


@dataclass(frozen=True)
class Dropped:
    """How many photographs are neither learned from nor held out, and why."""

    unreadable: int
    gray: int
    nearly_gray: int
    repeated: int

    def __str__(self) -> str:
        return (
            f"dropped {self.gray:,} gray, {self.nearly_gray:,} near-gray, "
            f"{self.repeated:,} near-duplicates, {self.unreadable:,} unreadable"
        )


@dataclass(frozen=True)
class Photographs:
    """Some of the packed photographs, in the order of a hash of their names.

    ``pixels`` (M, 3) are those of all, row by row; photograph i begins at ``offsets[i]`` and has
    ``shapes[i]``, a height and a width. ``miniatures`` (N, 3, 16, 16) are uint8.
    """

    names: list[str]
    pixels: Tensor
    offsets: Tensor
    shapes: Tensor
    miniatures: Tensor

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> Tensor:
        """One photograph, uint8 (3, H, W)."""
        height, width = self.shapes[i].tolist()
        begin = int(self.offsets[i])
        return self.pixels[begin : begin + height * width].view(height, width, 3).permute(2, 0, 1)

    def digest(self) -> str:
        """Another whenever they are others, wherever they lie: a sha256 in hex."""
        told = hashlib.sha256("\n".join(self.names).encode(errors="surrogateescape"))
        told.update(self.shapes.numpy().tobytes())
        told.update(self.miniatures.numpy().tobytes())
        return told.hexdigest()

    def sources(self) -> list[str]:
        """Where each is from: its folder, or else its name up to the last underscore."""
        parts = [(name.rpartition("/")[0], name.rpartition("_")[0]) for name in self.names]
        return [folder or stem for folder, stem in parts]


def split(folder: Path, least_chroma: float) -> tuple[Photographs, Photographs, Dropped]:
    """Those to learn from and those held out of a packed folder, and how many are in neither.

    Held out are those whose name hashes to 0 in 42, so that the split never depends on an order or
    on which others there are; only where that is none, it is the first by its hash.

    Raises :class:`TooFewPhotographsError` and
    :class:`deepcolor.training.errors.PackedDamagedError`.
    """
    index = index_of(folder)
    chromas, repeated = index["chromas"], index["repeated"]
    gray = chromas < GRAY
    nearly = ~gray & (chromas < least_chroma)
    dropped = Dropped(
        unreadable=int(index["unreadable"]),
        gray=int(gray.sum()),
        nearly_gray=int(nearly.sum()),
        repeated=int((repeated & ~gray & ~nearly).sum()),
    )
    left = np.flatnonzero(~gray & ~nearly & ~repeated)
    if len(left) < 2:
        raise TooFewPhotographsError(folder, len(left), str(dropped))
    numbers = np.array([_number(str(name)) for name in index["names"]], np.int64)
    left = left[np.argsort(numbers[left], kind="stable")]
    held_out = numbers[left] % HELD_OUT_ONE_IN == 0
    if not held_out.any() or held_out.all():
        held_out = np.arange(len(left)) == 0
    pixels = _mapped(folder / PIXELS)
    return (
        _chosen(index, left[~held_out], pixels),
        _chosen(index, left[held_out], pixels),
        dropped,
    )


def square(photograph: Tensor, size: int) -> Tensor:
    """A photograph stretched to ``size`` × ``size``, as the 256x256 protocol has them.

    From the packed one and bilinear, which makes up to 0.1 dB of difference to evaluation.
    """
    return F.interpolate(photograph[None], (size, size), mode="bilinear", antialias=True)[0]


def _number(name: str) -> int:
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:4])


def _mapped(path: Path) -> Tensor:
    """Pixels (M, 3) that stay on the disk until they are looked at."""
    size = path.stat().st_size
    return torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8).view(-1, 3)


def _chosen(
    index: dict[str, NDArray[np.generic]], chosen: NDArray[np.int64], pixels: Tensor
) -> Photographs:
    shapes = torch.from_numpy(index["shapes"])
    ends = shapes.prod(dim=1).cumsum(dim=0)
    rows = torch.from_numpy(chosen)
    return Photographs(
        names=[str(index["names"][i]) for i in chosen],
        pixels=pixels,
        offsets=(ends - shapes.prod(dim=1))[rows],
        shapes=shapes[rows],
        miniatures=torch.from_numpy(index["miniatures"]).permute(0, 3, 1, 2)[rows],
    )
