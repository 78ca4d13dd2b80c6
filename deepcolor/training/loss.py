"""What training lowers: rebalanced cross-entropy over the bins, and smooth L1 of the mean color."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcolor.bins import GRID, SoftEncoder
from deepcolor.builtin.colornet.network import ColorNet


def loss(
    net: ColorNet,
    l: Tensor,
    hints: Tensor | None,
    ab: Tensor,
    weight: Tensor | None,
    encoder: SoftEncoder,
    *,
    at: int,
    regression: float = 0.0,
    bf16: bool = False,
) -> Tensor:
    """The mean over one position, number ``at`` of 0…3, of every 2x2: as good, and faster.

    ``ab`` (N, 2, H/4, W/4) are the true colors, ``weight`` (Q,) that of each bin. The target is
    split over the bins around the color, so that its mean is the color, and each part weighs what
    its own bin does, by which inference divides. Without ``weight`` all bins weigh the same, and
    what the network favors rare ones by is taken back first. On a GPU ``bf16`` is of the whole
    network; on a CPU of the decoder only, whose large convolutions gain by it.
    """
    down, right = divmod(at, 2)
    device = l.device.type
    with torch.autocast(device, torch.bfloat16, enabled=bf16 and device != "cpu"):
        seen = net.trunk((l - 50) / 50)
    with torch.autocast(device, torch.bfloat16, enabled=bf16):
        logits = net.classify(net.decode(seen, hints)[:, :, down::2, right::2])
    logits, ab = logits.float(), ab[:, :, down::2, right::2]
    indices, parts = encoder(ab.permute(1, 0, 2, 3).flatten(1).T)
    told = logits
    if weight is None:
        told = logits - net.log_weight[:, None, None]
    else:
        parts = parts * weight[indices]
    log_p = F.log_softmax(told, dim=1).permute(1, 0, 2, 3).flatten(1)
    total = -(parts * log_p.gather(0, indices)).sum(dim=0).mean()
    if regression:
        mean = net.mean_color(logits, temperature=1, rebalance=0)
        total = total + regression * F.smooth_l1_loss(mean / GRID, ab / GRID)
    return total


def start_at_prior(net: ColorNet, bins: Tensor, share: Tensor, weight: Tensor) -> None:
    """Tells an untrained network its bins, and to answer with how common each color is."""
    net.bins.copy_(bins)
    net.log_weight.copy_(weight.log())
    nn.init.zeros_(net.classify.weight)
    assert net.classify.bias is not None
    net.classify.bias.data.copy_((share * weight).clamp_min(1e-6).log())


@torch.no_grad()
def favor(net: ColorNet, weight: Tensor) -> None:
    """Tells a trained network this run's weights; its colors stay what they were."""
    assert net.classify.bias is not None
    net.classify.bias += weight.log() - net.log_weight
    net.log_weight.copy_(weight.log())
