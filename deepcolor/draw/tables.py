"""What a pixel's color is looked up in, and the numbers that both ways of drawing share."""

from __future__ import annotations

import functools
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from deepcolor import lab

Codes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

LEVELS = 1 << 16  # of luminance, where a photograph is not gray
GAMMA_STEPS = 1 << 14  # fine enough for the steep foot of the curve
STEP_MASK = 2 * GAMMA_STEPS - 1  # keeps what is no number inside the table
CORNER = 6 / 29  # where CIELAB's cube root becomes a line
SLOPE = 3 * (6 / 29) ** 2
# Linear light is counted in steps of the gamma table. All that sRGB has lies from 0 to LAST,
# the slack on either side included: one comparison then tells what lies beyond.
FIRST_STEP = lab.SLACK * GAMMA_STEPS
LAST = np.float32((1 + 2 * lab.SLACK) * GAMMA_STEPS)
CLOSE = np.float32(FIRST_STEP / 3)  # enough, to the edge of the gamut
MOST_STEPS = 40  # on the way there


def tones(codes: Codes) -> tuple[Floats, NDArray[np.uint8] | NDArray[np.uint16]]:
    """A table of f(Y), which is (L* + 16) / 116, and which entry each pixel has.

    ``codes`` are gray, (n,), or red, green and blue, (n, 3).
    """
    return (_grays(), codes) if codes.ndim == 1 else (_luminances(), _luminance_levels(codes))


@functools.cache
def gamma() -> Codes:
    """The sRGB code of the middle of each step of linear light, twice as many as sRGB has."""
    steps = torch.arange(2 * GAMMA_STEPS, dtype=torch.float64) + 0.5
    linear = ((steps - FIRST_STEP) / GAMMA_STEPS).clamp_(0, 1)
    return (lab.encode_gamma(linear) * 255).round().to(torch.uint8).numpy()


@functools.cache
def mixing() -> Floats:
    """Steps of red, green and blue, (3, 7), of t³ and of f − t for X, Y and Z, and of one.

    f³ above the corner and its tangent there below is t³ + (f − t) · slope, with
    t = max(f, corner).
    """
    matrix = lab.matrix(inverse=True, device=torch.device("cpu")).double().numpy() * GAMMA_STEPS
    first = np.full((3, 1), FIRST_STEP)
    return np.ascontiguousarray(np.hstack((matrix, matrix * SLOPE, first)), np.float32)


@functools.cache
def _grays() -> Floats:
    """f(Y) of each gray code, (256,)."""
    return _f(lab.decode_gamma(torch.linspace(0, 1, 256, dtype=torch.float64)))


@functools.cache
def _luminances() -> Floats:
    """f(Y) of levels that are even in luminance, (LEVELS,)."""
    return _f(torch.linspace(0, 1, LEVELS, dtype=torch.float64))


def _f(y: torch.Tensor) -> Floats:
    return ((lab.lightness(y) + 16) / 116).float().numpy()


def _luminance_levels(codes: Codes) -> NDArray[np.uint16]:
    """Which of :func:`_luminances` each pixel of ``codes`` (n, 3) has."""
    red, green, blue = (
        table[channel] for table, channel in zip(_levels_of_codes(), codes.T, strict=True)
    )
    return (red + green + blue + 0.5).astype(np.uint16)


@functools.cache
def _levels_of_codes() -> Floats:
    """What each code of red, green and blue adds to the level of luminance, (3, 256)."""
    light = lab.decode_gamma(torch.linspace(0, 1, 256, dtype=torch.float64))
    shares = torch.tensor(lab.RGB_TO_XYZ[1], dtype=torch.float64)
    return (shares[:, None] * light * (LEVELS - 1)).float().numpy()
