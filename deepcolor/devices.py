"""What networks run on: the processor and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from deepcolor.errors import DeviceMissingError

# What torch says of it in a plain RuntimeError.
OUT_OF_MEMORY = (
    "can't allocate memory",  # on the processor
    "out of memory",  # CUDA's own allocations, and all of mps
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "unable to find an engine to execute this computation",  # cuDNN, without room for its work
)


def device_named(wanted: str | torch.device) -> torch.device:
    """The device that is wanted; for ``auto``, the best there is.

    Raises :class:`DeviceMissingError`.
    """
    name = str(wanted)
    # Those that its driver is too old for are counted all the same.
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    present = [f"cuda:{i}" for i in range(count)]
    present += ["mps"] if torch.backends.mps.is_available() else []
    present += ["cpu"]
    if name == "auto":
        return torch.device(present[0].partition(":")[0])
    kinds = {one.partition(":")[0] for one in present}
    # torch itself says cpu:0 and mps:0 where there is but one.
    if name not in {*present, *kinds, *(f"{kind}:0" for kind in kinds)}:
        raise DeviceMissingError(name, present)
    return torch.device(name)


@contextmanager
def exact(device: torch.device) -> Iterator[None]:
    """Computes in the types, and on the devices, that are named, whatever the caller's own are.

    But for TF32, to which an NVIDIA GPU rounds in convolutions unless the caller tells torch
    otherwise: that switch is the whole process's, and other threads may be in the midst of theirs.
    """
    is_usual = torch.get_default_device().type == "cpu"
    # Photographs are read and joined on the processor, wherever the network is.
    with (
        nullcontext() if is_usual else torch.device("cpu"),  # which costs each call of torch's
        torch.autocast("cpu", enabled=False),
        torch.autocast(device.type, enabled=False),
    ):
        yield


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that there is not memory enough, here or on another device."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in OUT_OF_MEMORY)
    )
