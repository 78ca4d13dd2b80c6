"""Joins a photograph's own full-resolution L* with a network's small a*b*.

Works down the photograph in strips, so that memory beyond the result stays the same for any size.
"""

from __future__ import annotations

import functools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from deepcolor import draw, lab
from deepcolor.photograph import Photograph, lightness_codes

DEEP_STRIP_PIXELS = 1 << 19
REDUCING_GAP = 4.0  # times as large as wanted, at least, is what the squares leave
ROWS = 16  # mixed at once, from little more than each of them needs
MOST_PRODUCTS = 1 << 18  # in one product of matrices; with more, OpenBLAS would start threads
CHROMA_OF_F = torch.tensor([500.0, -200.0])[:, None, None]
"""How a* and b* stand to f(X) − f(Y) and f(Z) − f(Y)."""


def network_lightness(
    photograph: Photograph, size: tuple[int, int], *, exact: bool = True
) -> Tensor:
    """L* (1, H, W) of a photograph resized to ``size`` (width, height), as the network sees it.

    Bicubic. Unless ``exact``, means of whole squares of pixels come first where the photograph is
    many times larger: within 0.1 of the same L* on average, and several times faster.
    """
    gap = None if exact else REDUCING_GAP
    small = photograph.pixels.resize(size, Image.Resampling.BICUBIC, reducing_gap=gap)
    return _lightness(torch.from_numpy(_channels(small).copy()))


