"""How large the crops and how fast each part learns, as a run goes from 0 to 1."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.training.config import Schedule


def size_at(schedule: Schedule, progress: float) -> int:
    """Side of the crops in pixels."""
    return [side for start, side in schedule.sizes if start <= progress][-1]


def rate_at(schedule: Schedule, progress: float) -> float:
    """Factor on all rates: a linear warm-up, then a cosine down to 0."""
    fall = 0.5 * (1 + math.cos(math.pi * progress))
    return fall * (min(1.0, progress / schedule.warm_up) if schedule.warm_up else 1.0)


def affordable_steps(
    schedule: Schedule, seconds_a_step: Mapping[int, float], seconds_a_validation: float
) -> int:
    """How many steps fit into the minutes, of crops of each size as many as planned."""
    seconds = schedule.minutes * 60 - schedule.validations * seconds_a_validation
    starts = [start for start, _ in schedule.sizes]
    shares = [end - start for start, end in itertools.pairwise([*starts, 1.0])]
    mean = sum(
        share * seconds_a_step[size]
        for share, (_, size) in zip(shares, schedule.sizes, strict=True)
    )
    return max(1, int(seconds / mean))


def optimizer(net: ColorNet, schedule: Schedule) -> torch.optim.AdamW:
    """AdamW whose groups know their highest ``rate`` and whether they are the ``trunk``'s.

    The trunk's first ``frozen_blocks``, and its stem with them, never learn. Weight decay is of
    matrices and kernels, not of biases and norms.
    """
    trunk = net.trunk
    last = len(trunk.blocks) - 1
    if schedule.frozen_blocks:
        trunk.stem.requires_grad_(False)
    for block in trunk.blocks[: schedule.frozen_blocks]:
        block.requires_grad_(False)
    parts: list[tuple[nn.Module, float, bool]] = [
        (trunk.stem, schedule.trunk_rate * schedule.trunk_decay ** (last + 1), True)
    ]
    for i, block in enumerate(trunk.blocks):
        parts.append((block, schedule.trunk_rate * schedule.trunk_decay ** (last - i), True))
    parts += [(child, schedule.rate, False) for child in net.children() if child is not trunk]
    by_kind: dict[tuple[float, bool, float], list[nn.Parameter]] = {}
    for module, rate, is_trunk in parts:
        for parameter in module.parameters():
            if parameter.requires_grad:
                decay = schedule.weight_decay if parameter.dim() > 1 else 0.0
                by_kind.setdefault((rate, is_trunk, decay), []).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": parameters, "rate": rate, "trunk": is_trunk, "weight_decay": decay}
        for (rate, is_trunk, decay), parameters in by_kind.items()
    ]
    return torch.optim.AdamW(groups, fused=next(net.parameters()).is_cuda)


def set_rates(adamw: torch.optim.AdamW, schedule: Schedule, progress: float) -> None:
    """Each group's rate now; the trunk's parameters learn only once they have thawed."""
    thawed = progress >= schedule.thaw_at
    for group in adamw.param_groups:
        group["lr"] = group["rate"] * rate_at(schedule, progress)
        if group["trunk"]:
            for parameter in group["params"]:
                parameter.requires_grad_(thawed)
