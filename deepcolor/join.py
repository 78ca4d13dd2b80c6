"""Joins a photograph's own full-resolution L* with a network's small a*b*.

Works down the photograph in strips, so that memory beyond the result stays the same for any size.
"""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from deepcolor import lab
from deepcolor.photograph import Photograph, lightness_codes

STRIP_PIXELS = 1 << 19

Upsampling = Literal["bilinear", "bicubic"]


def network_lightness(photograph: Photograph, size: tuple[int, int]) -> Tensor:
    """L* (1, H, W) of a photograph resized to ``size`` (width, height), as the network sees it."""
    small = photograph.pixels.resize(size, Image.Resampling.BICUBIC)
    return _lightness(torch.from_numpy(_channels(small).copy()))


def join(
    photograph: Photograph,
    ab: Tensor,
    *,
    upsampling: Upsampling = "bicubic",
    saturation: float = 1.0,
    deep: bool = False,
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The photograph in color as sRGB codes (H, W, 3), of its own size.

    ``ab`` (2, h, w) is what the network gave. L* stays within one code of the photograph's: colors
    that sRGB lacks lose chroma, never lightness. With ``deep``, a sixteen-bit photograph gives
    uint16, otherwise it is uint8.
    """
    width, height = photograph.size
    is_deep = deep and photograph.deep is not None
    channels = _codes(photograph, is_deep)
    rows = resampling(ab.shape[1], height, upsampling).to(ab.device)
    columns = resampling(ab.shape[2], width, upsampling).to(ab.device)
    out = np.empty((height, width, 3), channels.dtype)
    step = max(1, STRIP_PIXELS // width)
    for top in range(0, height, step):
        bottom = min(height, top + step)
        l = _lightness(torch.from_numpy(channels[:, top:bottom].copy()).to(ab.device))
        colors = (rows[top:bottom] @ (ab * saturation)) @ columns.T
        rgb = lab.lab_to_rgb(l, lab.fit_gamut(l, colors), deep=is_deep)
        out[top:bottom] = rgb.permute(1, 2, 0).cpu().numpy()
    return out


@functools.lru_cache(maxsize=16)
def resampling(inputs: int, outputs: int, kind: Upsampling) -> Tensor:
    """The matrix (outputs, inputs) that enlarges one axis, with half-pixel centers.

    Two such products are an exact enlargement that can be cut into strips.
    """
    identity = torch.eye(inputs)[None, None]
    enlarged = F.interpolate(identity, (outputs, inputs), mode=kind, align_corners=False)
    return enlarged[0, 0]


def _channels(image: Image.Image) -> NDArray[np.uint8]:
    """8-bit codes (1 or 3, H, W), a view into the image."""
    codes = np.asarray(image)
    return codes[None] if codes.ndim == 2 else codes.transpose(2, 0, 1)


def _codes(photograph: Photograph, deep: bool) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Codes (1 or 3, H, W): one channel where the photograph is gray."""
    if deep and photograph.deep is not None:
        return photograph.deep[None]
    gray = lightness_codes(photograph)
    return _channels(photograph.pixels if gray is None else gray)


@functools.cache
def _lightness_of_gray(levels: int) -> Tensor:
    """L* of each gray code, shape (levels,)."""
    code = torch.linspace(0, 1, levels, dtype=torch.float64)
    return lab.lightness(lab.decode_gamma(code)).float()


def _lightness(codes: Tensor) -> Tensor:
    """L* (1, H, W) of uint8 codes (1 or 3, H, W) or uint16 ones (1, H, W)."""
    if len(codes) == 1:
        levels = 1 << (8 * codes.element_size())
        return _lightness_of_gray(levels).to(codes.device)[codes.long()]
    weights = torch.tensor(lab.RGB_TO_XYZ[1], device=codes.device)
    luminance = torch.einsum("c,chw->hw", weights, lab.linear_rgb(codes))
    return lab.lightness(luminance)[None]
