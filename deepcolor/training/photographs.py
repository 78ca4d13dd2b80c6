"""Training photographs, decoded once into one memory-mapped file of uint8 pixels."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from deepcolor.lab import rgb_to_lab

PIXELS = "pixels.u8"
INDEX = "index.npz"
HELD_OUT_ONE_IN = 42


def pack(shards: Iterable[Path], folder: Path) -> int:
    """Decodes the photographs of tar ``shards`` into ``folder``; gives back how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    names, shapes, chromas = [], [], []
    with (folder / PIXELS).open("wb") as pixels:
        for name, rgb in _decoded(shards):
            names.append(name)
            shapes.append(rgb.shape[:2])
            lab = rgb_to_lab(torch.from_numpy(rgb).permute(2, 0, 1)[:, ::4, ::4])
            chromas.append(lab[1:].norm(dim=0).mean().item())
            pixels.write(rgb.tobytes())
    np.savez(folder / INDEX, names=names, shapes=shapes, chromas=chromas)
    return len(names)


def _decoded(shards: Iterable[Path]) -> Iterator[tuple[str, np.ndarray]]:
    for shard in shards:
        with tarfile.open(shard) as tar:
            for member in tar:
                file = tar.extractfile(member)
                if file is not None:
                    with Image.open(io.BytesIO(file.read())) as image:
                        yield Path(member.name).stem, np.array(image.convert("RGB"))


class Photographs:
    """The packed photographs of one split, near-gray ones left out.

    Held out are those whose name hashes to 0 in 42, so the split never depends on an order.
    """

    def __init__(self, folder: Path, *, held_out: bool, least_chroma: float):
        index = np.load(folder / INDEX)
        self.pixels = np.memmap(folder / PIXELS, np.uint8, mode="r")
        sizes = index["shapes"].prod(axis=1) * 3
        offsets = np.concatenate(([0], sizes.cumsum()[:-1]))
        chosen = [
            i
            for i, name in enumerate(index["names"])
            if _is_held_out(name) == held_out and index["chromas"][i] >= least_chroma
        ]
        self.names = [str(index["names"][i]) for i in chosen]
        self.shapes = index["shapes"][chosen]
        self.offsets = offsets[chosen]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> Tensor:
        """One photograph, uint8 (3, H, W)."""
        h, w = (int(side) for side in self.shapes[i])
        flat = self.pixels[self.offsets[i] : self.offsets[i] + h * w * 3]
        return torch.from_numpy(flat.reshape(h, w, 3).copy()).permute(2, 0, 1)

    def sources(self) -> list[str]:
        """The data set each photograph is from: its name up to the last underscore."""
        return [name.rpartition("_")[0] for name in self.names]


def square(photograph: Tensor, size: int) -> Tensor:
    """A photograph stretched to ``size`` × ``size``, as the 256x256 protocol does."""
    return F.interpolate(photograph[None], (size, size), mode="bilinear", antialias=True)[0]


def _is_held_out(name: str) -> bool:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % HELD_OUT_ONE_IN == 0
