"""Drawing in NumPy, in as few passes as will do; only colors outside the gamut are seen twice."""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray

from deepcolor.draw import tables
from deepcolor.draw.enlarged import Enlarged
from deepcolor.draw.tables import CLOSE, CORNER, LAST, MOST_STEPS, STEP_MASK, Codes, Floats

MOST_COLUMNS = 1 << 14  # in one product of matrices; with more, OpenBLAS would start threads


class Strip:
    """The working space for ``pixels`` pixels; a thread each.

    NumPy does all but the last step, where torch's tables take indices of half the size.
    """

    PIXELS = 1 << 18  # with fewer, threads wait for the interpreter; with more, for memory

    def __init__(self, pixels: int):
        self.parts = np.ones((7, pixels), np.float32)
        self.light = np.empty((3, pixels), np.float32)
        self.steps = torch.empty(pixels, dtype=torch.int32)
        self.one = torch.empty(pixels, dtype=torch.int32)
        self.gammas = [torch.from_numpy(gamma) for gamma in _gammas()]

    def draw(self, codes: Codes, chroma: Enlarged, top: int, out: Codes) -> None:
        """Rows of pixels into ``out`` (h, W, 4), red, green, blue and nothing.

        ``codes`` (n,) or (n, 3) give their lightness, ``chroma``, from its row ``top`` on, a*/500
        and −b*/200, which is how far f(X) and f(Z) are from f(Y). Colors that sRGB lacks lose
        chroma at their L* and hue until it has them.
        """
        da, db = chroma.rows(top, top + len(out)).reshape(2, -1)
        n = len(da)
        parts, light = self.parts[:, :n], self.light[:, :n]
        of_level, levels = tables.tones(codes)
        fx, fy, fz = parts[3:6]
        np.take(of_level, levels, out=fy, mode="clip")
        np.add(fy, da, out=fx)
        np.add(fy, db, out=fz)
        _linear(parts, light)
        outside = np.flatnonzero(_is_outside(light))
        if len(outside):
            light[:, outside] = _fit(of_level[levels[outside]], da[outside], db[outside])
        pixels = torch.from_numpy(out.view(np.int32).reshape(-1))
        steps, one = self.steps[:n], self.one[:n]
        pixels.zero_()
        for plane, gamma in zip(light, self.gammas, strict=True):
            steps[:] = torch.from_numpy(plane)
            steps &= STEP_MASK
            pixels |= torch.index_select(gamma, 0, steps, out=one)


@functools.cache
def _gammas() -> NDArray[np.int32]:
    """The code of each step, (3, 2 * GAMMA_STEPS), where red, green and blue are in a pixel."""
    places = np.zeros((3, 2 * tables.GAMMA_STEPS, 4), np.uint8)
    for channel in range(3):
        places[channel, :, channel] = tables.gamma()
    return places.view(np.int32)[..., 0]


def _linear(parts: Floats, light: Floats) -> None:
    """Steps of linear sRGB (3, n) into ``light``, of f(X), f(Y) and f(Z) in ``parts[3:6]``.

    The last of ``parts`` (7, n) is all ones, the others are spoilt.
    """
    cubes, f = parts[:3], parts[3:6]
    t = light
    torch.clamp_min(torch.from_numpy(f), CORNER, out=torch.from_numpy(t))
    np.subtract(f, t, out=f)
    np.multiply(t, t, out=cubes)
    np.multiply(cubes, t, out=cubes)
    for begin in range(0, parts.shape[1], MOST_COLUMNS):
        some = slice(begin, begin + MOST_COLUMNS)
        np.matmul(tables.mixing(), parts[:, some], out=light[:, some])


def _is_outside(light: Floats) -> NDArray[np.bool_]:
    """Which pixels (n,) of ``light`` (3, n) sRGB lacks.

    Read as integers, floating-point numbers keep their order, and negative ones are the largest.
    """
    red, green, blue = light.view(np.uint32)
    worst = np.maximum(red, green)
    np.maximum(worst, blue, out=worst)
    return worst > LAST.view(np.uint32)


def _excess(light: Floats) -> Floats:
    """How far beyond what sRGB has the worst channel is, in steps, negative inside."""
    return np.maximum(-light.min(axis=0), light.max(axis=0) - LAST)


def _fit(fy: Floats, da: Floats, db: Floats) -> Floats:
    """Linear sRGB (3, n) of colors outside the gamut, at the most chroma that it has for them.

    False position after Illinois (Dowell & Jarratt, BIT 11, 1971) on the share of chroma that is
    kept; gray, a share of 0, is always inside. Colors that are found drop out. A few rays of bright
    yellow leave the gamut and enter it again: there, whichever edge was found will do.
    """
    fitted = np.empty((3, len(fy)), np.float32)
    left = np.arange(len(fy))
    known = np.stack((fy, da, db))
    inside, outside = np.zeros_like(fy), np.ones_like(fy)
    at_inside, at_outside = _excess(_at(inside, known)), _excess(_at(outside, known))
    for _ in range(MOST_STEPS):
        share = (inside * at_outside - outside * at_inside) / (at_outside - at_inside)
        fitted[:, left] = light = _at(share, known)
        at_share = _excess(light)
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
    return fitted.clip(0, LAST)


def _at(share: Floats, known: Floats) -> Floats:
    """Steps of linear sRGB (3, n) at a share of the chroma."""
    fy, da, db = known
    parts, light = np.ones((7, len(fy)), np.float32), np.empty((3, len(fy)), np.float32)
    np.add(fy, da * share, out=parts[3])
    parts[4] = fy
    np.add(fy, db * share, out=parts[5])
    _linear(parts, light)
    return light