def join(
    photograph: Photograph,
    ab: Tensor,
    *,
    saturation: float = 1.0,
    deep: bool = False,
) -> Image.Image | NDArray[np.uint16]:
    """The photograph in color, an image of mode ``RGB`` and of its own size.

    ``ab`` (2, h, w) is what the network gave. L* stays within one code of the photograph's: colors
    that sRGB lacks lose chroma, never lightness. With ``deep``, a sixteen-bit photograph gives its
    sRGB codes (H, W, 3) as uint16. Runs in as many threads as torch does here.
    """
    ab = ab.cpu().float() * saturation
    if deep and photograph.deep is not None:
        return _join_deep(photograph.deep, Enlarger(ab.numpy(), photograph.size))
    gray = lightness_codes(photograph)
    pixels = photograph.pixels if gray is None else gray
    enlarge = Enlarger((ab / CHROMA_OF_F).numpy(), photograph.size)
    width, height = photograph.size
    colored, canvas = draw.canvas(photograph.size)
    threads = min(torch.get_num_threads(), math.ceil(width * height / draw.Strip.PIXELS))
    edges = [height * i // threads for i in range(threads + 1)]
    rows = max(1, draw.Strip.PIXELS // width)

    def band(i: int) -> None:
        strip = draw.Strip(rows * width)
        for top in range(edges[i], edges[i + 1], rows):
            bottom = min(edges[i + 1], top + rows)
            da, db = enlarge(top, bottom).reshape(2, -1)
            codes = _codes(pixels, top, bottom)
            strip.draw(codes, da, db, canvas[top:bottom].reshape(-1, 4))

    if threads == 1:
        band(0)
    else:
        with ThreadPoolExecutor(threads, thread_name_prefix="join") as pool:
            list(pool.map(band, range(threads)))
    return colored


def join_as_published(photograph: Photograph, ab: Tensor) -> Image.Image:
    """The photograph in color as the papers' released code joins it, exactly; mode ``RGB``.

    ``ab`` (2, h, w) is enlarged bilinearly, and colors that sRGB lacks are clipped, which moves L*.
    """
    l = _lightness(torch.from_numpy(_channels(photograph.pixels).copy()))
    wide = F.interpolate(ab.cpu().float()[None], l.shape[1:], mode="bilinear")[0]
    return Image.fromarray(lab.lab_to_rgb(l, wide).permute(1, 2, 0).numpy())


def _codes(image: Image.Image, top: int, bottom: int) -> NDArray[np.uint8]:
    """Codes of some rows, (n,) or (n, 3)."""
    whole = draw.memory(image) if image.mode == "L" else None
    if whole is not None:
        return whole[top:bottom].reshape(-1)
    codes = np.asarray(image.crop((0, top, image.width, bottom)))
    return codes.reshape(-1, *codes.shape[2:])


def _join_deep(codes: NDArray[np.uint16], enlarge: Enlarger) -> NDArray[np.uint16]:
    """Sixteen-bit gray (H, W) in color, computed exactly."""
    height, width = codes.shape
    out = np.empty((height, width, 3), np.uint16)
    rows = max(1, DEEP_STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        l = _lightness_of_gray(1 << 16)[torch.from_numpy(codes[top:bottom].astype(np.int64))][None]
        ab = lab.fit_gamut(l, torch.from_numpy(enlarge(top, bottom)))
        out[top:bottom] = lab.lab_to_rgb(l, ab, deep=True).permute(1, 2, 0).numpy()
    return out


class Enlarger:
    """a*b* (2, h, w) at the size of a photograph, bicubic, a few rows at a time.

    The rows are widened once; a row of the photograph then mixes only the two or four of them
    that its kernel reaches.
    """

    def __init__(self, ab: NDArray[np.float32], size: tuple[int, int]):
        width, height = size
        # torch keeps to the threads that it is given.
        widening = resampling(ab.shape[2], width)
        self.wide = torch.matmul(torch.from_numpy(ab), widening.T).numpy()
        self.row_weights = resampling(ab.shape[1], height).numpy()
        reached = self.row_weights != 0
        self.first = reached.argmax(axis=1)
        self.last = self.row_weights.shape[1] - reached[:, ::-1].argmax(axis=1)
        most_taps = 4 + ROWS * ab.shape[1] // height
        self.rows = max(1, min(ROWS, MOST_PRODUCTS // (most_taps * width)))

    def __call__(self, top: int, bottom: int) -> NDArray[np.float32]:
        """The rows ``top`` to ``bottom``, (2, bottom − top, W)."""
        out = np.empty((2, bottom - top, self.wide.shape[2]), np.float32)
        for begin in range(top, bottom, self.rows):
            end = min(bottom, begin + self.rows)
            reach = slice(self.first[begin:end].min(), self.last[begin:end].max())
            weights = self.row_weights[begin:end, reach]
            np.matmul(weights, self.wide[:, reach], out=out[:, begin - top : end - top])
        return out


@functools.lru_cache(maxsize=16)
def resampling(inputs: int, outputs: int) -> Tensor:
    """The matrix (outputs, inputs) that enlarges one axis bicubically, with half-pixel centers.

    Two such products are an exact enlargement that can be cut into strips. The kernel is Keys's
    (IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1981) with the slope −0.75,
    as torch has it; beyond the edge lies the edge.
    """
    centers = (np.arange(outputs) + 0.5) * inputs / outputs - 0.5
    first = np.floor(centers).astype(int) - 1
    matrix = np.zeros((outputs, inputs))
    for tap in range(4):
        distance = np.abs(centers - (first + tap))
        inner = ((1.25 * distance - 2.25) * distance) * distance + 1
        outer = -0.75 * (((distance - 5) * distance + 8) * distance - 4)
        reached = (first + tap).clip(0, inputs - 1)
        # One tap at a time, for at the edge several taps reach the same input.
        matrix[np.arange(outputs), reached] += np.where(distance <= 1, inner, outer)
    return torch.from_numpy(matrix.astype(np.float32))


def _channels(image: Image.Image) -> NDArray[np.uint8]:
    """8-bit codes (1 or 3, H, W), a view into the image."""
    codes = np.asarray(image)
    return codes[None] if codes.ndim == 2 else codes.transpose(2, 0, 1)


@functools.cache
def _lightness_of_gray(levels: int) -> Tensor:
    """L* of each gray code, shape (levels,)."""
    code = torch.linspace(0, 1, levels, dtype=torch.float64)
    return lab.lightness(lab.decode_gamma(code)).float()


def _lightness(codes: Tensor) -> Tensor:
    """L* (1, H, W) of uint8 codes (1 or 3, H, W)."""
    if len(codes) == 1:
        return _lightness_of_gray(256)[codes.long()]
    weights = torch.tensor(lab.RGB_TO_XYZ[1])
    luminance = torch.einsum("c,chw->hw", weights, lab.linear_rgb(codes))
    return lab.lightness(luminance)[None]
