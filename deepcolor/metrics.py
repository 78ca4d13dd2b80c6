"""How far a colorization is from the true colors, on tensors with channels first.

Where a metric takes a guess and the truth, either may be one (N = 1) for all of the other.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

AUC_LIMIT = 150.0
ROUNDING = 1 / 12  # the variance of what rounding to codes takes away
SSIM_WINDOW, SSIM_SIGMA = 11, 1.5  # pixels


def auc(ab: Tensor, ab_true: Tensor, weight: Tensor | None = None) -> Tensor:
    """Area under the curve of a*b* error, 0…1 a photograph; (N, 2, H, W) twice to (N,).

    1 − mean(min(‖Δab‖, 150)) / 150: Zhang et al., "Colorful Image Colorization", section 3.1.
    The mean is weighted by ``weight`` (N, H, W) where there is one.
    """
    error = torch.hypot(*(ab - ab_true).unbind(dim=1)).clamp_max(AUC_LIMIT)
    if weight is not None:
        error = error * weight / weight.mean(dim=(1, 2), keepdim=True)
    return 1 - error.mean(dim=(1, 2)) / AUC_LIMIT


def psnr(rgb: Tensor, rgb_true: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB a photograph; uint8 (N, 3, H, W) twice to (N,).

    At most 58.9, where all that may be wrong is the rounding to codes.
    """
    error = (rgb.float() - rgb_true.float()).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(255**2 / error.clamp_min(ROUNDING))


def ssim(rgb: Tensor, rgb_true: Tensor) -> Tensor:
    """Structural similarity a photograph, the mean of R, G and B; uint8 (N, 3, H, W) to (N,).

    Wang et al., "Image quality assessment" (2004): an 11x11 Gaussian window of σ = 1.5, only
    where it lies within the photograph, K1 = 0.01, K2 = 0.03.
    """
    one, two = rgb.float(), rgb_true.float()
    mean1, mean2 = _blurred(one), _blurred(two)
    variance1 = _blurred(one * one) - mean1 * mean1
    variance2 = _blurred(two * two) - mean2 * mean2
    covariance = _blurred(one * two) - mean1 * mean2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    likeness = (2 * mean1 * mean2 + c1) * (2 * covariance + c2)
    most = (mean1 * mean1 + mean2 * mean2 + c1) * (variance1 + variance2 + c2)
    return (likeness / most).mean(dim=(1, 2, 3))


def _blurred(channels: Tensor) -> Tensor:
    """Gaussian means (N, C, H − 10, W − 10) of (N, C, H, W)."""
    height, width = channels.shape[2:]
    return _window(height) @ channels @ _window(width).T


def _window(length: int) -> Tensor:
    """The Gaussian window at each place it fits, a row each: (length − 10, length)."""
    offset = torch.arange(SSIM_WINDOW) - SSIM_WINDOW // 2
    kernel = torch.exp(-(offset**2) / (2 * SSIM_SIGMA**2))
    rows = torch.zeros(length - SSIM_WINDOW + 1, length)
    for i, share in enumerate((kernel / kernel.sum()).tolist()):
        rows.diagonal(i).fill_(share)
    return rows


def colorfulness(rgb: Tensor) -> Tensor:
    """Colorfulness a photograph; uint8 (N, 3, H, W) to (N,).

    On |R−G| and |(R+G)/2−B| as DDColor (Kang et al., ICCV 2023) measures it; Hasler & Süsstrunk
    (2003) take the signed differences.
    """
    r, g, b = rgb.float().unbind(dim=1)
    rg, yb = (r - g).abs().flatten(1), ((r + g) / 2 - b).abs().flatten(1)
    spread = (rg.var(dim=1, correction=0) + yb.var(dim=1, correction=0)).sqrt()
    offset = (rg.mean(dim=1).square() + yb.mean(dim=1).square()).sqrt()
    return spread + 0.3 * offset


def ciede2000(lab: Tensor, lab_true: Tensor) -> Tensor:
    """Mean CIEDE2000 difference a photograph; L*a*b* (N, 3, H, W) twice to (N,).

    Sharma, Wu & Dalal, "The CIEDE2000 color-difference formula" (2005), with kL = kC = kH = 1.
    """
    l1, a1, b1 = lab.unbind(dim=1)
    l2, a2, b2 = lab_true.unbind(dim=1)
    c_mean7 = ((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - (c_mean7 / (c_mean7 + 25.0**7)).sqrt())
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = torch.atan2(b1, a1) % (2 * math.pi), torch.atan2(b2, a2) % (2 * math.pi)
    gray = c1 * c2 == 0

    turn = h2 - h1
    turn = torch.where(turn > math.pi, turn - 2 * math.pi, turn)
    turn = torch.where(turn < -math.pi, turn + 2 * math.pi, turn).masked_fill(gray, 0)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * (c1 * c2).sqrt() * torch.sin(turn / 2)

    l, c = (l1 + l2) / 2, (c1 + c2) / 2
    far = (h1 - h2).abs() > math.pi
    total = h1 + h2
    h = torch.where(
        far, torch.where(total < 2 * math.pi, total + 2 * math.pi, total - 2 * math.pi), total
    )
    h = torch.where(gray, total, h / 2)
    degree = math.pi / 180
    t = (
        1
        - 0.17 * torch.cos(h - 30 * degree)
        + 0.24 * torch.cos(2 * h)
        + 0.32 * torch.cos(3 * h + 6 * degree)
        - 0.20 * torch.cos(4 * h - 63 * degree)
    )
    theta = 30 * degree * torch.exp(-(((h / degree - 275) / 25) ** 2))
    rotation = -2 * (c**7 / (c**7 + 25.0**7)).sqrt() * torch.sin(2 * theta)
    sl = 1 + 0.015 * (l - 50) ** 2 / (20 + (l - 50) ** 2).sqrt()
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    square = (dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rotation * (dc / sc) * (dh / sh)
    return square.clamp_min(0).sqrt().mean(dim=(1, 2))
