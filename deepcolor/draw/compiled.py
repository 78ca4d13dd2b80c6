"""Drawing by draw.c, if it was compiled when deepcolor was installed (hatch_build.py)."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

from deepcolor.draw import tables
from deepcolor.draw.enlarged import Enlarged
from deepcolor.draw.tables import Codes


class _Chroma(ctypes.Structure):
    """As draw.c declares it."""

    _fields_ = (
        ("wide", ctypes.c_void_p),
        ("plane", ctypes.c_int64),
        ("first", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("taps", ctypes.c_int64),
    )


class _Tables(ctypes.Structure):
    """As draw.c declares them."""

    _fields_ = (
        ("mixing", ctypes.c_void_p),
        ("gamma", ctypes.c_void_p),
        ("last", ctypes.c_float),
        ("close", ctypes.c_float),
    )


def loaded(path: Path) -> ctypes.CDLL | None:
    """draw.c compiled, ``None`` where it was not, or not for this kind of machine."""
    try:
        found = ctypes.CDLL(str(path))
    except OSError:
        return None
    found.deepcolor_draw.restype = None
    found.deepcolor_draw.argtypes = (ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * 5)
    return found


library = loaded(Path(__file__).with_name("draw.so"))


class Strip:
    """Draws; a thread each, as its counterpart in passes.py needs it."""

    PIXELS = 1 << 17  # at once, whose codes stay in a core's own cache

    def __init__(self, pixels: int):
        # Held, for two threads that begin at once each make their own, and only one's is cached.
        self.mixing, self.gamma = tables.mixing(), tables.gamma()
        self.tables = _Tables(
            self.mixing.ctypes.data,
            self.gamma.ctypes.data,
            tables.LAST,
            tables.CLOSE,
        )

    def draw(self, codes: Codes, chroma: Enlarged, top: int, out: Codes) -> None:
        """As :meth:`deepcolor.draw.passes.Strip.draw` does."""
        assert library is not None
        of_level, levels = tables.tones(codes)
        levels = levels.astype(np.uint16, copy=False)
        height, width, _ = out.shape
        mixed = _Chroma(
            chroma.wide.ctypes.data,
            chroma.wide[0].size,
            chroma.down.first[top:].ctypes.data,
            chroma.down.taps[top:].ctypes.data,
            chroma.down.taps.shape[1],
        )
        library.deepcolor_draw(
            height,
            width,
            levels.ctypes.data,
            of_level.ctypes.data,
            ctypes.addressof(mixed),
            ctypes.addressof(self.tables),
            out.ctypes.data,
        )
