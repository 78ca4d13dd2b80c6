"""The dice of a run: every step throws its own, so that the step is all there is to remember."""

from __future__ import annotations

import hashlib

import torch


class Draws:
    """Random numbers of one step of one process: on the CPU, and on ``device``.

    The global generator, which dropout uses, is seeded as well. Each has a seed of its own: of one
    seed, generators on a CPU draw the same numbers.
    """

    def __init__(self, seed: int, step: int, rank: int, device: torch.device):
        digest = hashlib.sha256(f"{seed} {step} {rank}".encode()).digest()
        seeds = [int.from_bytes(digest[start : start + 7]) for start in (0, 7, 14)]
        torch.manual_seed(seeds[0])
        self.cpu = torch.Generator().manual_seed(seeds[1])
        self.device = torch.Generator(device).manual_seed(seeds[2])
