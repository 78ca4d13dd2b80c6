"""A piece of one photograph in another, so that a place is known by what lies there.

After Yun et al., "CutMix" (ICCV 2019): a network that knows a photograph by heart is no wiser by
it about the piece that is none of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LEAST_AREA, MOST_AREA = 0.1, 0.5  # of a photograph
STRIDE = 4  # pixels to each of a coarser grid's positions


def paste(batch: Sequence[Tensor], share: float, generator: torch.Generator) -> None:
    """Puts into the first ``share`` of the photographs a square piece of as many of the last.

    ``batch`` are tensors (N, C, S, S), or (N, C, S/4, S/4) for those on the coarser grid; all are
    changed alike, in place. Pieces of one batch are of one size, and of and at one place.
    """
    count = min(round(share * len(batch[0])), len(batch[0]) // 2)
    if not count:
        return
    side = max(one.shape[-1] for one in batch)
    area = LEAST_AREA + (MOST_AREA - LEAST_AREA) * torch.rand((), generator=generator).item()
    piece = int(side * area**0.5) // STRIDE
    places = torch.randint(0, side // STRIDE - piece + 1, (4,), generator=generator).tolist()
    for one in batch:
        scale = one.shape[-1] * STRIDE // side
        to_y, to_x, from_y, from_x = (
            slice(place * scale, (place + piece) * scale) for place in places
        )
        one[:count, :, to_y, to_x] = one[-count:, :, from_y, from_x]
