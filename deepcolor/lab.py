"""CIE L*a*b* under D65 and sRGB, on torch tensors with channels first.

L* is in 0…100, a* and b* in CIELAB units (about −86…98 and −108…94 for sRGB colors).
Constants: IEC 61966-2-1 (sRGB) and CIE 15:2004 (2° observer).
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

RGB_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
EPSILON = 216 / 24389
KAPPA = 24389 / 27
# Half an 8-bit code in the linear toe, as beyond the gamut as rounding takes care of.
SLACK = 0.5 / 255 / 12.92


# Tables are made outside of inference mode, or only what is never differentiated could use them.
@functools.cache
@torch.inference_mode(False)
def _linear_of_code(device: torch.device) -> Tensor:
    """Linear light (0…1) of each 8-bit sRGB code, shape (256,)."""
    return decode_gamma(torch.arange(256, dtype=torch.float64) / 255).float().to(device)


@functools.cache
@torch.inference_mode(False)
def matrix(inverse: bool, device: torch.device) -> Tensor:
    """Linear sRGB to XYZ relative to the white point, or back; shape (3, 3)."""
    forward = torch.tensor(RGB_TO_XYZ, dtype=torch.float64)
    # Scaling each row by its own sum puts (1, 1, 1) exactly on the white point, so gray stays gray.
    forward = forward / forward.sum(dim=1, keepdim=True)
    return (torch.linalg.inv(forward) if inverse else forward).float().to(device)


def decode_gamma(code: Tensor) -> Tensor:
    """Linear light in 0…1 of sRGB values in 0…1."""
    return torch.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def encode_gamma(linear: Tensor) -> Tensor:
    """sRGB values in 0…1 of linear light in 0…1."""
    return torch.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp_min(1e-9) ** (1 / 2.4) - 0.055
    )


def linear_rgb(rgb: Tensor) -> Tensor:
    """Linear light in 0…1 of 8-bit sRGB codes (uint8, any shape)."""
    return _linear_of_code(rgb.device)[rgb.long()]


def lightness(y: Tensor) -> Tensor:
    """L* (0…100) of relative luminance ``y`` (0…1)."""
    return 116 * _f(y) - 16


def luminance(l: Tensor) -> Tensor:
    """Relative luminance (0…1) of L* (0…100)."""
    return _f_inverse((l + 16) / 116)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """L*a*b* of 8-bit sRGB: uint8 (..., 3, H, W) to float32 (..., 3, H, W)."""
    return linear_rgb_to_lab(linear_rgb(rgb))


def linear_rgb_to_lab(linear: Tensor) -> Tensor:
    """L*a*b* of linear sRGB in 0…1; both (..., 3, H, W)."""
    xyz = _mix(linear, inverse=False)
    fx, fy, fz = _f(xyz).unbind(dim=-3)
    return torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), dim=-3)


def lab_to_linear_rgb(l: Tensor, ab: Tensor) -> Tensor:
    """Linear sRGB, unclipped, of L* (..., 1, H, W) and a*b* (..., 2, H, W)."""
    fy = (l.squeeze(-3) + 16) / 116
    fx = fy + ab.select(-3, 0) / 500
    fz = fy - ab.select(-3, 1) / 200
    return _mix(_f_inverse(torch.stack((fx, fy, fz), dim=-3)), inverse=True)


def lab_to_rgb(l: Tensor, ab: Tensor, *, deep: bool = False) -> Tensor:
    """sRGB codes, rounded, of L* (..., 1, H, W) and in-gamut a*b* (..., 2, H, W).

    Uint8 (..., 3, H, W), or uint16 with ``deep``.
    """
    code = encode_gamma(lab_to_linear_rgb(l, ab).clamp_(0, 1))
    if deep:
        return code.mul_(65535).round_().to(torch.int32).to(torch.uint16)
    return code.mul_(255).round_().to(torch.uint8)


def fit_gamut(l: Tensor, ab: Tensor, steps: int = 8) -> Tensor:
    """The a*b* of least change in chroma that sRGB can show at this L* and hue.

    Clipping RGB instead would move L*. Bisects the chroma of the colors outside the gamut only,
    to 1/2^steps of their own chroma, always ending on the inside. Shapes as in :func:`lab_to_rgb`.
    """
    outside = _outside(lab_to_linear_rgb(l, ab))
    if not outside.any():
        return ab
    l_out = l.squeeze(-3)[outside][None, :, None]
    ab_out = ab.movedim(-3, 0)[:, outside][:, :, None]
    low = torch.zeros_like(l_out)
    high = torch.ones_like(l_out)
    for _ in range(steps):
        middle = (low + high) / 2
        bad = _outside(lab_to_linear_rgb(l_out, ab_out * middle))[None]
        low, high = torch.where(bad, low, middle), torch.where(bad, middle, high)
    fitted = ab.movedim(-3, 0).clone()
    fitted[:, outside] = (ab_out * low).squeeze(-1)
    return fitted.movedim(0, -3)


def _outside(linear: Tensor) -> Tensor:
    return ((linear < -SLACK) | (linear > 1 + SLACK)).any(dim=-3)


def _mix(channels: Tensor, *, inverse: bool) -> Tensor:
    weights = matrix(inverse, channels.device).to(channels.dtype)
    return torch.einsum("ij,...jhw->...ihw", weights, channels)


def _f(t: Tensor) -> Tensor:
    return torch.where(t > EPSILON, t.clamp_min(1e-9) ** (1 / 3), (KAPPA * t + 16) / 116)


def _f_inverse(f: Tensor) -> Tensor:
    return torch.where(f > 6 / 29, f**3, (116 * f - 16) / KAPPA)
