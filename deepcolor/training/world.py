"""The processes of a run, one a GPU, as torchrun starts them; usually there is but one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

LONGEST_WAIT = timedelta(hours=12)  # while the first process packs the photographs for all


@dataclass(frozen=True)
class World:
    """This process's number of all, the device it has to itself, and those that wait patiently."""

    rank: int
    size: int
    device: torch.device
    patient: dist.ProcessGroup | None = None

    @property
    def leads(self) -> bool:
        """Whether this process writes, shows and validates for all."""
        return self.rank == 0

    @property
    def steps_between_questions(self) -> int:
        """How many steps, until the processes ask each other what they need not know at once.

        An answer has to be waited for until a GPU has done all that it was told before.
        """
        return 10 if self.size > 1 and self.device.type == "cuda" else 1

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replaces tensors by their means over all processes.

        Gradients are averaged so, all in one message, rather than by
        ``DistributedDataParallel``: that wants to know from the start which parameters learn, and
        here some thaw later.
        """
        if self.size == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        parts = torch.split(flat / self.size, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def agreed(self, number: int) -> int:
        """The largest of all processes' numbers."""
        if self.size == 1:
            return number
        told = torch.tensor(number, device=self.device)
        dist.all_reduce(told, dist.ReduceOp.MAX)
        return int(told.item())

    def wait(self) -> None:
        """Until all processes are here, be it for hours."""
        if self.size > 1:
            dist.barrier(self.patient)


@contextmanager
def joined() -> Iterator[World]:
    """The world that torchrun's environment tells of, or this process alone.

    Numbers too small to matter count as zero in it, for processors are slow with them.
    """
    torch.set_flush_denormal(True)
    try:
        with _joined() as world:
            yield world
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def _joined() -> Iterator[World]:
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if torch.cuda.is_available() else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World(0, 1, device)
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend)
    try:
        # All else is over soon or never: who waits for a process that hangs should not for hours.
        patient = dist.new_group(backend="gloo", timeout=LONGEST_WAIT)
        yield World(dist.get_rank(), dist.get_world_size(), device, patient)
    finally:
        dist.destroy_process_group()
