"""A network's small a*b* at the size of a photograph."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from deepcolor.draw.tables import Floats

TAPS = 4  # of the kernel
ROWS = 16  # mixed at once, from little more than each of them needs
MOST_PRODUCTS = 1 << 18  # in one product of matrices; with more, OpenBLAS would start threads


@dataclass(frozen=True, eq=False)
class Axis:
    """How one axis is enlarged: each output is mixed of a few inputs beside each other, from
    ``first`` (outputs,) on, by ``taps`` (outputs, at most 4).
    """

    inputs: int
    first: NDArray[np.int32]
    taps: Floats

    @functools.cached_property
    def weights(self) -> Floats:
        """The same as a matrix (outputs, inputs)."""
        matrix = np.zeros((len(self.taps), self.inputs), np.float32)
        columns = self.first[:, None] + np.arange(self.taps.shape[1])
        np.put_along_axis(matrix, columns, self.taps, axis=1)
        return matrix


class Enlarged:
    """Planes (2, H, W) whose rows are mixed of ``wide`` (2, h, W), as ``down`` says, on demand."""

    def __init__(self, wide: Floats, down: Axis):
        self.wide, self.down = wide, down

    @classmethod
    def of(cls, ab: Floats, size: tuple[int, int]) -> Enlarged:
        """``ab`` (2, h, w), enlarged bicubically to ``size`` (W, H)."""
        width, height = size
        # By torch, which keeps to the threads that it is given.
        across = torch.from_numpy(resampling(ab.shape[2], width).weights.T)
        wide = torch.from_numpy(ab) @ across
        return cls(wide.numpy(), resampling(ab.shape[1], height))

    def rows(self, top: int, bottom: int) -> Floats:
        """Those from ``top`` to ``bottom``, (2, bottom − top, W)."""
        out = np.empty((2, bottom - top, self.wide.shape[2]), np.float32)
        taps = self.down.taps.shape[1]
        most = max(1, min(ROWS, MOST_PRODUCTS // (2 * TAPS * self.wide.shape[2])))
        for begin in range(top, bottom, most):
            end = min(bottom, begin + most)
            first = self.down.first[begin:end]
            reach = slice(first.min(), first.max() + taps)
            weights = self.down.weights[begin:end, reach]
            np.matmul(weights, self.wide[:, reach], out=out[:, begin - top : end - top])
        return out


@functools.lru_cache(maxsize=64)
def resampling(inputs: int, outputs: int) -> Axis:
    """Enlarges one axis bicubically, with half-pixel centers.

    Two such products of matrices are an exact enlargement that can be cut into strips. The kernel
    is Keys's (IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1981) with the
    slope −0.75, as torch has it; beyond the edge lies the edge.
    """
    centers = (np.arange(outputs)[:, None] + 0.5) * inputs / outputs - 0.5
    reached = np.floor(centers).astype(np.int32) + np.arange(-1, TAPS - 1, dtype=np.int32)
    distance = np.abs(centers - reached)
    inner = ((1.25 * distance - 2.25) * distance) * distance + 1
    outer = -0.75 * (((distance - 5) * distance + 8) * distance - 4)
    kernel = np.where(distance <= 1, inner, outer)
    first = reached[:, 0].clip(0, max(0, inputs - TAPS))
    taps = np.zeros((outputs, min(TAPS, inputs)), np.float32)
    for tap in range(TAPS):
        # One at a time, for at the edge several reach the same input.
        taps[np.arange(outputs), reached[:, tap].clip(0, inputs - 1) - first] += kernel[:, tap]
    return Axis(inputs, first, taps)
