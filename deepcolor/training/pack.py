"""Decodes training photographs once, into one file of pixels that any run maps into memory."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from deepcolor.disk import is_there, locked
from deepcolor.errors import DeepcolorError, UnreadableFileError, reason
from deepcolor.lab import rgb_to_lab
from deepcolor.photograph import decode
from deepcolor.training import sources
from deepcolor.training.duplicates import difference_hash, repeats
from deepcolor.training.errors import NotPackedError, PackedDamagedError, PackedPlaceError

PIXELS = "pixels.u8"
INDEX = "photographs.npz"
SHORT_SIDE = 320  # pixels at most
MINIATURE = 16
AT_ONCE = 256  # photographs between reading and writing, at most
BYTES_AT_ONCE = 64 << 20  # of them, but for the last one's

Watch = Callable[[str, float, float], None]
"""Told what is done, how much of it, and of how much."""


@dataclass(frozen=True)
class Look:
    """What the index keeps of a photograph: height and width, a miniature, hash, mean chroma."""

    shape: tuple[int, int]
    miniature: NDArray[np.uint8]
    hash: np.uint64
    chroma: float


def packed(data: Path, watch: Watch = lambda *_: None) -> Path:
    """The packed folder of ``data``: itself, or one beside it, made anew when ``data`` changed.

    Where another process packs the same, its end is waited for. Raises
    :class:`deepcolor.errors.UnreadableFileError`, :class:`NotPackedError`, and
    :class:`PackedPlaceError` where a folder of somebody else's would have to go.
    """
    if not is_there(data):
        raise UnreadableFileError(str(data), "there is no such file or folder")
    if is_there(data / INDEX):
        return data
    folder, fresh = _beside(data, "packed"), _beside(data, "packing")
    fingerprint = sources.fingerprint(data)
    if _is_packed(folder, fingerprint):
        return folder
    try:
        for replaced in (folder, fresh):
            if not _is_replaceable(replaced):
                raise PackedPlaceError(replaced)
        with locked(fresh / PIXELS):
            try:
                if not _is_packed(folder, fingerprint):
                    pack(data, fresh, fingerprint, watch)
                    shutil.rmtree(folder, ignore_errors=True)
                    fresh.replace(folder)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise NotPackedError(fresh, reason(error)) from error
    return folder


def index_of(folder: Path) -> dict[str, NDArray[Any]]:
    """What a packed folder tells of its photographs.

    Raises :class:`PackedDamagedError`, also where not all of their pixels are there.
    """
    try:
        with (folder / INDEX).open("rb") as content, np.load(content) as file:
            index = dict(file)
        pixels = int(index["shapes"].prod(axis=1).sum())
        is_whole = (folder / PIXELS).stat().st_size == 3 * pixels
    except (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error) as error:
        raise PackedDamagedError(folder) from error
    if not is_whole:
        raise PackedDamagedError(folder)
    return index


def _is_packed(folder: Path, fingerprint: str) -> bool:
    """Whether a folder holds all of the photographs of this fingerprint."""
    try:
        return str(index_of(folder)["fingerprint"]) == fingerprint
    except PackedDamagedError:
        return False


def _beside(data: Path, suffix: str) -> Path:
    """The folder beside ``data`` that has its name and a suffix."""
    named = data.absolute()  # "." has no name
    if named.name == "..":
        named = named.resolve()
    return named.parent / f"{named.name}.{suffix}"


def _is_replaceable(folder: Path) -> bool:
    """Whether all that a folder holds was packed, to its end or not; one that is not there, too."""
    return not folder.is_dir() or {path.name for path in folder.iterdir()} <= {PIXELS, INDEX}


def pack(data: Path, folder: Path, fingerprint: str, watch: Watch) -> None:
    """Writes pixels and index into a folder; what can't be read is counted, not kept."""
    names: list[str] = []
    looks: list[Look] = []
    unreadable, read, total = 0, 0, sources.total_bytes(data)
    with ThreadPoolExecutor(os.cpu_count()) as pool, (folder / PIXELS).open("wb") as pixels:
        for some in _portions(sources.contents(data)):
            decoded = pool.map(_decoded, (content for _, content in some))
            for (name, content), one in zip(some, decoded, strict=True):
                read += len(content)
                if one is None:
                    unreadable += 1
                else:
                    rgb, look = one
                    pixels.write(rgb.tobytes())
                    names.append(name)
                    looks.append(look)
            watch("MB packed", read / 1e6, total / 1e6)
    miniatures = np.array([look.miniature for look in looks], np.uint8)
    miniatures = miniatures.reshape(-1, MINIATURE, MINIATURE, 3)
    chromas = np.array([look.chroma for look in looks], np.float32)
    hashes = np.array([look.hash for look in looks], np.uint64)
    # Of a photograph and its gray copy, which a run leaves out, it is the copy that repeats.
    colorful_first = np.argsort(-chromas, kind="stable")
    repeated = np.zeros(len(looks), dtype=bool)
    repeated[colorful_first] = repeats(hashes[colorful_first], miniatures[colorful_first])
    np.savez(
        folder / INDEX,
        names=np.array(names, np.str_),
        shapes=np.array([look.shape for look in looks], np.int64).reshape(-1, 2),
        miniatures=miniatures,
        chromas=chromas,
        repeated=repeated,
        unreadable=unreadable,
        fingerprint=fingerprint,
    )


def _portions(photographs: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Some at a time: enough for all cores, and not too much to keep in memory."""
    some: list[tuple[str, bytes]] = []
    weight = 0
    for name, content in photographs:
        some.append((name, content))
        weight += len(content)
        if len(some) == AT_ONCE or weight >= BYTES_AT_ONCE:
            yield some
            some, weight = [], 0
    if some:
        yield some


def _decoded(content: bytes) -> tuple[NDArray[np.uint8], Look] | None:
    try:
        image = decode(content).pixels.convert("RGB")
    except DeepcolorError:
        return None
    scale = SHORT_SIDE / min(image.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    rgb = np.asarray(image)
    lab = rgb_to_lab(torch.from_numpy(rgb[::4, ::4].copy()).permute(2, 0, 1))
    small = image.resize((MINIATURE, MINIATURE), Image.Resampling.BILINEAR)
    return rgb, Look(
        shape=(rgb.shape[0], rgb.shape[1]),
        miniature=np.asarray(small),
        hash=difference_hash(image),
        chroma=lab[1:].norm(dim=0).mean().item(),
    )
