"""Images to be drawn into, in memory that earlier ones have left.

The system gives out fresh memory page by page, as it is first written to, which takes as long as to
draw what comes there.
"""

from __future__ import annotations

import weakref

import numpy as np
import torch
from PIL import Image

from deepcolor.draw.tables import Codes

KEPT_BYTES = 128 << 20  # two photographs of 16 megapixels


class Spare:
    """Memory that nobody uses. For any number of threads: each step is of one operation."""

    def __init__(self) -> None:
        self.blocks: dict[int, Codes] = {}  # by their address, what was left last at the end

    def take(self, shape: tuple[int, ...]) -> Codes:
        """Codes of whatever was there, which are spare again once nothing refers to them."""
        count = int(np.prod(shape))
        # Of several the one that was left last: it may still be in a core's cache.
        enough = [block for block in reversed(list(self.blocks.values())) if block.size >= count]
        block = self._claim(min(enough, key=len)) if enough else None
        if block is None:
            # By torch: NumPy asks for pages of 2 MB, which some virtual machines take long to find.
            block = torch.empty(count, dtype=torch.uint8).numpy()
        codes = block[:count].reshape(shape)
        if count <= KEPT_BYTES:
            weakref.finalize(codes, self.keep, block).atexit = False
        return codes

    def keep(self, block: Codes) -> None:
        """Makes room by giving up what has been spare for longest."""
        self.blocks[block.ctypes.data] = block
        blocks = list(self.blocks.values())
        surplus = sum(map(len, blocks)) - KEPT_BYTES
        for oldest in blocks:
            if surplus <= 0:
                break
            self._claim(oldest)
            surplus -= len(oldest)

    def _claim(self, block: Codes) -> Codes | None:
        """``None`` if another was faster."""
        return self.blocks.pop(block.ctypes.data, None)


spare = Spare()


def canvas(size: tuple[int, int]) -> Codes:
    """Memory (H, W, 4) for an ``RGB`` image of that width and height, still undrawn, as
    :func:`deepcolor.draw.memory.memory` has it.
    """
    width, height = size
    return spare.take((height, width, 4))


def image_of(codes: Codes) -> Image.Image:
    """The ``RGB`` image whose own memory the codes of a canvas are.

    Pillow does not promise what that needs; where it is gone, the codes are copied.
    """
    height, width, _ = codes.shape
    try:
        core = Image.core  # type: ignore[attr-defined]  # as Pillow's documentation of Arrow says
        mapped = core.map_buffer(codes, (width, height), "raw", 0, ("RGB", 0, 1))
        return Image.new("RGB", (0, 0))._new(mapped)
    except (AttributeError, TypeError):
        return Image.fromarray(np.ascontiguousarray(codes[..., :3]))
