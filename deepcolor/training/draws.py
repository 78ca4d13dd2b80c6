"""The dice of a run: every step throws its own, so that the step is all there is to remember."""

from __future__ import annotations

import hashlib

import torch


class Draws:
    """Random numbers of one step of one process: on the CPU, and on ``device``.

    The global generator, which dropout uses, is seeded as well.
    """

    def __init__(self, seed: int, step: int, rank: int, device: torch.device):
        digest = hashlib.sha256(f"{seed} {step} {rank}".encode()).digest()
        number = int.from_bytes(digest[:7])
        torch.manual_seed(number)
        self.cpu = torch.Generator().manual_seed(number)
        self.device = torch.Generator(device).manual_seed(number)
