"""L*a*b* as eight-bit sRGB in as few passes as will do, over strips that stay in the cache.

What :mod:`deepcolor.lab` computes exactly, this computes to within one code: the gray codes and the
gamma curve are tables, and only colors outside the gamut are looked at twice.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from deepcolor import lab

STRIP_PIXELS = 1 << 15
LEVELS = 1 << 16  # of luminance, where a photograph is not gray
GAMMA_STEPS = (1 << 14) - 1  # fine enough for the steep foot of the curve
CORNER = np.float32(6 / 29)  # where CIELAB's cube root becomes a line
SLOPE = np.float32(3 * (6 / 29) ** 2)
SLACK = np.float32(lab.SLACK)
CLOSE = SLACK / 8
MOST_STEPS = 40
RED, GREEN, BLUE = lab.matrix(inverse=True).numpy()

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Tones:
    """f(Y) and Y of each level of lightness that a photograph may have, both (levels,)."""

    light: Floats
    luminance: Floats

    @classmethod
    def of(cls, y: torch.Tensor) -> Tones:
        """Levels of these relative luminances, in double precision."""
        return cls(((lab.lightness(y) + 16) / 116).float().numpy(), y.float().numpy())


@functools.cache
def grays() -> Tones:
    """A level a gray code."""
    return Tones.of(lab.decode_gamma(torch.linspace(0, 1, 256, dtype=torch.float64)))


@functools.cache
def luminances() -> Tones:
    """Levels that are even in luminance."""
    return Tones.of(torch.linspace(0, 1, LEVELS, dtype=torch.float64))


@functools.cache
def _levels_of_codes() -> Floats:
    """What each code of red, green and blue adds to the level of luminance, (3, 256)."""
    light = lab.decode_gamma(torch.linspace(0, 1, 256, dtype=torch.float64))
    shares = torch.tensor(lab.RGB_TO_XYZ[1], dtype=torch.float64)
    return (shares[:, None] * light * (LEVELS - 1)).float().numpy()


@functools.cache
def _gamma() -> NDArray[np.uint8]:
    """The sRGB code of each step of linear light."""
    linear = torch.linspace(0, 1, GAMMA_STEPS + 1, dtype=torch.float64)
    return (lab.encode_gamma(linear) * 255).round().to(torch.uint8).numpy()


def luminance_levels(codes: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Which of :func:`luminances` each pixel of ``codes`` (n, 3) has."""
    red, green, blue = (
        table[channel] for table, channel in zip(_levels_of_codes(), codes.T, strict=True)
    )
    return (red + green + blue + 0.5).astype(np.intp)


class Strip:
    """The working space for ``pixels`` pixels; a thread each."""

    def __init__(self, pixels: int):
        self.planes = np.empty((9, pixels), np.float32)
        self.steps = np.empty((pixels, 3), np.intp)

    def draw(
        self,
        codes: NDArray[np.uint8],
        da: Floats,
        db: Floats,
        out: NDArray[np.uint8],
    ) -> None:
        """Writes sRGB codes (n, 3) of pixels with the lightness of ``codes``, (n,) or (n, 3).

        ``da`` is a*/500 and ``db`` is −b*/200, which is how far f(X) and f(Z) are from f(Y). Colors
        that sRGB lacks lose chroma at their L* and hue until it has them.
        """
        n = len(da)
        fy, y, fx, fz, red, green, blue, spare, corner = self.planes[:, :n]
        tones, levels = (
            (grays(), codes) if codes.ndim == 1 else (luminances(), luminance_levels(codes))
        )
        np.take(tones.light, levels, out=fy, mode="clip")
        np.take(tones.luminance, levels, out=y, mode="clip")
        np.add(fy, da, out=fx)
        np.add(fy, db, out=fz)
        corner.fill(CORNER)
        _linear(fx, y, fz, red, green, blue, spare, corner)
        outside = np.flatnonzero(_excess(red, green, blue, fx, fz) > SLACK)
        if len(outside):
            self.planes[4:7, outside] = _fit(fy[outside], y[outside], da[outside], db[outside])
        steps = self.steps[:n]
        for i, plane in enumerate((red, green, blue)):
            np.multiply(plane, GAMMA_STEPS, out=spare)
            np.add(spare, 0.5, out=steps[:, i], casting="unsafe")
        np.take(_gamma(), steps, out=out, mode="clip")


