"""A package of strategies that do, on demand, what a native library does on a bad day.

``perilous`` has a knob ``peril`` that says what goes wrong; without it, it colors quickly, and
always the same. While it colors it rings at ``$CHAOS_BELL``, if there is one, so that who listens
knows when. ``sealed`` has weights that must be fetched. The package's BMP decoder ends the process
over files that say so, or finds them damaged once it has seen others.
"""

import hashlib
import os
import signal
import time
import urllib.request
from pathlib import Path

import numpy as np
from PIL import BmpImagePlugin, Image

from deepcolor import Knob, License, Strategy, StrategyCard, WeightFile

EXIT, SEGFAULT, HANG, HOG, BUG, OUT_OF_MEMORY_ONCE, OUT_OF_MEMORY, NO_NUMBERS, WORN = range(1, 10)
GPU_BUG = 10
FATAL = b"this ends the decoder"
TIRING = b"this tires the decoder"
SEAL = bytes(200_000)

once = iter([True])
colored = []
FEW = 2  # what is colored to try a strategy out, and one photograph


class Perilous(Strategy):
    card = StrategyCard(
        name="perilous",
        title="Perilous",
        description="Does what a native library does on a bad day.",
        url="https://example.org",
        license=License(code="Apache-2.0", weights="none"),
        training_data="none",
        size=64,
        knobs=(
            Knob("peril", "what goes wrong", low=0, default=0, high=GPU_BUG),
            Knob("seconds", "how long it takes", low=0, default=0, high=60),
        ),
    )

    def predict(self, l, knobs, hints):
        import torch

        if bell := os.environ.get("CHAOS_BELL"):
            urllib.request.urlopen(f"{bell}/coloring", timeout=60).close()
        time.sleep(knobs["seconds"])
        peril = knobs["peril"]
        colored.append(peril)
        if peril == EXIT:
            os._exit(7)
        if peril == SEGFAULT:
            os.kill(os.getpid(), signal.SIGSEGV)
        if peril == HANG:
            time.sleep(100_000)
        if peril == HOG:
            hoard = []
            while True:
                hoard.append(np.empty(64 * 2**20, np.uint8))  # wanted, not touched: at once
        if peril == BUG:
            raise ValueError("a bug of this strategy")
        if GPU_BUG in colored:  # from then on, as CUDA's errors stay
            torch.cuda.is_available = lambda: True
            raise ValueError("a bug of this strategy, or of the GPU")
        if peril == OUT_OF_MEMORY or (peril == OUT_OF_MEMORY_ONCE and next(once, False)):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        if peril == WORN and len(colored) > FEW:
            raise MemoryError
        warmth = (l - 50) / 2
        ab = torch.cat((warmth, warmth.abs()), dim=1)
        return ab * float("nan") if peril == NO_NUMBERS else ab


class Sealed(Strategy):
    card = StrategyCard(
        name="sealed",
        title="Sealed",
        description="Its weights must be fetched.",
        url="https://example.org",
        license=License(code="Apache-2.0", weights="none"),
        training_data="none",
        size=64,
        weights=(
            WeightFile(
                filename="seal.bin",
                bytes=len(SEAL),
                sha256=hashlib.sha256(SEAL).hexdigest(),
                url=Path(__file__).with_name("seal.bin").as_uri(),
            ),
        ),
    )

    def predict(self, l, knobs, hints):
        return 0 * l.repeat(1, 2, 1, 1)


def open_bmp(file, filename):
    start = file.tell()
    content = file.read()
    if FATAL in content:
        os._exit(7)
    if TIRING in content and len(colored) >= FEW:
        raise OSError("broken data stream")
    file.seek(start)
    return BmpImagePlugin.BmpImageFile(file, filename)


Image.preinit()  # or it would register its own once more
Image.register_open("BMP", open_bmp, Image.OPEN["BMP"][1])
