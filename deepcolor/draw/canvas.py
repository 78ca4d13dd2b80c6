"""An image whose pixels can be drawn in place: copying them would cost half as much as drawing."""

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

core = Image.core  # type: ignore[attr-defined]  # so named in Pillow's documentation of Arrow

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)


def canvas(size: tuple[int, int]) -> tuple[Image.Image, Codes]:
    """An image of mode ``RGB``, still undrawn, and its memory (H, W, 4), the fourth code unused.

    The memory is the image's own, and there for as long as the image is.
    """
    is_block = core.get_use_block_allocator()
    # Else Pillow would store a large image in several pieces.
    core.set_use_block_allocator(1)
    try:
        image = Image.new("RGB", size, None)
    finally:
        core.set_use_block_allocator(is_block)
    _, capsule = image.__arrow_c_array__()
    pixels = _Array.from_address(_pointer(capsule, b"arrow_array"))
    codes = pixels.children[0].contents
    memory = (ctypes.c_uint8 * codes.length).from_address(codes.buffers[1])
    return image, np.frombuffer(memory, np.uint8).reshape(size[1], size[0], 4)
