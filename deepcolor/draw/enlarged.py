"""A network's small a*b* at the size of a photograph."""

from __future__ import annotations

import functools

import numpy as np
import torch

from deepcolor.draw.tables import Floats

TAPS = 4  # of the kernel
ROWS = 16  # mixed at once, from little more than each of them needs
MOST_PRODUCTS = 1 << 18  # in one product of matrices; with more, OpenBLAS would start threads


class Enlarged:
    """Planes whose rows (H) are mixed, when asked for, of the few rows that ``wide`` (2, h, W) has.

    ``weights`` (H, h) says how; of a row of them, no more than four beside each other count.
    """

    def __init__(self, wide: Floats, weights: Floats):
        self.wide, self.weights = wide, weights
        taps = min(TAPS, weights.shape[1])
        first = (weights != 0).argmax(axis=1).clip(0, weights.shape[1] - taps)
        self.first = first.astype(np.int32)
        """The first of the rows (H,) that a row is mixed of."""
        self.taps = np.take_along_axis(weights, first[:, None] + np.arange(taps), axis=1)
        """The weights (H, taps) of that one and those below it."""

    @classmethod
    def of(cls, ab: Floats, size: tuple[int, int]) -> Enlarged:
        """``ab`` (2, h, w), enlarged bicubically to ``size`` (W, H)."""
        width, height = size
        # By torch, which keeps to the threads that it is given.
        wide = torch.from_numpy(ab) @ torch.from_numpy(resampling(ab.shape[2], width).T)
        return cls(wide.numpy(), resampling(ab.shape[1], height))

    def rows(self, top: int, bottom: int) -> Floats:
        """Those from ``top`` to ``bottom``, (2, bottom − top, W)."""
        out = np.empty((2, bottom - top, self.wide.shape[2]), np.float32)
        taps = self.taps.shape[1]
        most = max(1, min(ROWS, MOST_PRODUCTS // (2 * TAPS * self.wide.shape[2])))
        for begin in range(top, bottom, most):
            end = min(bottom, begin + most)
            first = self.first[begin:end]
            reach = slice(first.min(), first.max() + taps)
            weights = self.weights[begin:end, reach]
            np.matmul(weights, self.wide[:, reach], out=out[:, begin - top : end - top])
        return out


@functools.lru_cache(maxsize=16)
def resampling(inputs: int, outputs: int) -> Floats:
    """The matrix (outputs, inputs) that enlarges one axis bicubically, with half-pixel centers.

    Two such products are an exact enlargement that can be cut into strips. The kernel is Keys's
    (IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1981) with the slope −0.75,
    as torch has it; beyond the edge lies the edge.
    """
    centers = (np.arange(outputs) + 0.5) * inputs / outputs - 0.5
    first = np.floor(centers).astype(int) - 1
    matrix = np.zeros((outputs, inputs))
    for tap in range(TAPS):
        distance = np.abs(centers - (first + tap))
        inner = ((1.25 * distance - 2.25) * distance) * distance + 1
        outer = -0.75 * (((distance - 5) * distance + 8) * distance - 4)
        reached = (first + tap).clip(0, inputs - 1)
        # One tap at a time, for at the edge several taps reach the same input.
        matrix[np.arange(outputs), reached] += np.where(distance <= 1, inner, outer)
    return matrix.astype(np.float32)
