"""Joins a photograph's own full-resolution L* with a network's small a*b*.

Works down the photograph in strips, so that memory beyond the result stays the same for any size,
but for the gray of a photograph that came in RGB.
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
CHROMA_OF_F = torch.tensor([500.0, -200.0], dtype=torch.float32, device="cpu")[:, None, None]
"""How a* and b* stand to f(X) − f(Y) and f(Z) − f(Y)."""


def network_lightness(photograph: Photograph, size: tuple[int, int], *, exact: bool) -> Tensor:
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
        return _join_deep(photograph.deep, draw.Enlarged.of(ab.numpy(), photograph.size))
    gray = lightness_codes(photograph)
    pixels = photograph.pixels if gray is None else gray
    chroma = draw.Enlarged.of((ab / CHROMA_OF_F).numpy(), photograph.size)
    width, height = photograph.size
    canvas = draw.canvas(photograph.size)
    threads = min(torch.get_num_threads(), math.ceil(width * height / draw.Strip.PIXELS))
    edges = [height * i // threads for i in range(threads + 1)]
    rows = max(1, draw.Strip.PIXELS // width)

    def band(i: int) -> None:
        strip = draw.Strip(rows * width)
        for top in range(edges[i], edges[i + 1], rows):
            bottom = min(edges[i + 1], top + rows)
            strip.draw(_codes(pixels, top, bottom), chroma, top, canvas[top:bottom])

    if threads == 1:
        band(0)
    else:
        with ThreadPoolExecutor(threads, thread_name_prefix="join") as pool:
            list(pool.map(band, range(threads)))
    return draw.image_of(canvas)


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


def _join_deep(codes: NDArray[np.uint16], chroma: draw.Enlarged) -> NDArray[np.uint16]:
    """Sixteen-bit gray (H, W) in color, without tables."""
    height, width = codes.shape
    out = np.empty((height, width, 3), np.uint16)
    rows = max(1, DEEP_STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        l = _lightness_of_gray(1 << 16)[torch.from_numpy(codes[top:bottom].astype(np.int64))][None]
        ab = lab.fit_gamut(l, torch.from_numpy(chroma.rows(top, bottom)))
        out[top:bottom] = lab.lab_to_rgb(l, ab, deep=True).permute(1, 2, 0).numpy()
    return out


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
        # So, for an index in brackets takes three times as long.
        return torch.index_select(_lightness_of_gray(256), 0, codes.int().view(-1)).view(
            codes.shape
        )
    weights = torch.tensor(lab.RGB_TO_XYZ[1], dtype=torch.float32)
    luminance = torch.einsum("c,chw->hw", weights, lab.linear_rgb(codes))
    return lab.lightness(luminance)[None]
