"""Drawing by draw.c, if it was compiled when deepcolor was installed (hatch_build.py)."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
from PIL import Image

from deepcolor.draw import tables
from deepcolor.draw.tables import Codes, Floats


class _Tables(ctypes.Structure):
    """As draw.c declares them."""

    _fields_ = (
        ("mixing", ctypes.c_void_p),
        ("gamma", ctypes.c_void_p),
        ("last", ctypes.c_float),
        ("close", ctypes.c_float),
    )


def _load() -> ctypes.CDLL | None:
    path = Path(__file__).with_name("draw.so")
    if not path.exists():
        return None
    found = ctypes.CDLL(str(path))
    found.deepcolor_draw.restype = None
    found.deepcolor_draw.argtypes = (ctypes.c_int64, *[ctypes.c_void_p] * 6)
    return found


library = _load()


class Strip:
    """The working space for ``pixels`` pixels; a thread each."""

    PIXELS = 1 << 17  # about what a core's own cache holds

    def __init__(self, pixels: int):
        self.codes = np.zeros((pixels, 4), np.uint8)
        self.tables = _Tables(
            tables.mixing().ctypes.data,
            tables.gamma().ctypes.data,
            tables.LAST,
            tables.CLOSE,
        )

    def draw(self, codes: Codes, da: Floats, db: Floats, width: int) -> Image.Image:
        """As :meth:`deepcolor.draw.passes.Strip.draw` does."""
        assert library is not None
        n = len(da)
        of_level, levels = tables.tones(codes)
        levels = levels.astype(np.uint16, copy=False)
        library.deepcolor_draw(
            n,
            levels.ctypes.data,
            of_level.ctypes.data,
            da.ctypes.data,
            db.ctypes.data,
            ctypes.addressof(self.tables),
            self.codes.ctypes.data,
        )
        return Image.frombytes("RGB", (width, n // width), self.codes[:n], "raw", "RGBX")
