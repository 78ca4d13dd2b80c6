"""An image's own memory: copying it in and out would cost half as much as drawing into it."""

from __future__ import annotations

import ctypes

import numpy as np
from PIL import Image

from deepcolor.draw.tables import Codes


class _Array(ctypes.Structure):
    """``ArrowArray`` of Arrow's C data interface."""


_Array._fields_ = (
    *((name, ctypes.c_int64) for name in ("length", "null_count", "offset")),
    *((name, ctypes.c_int64) for name in ("n_buffers", "n_children")),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    *((name, ctypes.c_void_p) for name in ("dictionary", "release", "private_data")),
)

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)


def memory(image: Image.Image) -> Codes | None:
    """The codes of an ``L`` image (H, W), or of an ``RGB`` one (H, W, 4) with one of no meaning.

    They are the image's own, there for as long as it is. ``None`` where Pillow keeps the image in
    several pieces, as it does with large ones.
    """
    try:
        _, capsule = image.__arrow_c_array__()
    except ValueError:
        return None
    pixels = _Array.from_address(_pointer(capsule, b"arrow_array"))
    codes = pixels.children[0].contents if pixels.n_children else pixels
    whole = (ctypes.c_uint8 * codes.length).from_address(codes.buffers[1])
    size = (image.height, image.width)
    return np.frombuffer(whole, np.uint8).reshape(size if image.mode == "L" else (*size, 4))
