"""How far a colorization is from the true colors, on L*a*b* tensors with channels first."""

from __future__ import annotations

import math

import torch
from torch import Tensor

AUC_LIMIT = 150.0


def auc(ab: Tensor, ab_true: Tensor) -> Tensor:
    """Area under the curve of a*b* error, 0…1 a photograph; (N, 2, H, W) twice to (N,).

    1 − mean(min(‖Δab‖, 150)) / 150: Zhang et al., "Colorful Image Colorization", section 3.1.
    """
    error = (ab - ab_true).norm(dim=1).clamp_max(AUC_LIMIT)
    return 1 - error.mean(dim=(1, 2)) / AUC_LIMIT


def psnr(rgb: Tensor, rgb_true: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB a photograph; uint8 (N, 3, H, W) twice to (N,)."""
    error = (rgb.float() - rgb_true.float()).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(255**2 / error.clamp_min(1e-10))


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