def _linear(
    fx: Floats,
    y: Floats,
    fz: Floats,
    red: Floats,
    green: Floats,
    blue: Floats,
    spare: Floats,
    corner: Floats,
) -> None:
    """Linear sRGB of f(X), Y and f(Z) into ``red``, ``green`` and ``blue``; spoils the others."""
    for f in (fx, fz):
        # f³ above the corner and its tangent there below, with t = max(f, corner):
        # t³ + (f − t) · slope.
        np.maximum(f, corner, out=spare)
        np.subtract(f, spare, out=f)
        np.multiply(f, SLOPE, out=f)
        np.multiply(spare, spare, out=red)
        np.multiply(red, spare, out=red)
        np.add(f, red, out=f)
    for channel, (of_x, of_y, of_z) in ((red, RED), (green, GREEN), (blue, BLUE)):
        np.multiply(fx, of_x, out=channel)
        np.multiply(y, of_y, out=spare)
        np.add(channel, spare, out=channel)
        np.multiply(fz, of_z, out=spare)
        np.add(channel, spare, out=channel)


def _excess(red: Floats, green: Floats, blue: Floats, low: Floats, high: Floats) -> Floats:
    """How far beyond 0…1 the worst channel is, negative inside; spoils ``low`` and ``high``."""
    np.minimum(red, green, out=low)
    np.minimum(low, blue, out=low)
    np.maximum(red, green, out=high)
    np.maximum(high, blue, out=high)
    high -= 1
    np.negative(low, out=low)
    return np.maximum(low, high, out=high)


def _fit(fy: Floats, y: Floats, da: Floats, db: Floats) -> Floats:
    """Linear sRGB (3, n) of colors outside the gamut, at the most chroma that it has for them.

    False position after Illinois (Dowell & Jarratt, BIT 11, 1971) on the share of chroma that is
    kept; gray, a share of 0, is always inside. Colors that are found drop out. A few rays of bright
    yellow leave the gamut and enter it again: there, whichever edge was found will do.
    """
    fitted = np.empty((3, len(fy)), np.float32)
    left = np.arange(len(fy))
    known = np.stack((fy, y, da, db))
    inside, outside = np.zeros_like(fy), np.ones_like(fy)
    at_inside = np.maximum(y - 1, -y) - SLACK
    _, at_outside = _at(outside, known)
    for _ in range(MOST_STEPS):
        share = (inside * at_outside - outside * at_inside) / (at_outside - at_inside)
        fitted[:, left], at_share = _at(share, known)
        keep = np.flatnonzero(np.abs(at_share) > CLOSE)
        if not len(keep):
            break
        left, known = left[keep], known.take(keep, axis=1)
        share, at_share = share[keep], at_share[keep]
        inside, outside = inside[keep], outside[keep]
        at_inside, at_outside = at_inside[keep], at_outside[keep]
        # An end that stays a second time counts half, so that both ends close in.
        is_out = at_share > 0
        is_in = ~is_out
        np.copyto(inside, share, where=is_in)
        np.copyto(outside, share, where=is_out)
        at_inside = np.where(is_in, at_share, at_inside * np.float32(0.5))
        at_outside = np.where(is_out, at_share, at_outside * np.float32(0.5))
    return fitted


def _at(share: Floats, known: Floats) -> tuple[Floats, Floats]:
    """Linear sRGB (3, n) at a share of the chroma, and how far outside the gamut that is (n,)."""
    fy, y, da, db = known
    red, green, blue, spare, fx, fz = np.empty((6, len(fy)), np.float32)
    np.add(fy, da * share, out=fx)
    np.add(fy, db * share, out=fz)
    _linear(fx, y, fz, red, green, blue, spare, np.full_like(fy, CORNER))
    return np.stack((red, green, blue)), _excess(red, green, blue, fx, fz) - SLACK
