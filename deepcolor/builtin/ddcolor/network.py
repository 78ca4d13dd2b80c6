"""DDColor's network as the library spandrel builds it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from deepcolor.lab import encode_gamma, luminance


class DDColor(nn.Module):
    """L* (N, 1, H, W) in 0…100 to a*b* (N, 2, H, W); H and W multiples of 32, 512 as published.

    Its architecture (ConvNeXt-T or -L) is found from the names and shapes of ``state``. The
    network is fed a gray picture in sRGB, not L* itself.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.net = _architectures().load(dict(state)).model
        # Its decoder takes what its encoder left lying, so that only one thread at a time may call.
        self.lock = threading.Lock()

    def forward(self, l: Tensor) -> Tensor:
        gray = encode_gamma(luminance(l))
        with self.lock:
            return self.net(gray.expand(-1, 3, -1, -1))


def _architectures() -> Any:
    """spandrel's registry of architectures, DDColor among them."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        _operators()
    from spandrel_extra_arches import EXTRA_REGISTRY

    return EXTRA_REGISTRY


@functools.cache
def _operators() -> Any:
    """Lets torchvision be imported where its operators cannot be loaded.

    That is so when it was built for CUDA, as PyPI's is, and torch was not. It insists on two of
    them, which spandrel does not use. They are there for as long as what this returns.
    """
    operators: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return operators
