"""Choices for a whole program, which a library must leave to it."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 256 << 20
LARGEST_KEPT_BYTES = 32 << 20  # of one piece; more is not allowed everywhere

SPINS = 10_000
"""Rounds, well below a millisecond, that the network's threads wait for more before they sleep."""


def keep_freed_memory() -> None:
    """Has this process keep what it frees, at least 256 MB of it, rather than give it back at once.

    A network asks for the same megabytes again with every photograph, and by glibc's defaults each
    of their pages is fetched from the system anew: a fifth of all the time. Elsewhere than with
    glibc nothing changes.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def import_pytorch() -> None:
    """Imports PyTorch, has the search for garbage pass over it, and its threads wait briefly.

    Python looks through its hundred thousands of objects several times while they come, and once
    more when the program ends: together a fifth of the time that a photograph takes that is alone.
    Threads that GNU's OpenMP leaves to itself spin for milliseconds once the network is through, on
    the cores that should by then draw its colors: the join takes a third longer.
    """
    if "torch" in sys.modules:
        return
    is_searching = gc.isenabled()
    gc.disable()
    try:
        with _short_spins():
            import torch  # noqa: F401

        gc.freeze()
    finally:
        if is_searching:
            gc.enable()


@contextmanager
def _short_spins() -> Iterator[None]:
    """Tells an OpenMP that is loaded meanwhile, unless whoever started this program has."""
    told = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys()
    if told:
        yield
        return
    os.environ["GOMP_SPINCOUNT"] = str(SPINS)
    try:
        yield
    finally:
        del os.environ["GOMP_SPINCOUNT"]  # programs that this one starts may know better
