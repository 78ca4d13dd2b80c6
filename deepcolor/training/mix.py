"""Averages the weights of two networks, one trained on from the other.

After Wortsman et al., "Robust fine-tuning of zero-shot models" (CVPR 2022): between weights of one
origin the loss is low all the way, and lowest often between them.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from deepcolor.training.checkpoint import weights_in
from deepcolor.training.errors import OtherNetworkError


def mixed(first: Path, second: Path, share: float) -> dict[str, Tensor]:
    """``1 - share`` of the first's weights plus ``share`` of the second's.

    Raises :class:`OtherNetworkError` where they are not of one network.
    """
    ours, theirs = weights_in(first), weights_in(second)
    if {name: value.shape for name, value in ours.items()} != {
        name: value.shape for name, value in theirs.items()
    }:
        raise OtherNetworkError(first, second)
    return {name: ours[name].lerp(theirs[name], share) for name in ours}
