"""Drawing by draw.c, if it was compiled when deepcolor was installed (hatch_build.py)."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

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
    """Draws; a thread each, as its counterpart in passes.py needs it."""

    PIXELS = 1 << 17  # at once: about what a core's own cache holds

    def __init__(self, pixels: int):
        self.tables = _Tables(
            tables.mixing().ctypes.data,
            tables.gamma().ctypes.data,
            tables.LAST,
            tables.CLOSE,
        )

    def draw(self, codes: Codes, da: Floats, db: Floats, out: Codes) -> None:
        """As :meth:`deepcolor.draw.passes.Strip.draw` does."""
        assert library is not None
        of_level, levels = tables.tones(codes)
        levels = levels.astype(np.uint16, copy=False)
        library.deepcolor_draw(
            len(da),
            levels.ctypes.data,
            of_level.ctypes.data,
            da.ctypes.data,
            db.ctypes.data,
            ctypes.addressof(self.tables),
            out.ctypes.data,
        )
