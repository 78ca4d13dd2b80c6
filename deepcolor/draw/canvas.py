"""Images to be drawn into, in memory that earlier ones have left.

The system gives out fresh memory page by page, as it is first written to, which takes as long as to
draw what comes there.
"""

from __future__ import annotations

import weakref

import numpy as np
import torch
from PIL import Image

from deepcolor.draw.memory import core
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


def canvas(size: tuple[int, int]) -> tuple[Image.Image, Codes]:
    """An ``RGB`` image of that width and height, still undrawn, and its memory, as
    :func:`deepcolor.draw.memory.memory` has it.
    """
    width, height = size
    codes = spare.take((height, width, 4))
    mapped = core.map_buffer(codes, size, "raw", 0, ("RGB", 0, 1))
    return Image.new("RGB", (0, 0))._new(mapped), codes
