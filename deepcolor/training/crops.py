"""Random crops of a whole batch at once, cut where the pixels lie, be it memory or a GPU."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

MOST_STRETCH = 2**0.2


@dataclass(frozen=True)
class Crops:
    """Boxes (N, 4) of top, left, height and width in pixels, and which are mirrored (N,)."""

    boxes: Tensor
    mirrored: Tensor


def random_crops(
    shapes: Tensor, generator: torch.Generator, least_area: float, whole: float
) -> Crops:
    """A box for each photograph of ``shapes`` (N, 2), of its largest square.

    A share ``whole`` of the boxes is all of that, the others from ``least_area`` of it on; what is
    stretched is cut off where the photograph ends.
    """
    area, stretch, down, right, flip, chance = torch.rand((6, len(shapes)), generator=generator)
    height, width = shapes.T.float()
    area = torch.where(chance < whole, 1.0, least_area + (1 - least_area) * area)
    side = torch.minimum(height, width) * area.sqrt()
    aspect = MOST_STRETCH ** (2 * stretch - 1)
    h, w = torch.minimum(height, side * aspect), torch.minimum(width, side / aspect)
    return Crops(torch.stack((down * (height - h), right * (width - w), h, w), dim=1), flip < 0.5)


def cut(pixels: Tensor, offsets: Tensor, shapes: Tensor, crops: Crops, size: int) -> Tensor:
    """Crops of photographs in ``pixels`` (M, 3), uint8 (N, 3, ``size``, ``size``).

    Sampled as PIL's bilinear filter does, so that what is made smaller does not alias: two small
    matrix products over a window that holds any of the boxes. All but ``pixels`` come from the
    CPU, which so need not wait for a GPU to know the window.
    """
    window = math.ceil(crops.boxes[:, 2:].max().item()) + 1
    offsets, shapes, boxes, mirrored = (
        one.to(pixels.device, non_blocking=True)
        for one in (offsets, shapes, crops.boxes, crops.mirrored)
    )
    start = boxes[:, :2].floor().long()
    still = torch.zeros_like(mirrored)
    down = _filters(boxes[:, 0::2], start[:, 0], shapes[:, 0], still, window, size)
    right = _filters(boxes[:, 1::2], start[:, 1], shapes[:, 1], mirrored, window, size)
    place = start[:, :, None] + torch.arange(window, device=pixels.device)
    rows, columns = torch.minimum(place, shapes[:, :, None] - 1).unbind(dim=1)
    first = offsets[:, None] + rows * shapes[:, 1:]
    seen = pixels[first[:, :, None] + columns[:, None, :]].permute(0, 3, 1, 2).float()
    resampled = down[:, None] @ seen @ right.mT[:, None]
    return resampled.round_().clamp_(0, 255).to(torch.uint8)


def _filters(
    spans: Tensor, start: Tensor, ends: Tensor, mirrored: Tensor, window: int, size: int
) -> Tensor:
    """Weights (N, ``size``, ``window``) of pixels from ``start`` for spans (N, 2) of one axis."""
    share = (torch.arange(size, device=spans.device) + 0.5) / size
    share = torch.where(mirrored[:, None], 1 - share, share)
    center = spans[:, :1] + share * spans[:, 1:]
    pixel = start[:, None] + torch.arange(window, device=spans.device)
    reach = (spans[:, 1:] / size).clamp_min(1)[:, :, None]
    weight = 1 - (pixel[:, None] + 0.5 - center[:, :, None]).abs() / reach
    weight = weight.clamp_min_(0) * (pixel < ends[:, None])[:, None]
    return weight / weight.sum(dim=2, keepdim=True)
