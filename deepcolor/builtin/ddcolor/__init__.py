"""ddcolor: DDColor with its released weights, through the library spandrel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deepcolor.card import Extra, License, StrategyCard, WeightFile
from deepcolor.strategy import Strategy

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TINY = WeightFile(
    filename="ddcolor_paper_tiny.pth",
    bytes=220_393_145,
    sha256="81dd643904f4664c3718513e3320ae3db0c567f0d3e18398606659adee7bfc17",
    url="https://huggingface.co/piddnad/DDColor-models/resolve/main/ddcolor_paper_tiny.pth",
)
ARTISTIC = WeightFile(
    filename="ddcolor_artistic.pth",
    bytes=911_950_059,
    sha256="a591ee5beedad36de703d8977e92d0c30c1eedc6453fd1b300f3b460842a23a9",
    url="https://huggingface.co/piddnad/DDColor-models/resolve/main/ddcolor_artistic.pth",
)


class DDColor(Strategy):
    """DDColor (ICCV 2023) on ConvNeXt-T, as in the paper."""

    card = StrategyCard(
        name="ddcolor",
        title="DDColor, tiny (ICCV 2023)",
        description="A modern transformer: rich colors that keep to their objects.",
        url="https://arxiv.org/abs/2212.11613",
        license=License(code="Apache-2.0", weights="Apache-2.0"),
        training_data="1.3 million photographs of ImageNet, which are for research only",
        size=512,
        fit="stretch",
        multiple=32,
        weights=(TINY,),
        extra=Extra(module="spandrel_extra_arches", install="spandrel_extra_arches"),
    )

    def prepare(self, weights: Mapping[str, Path], device: torch.device) -> None:
        import torch

        from deepcolor.builtin.ddcolor.network import DDColor as Network

        (path,) = weights.values()
        saved = torch.load(path, map_location="cpu", weights_only=True)
        self.net = Network(saved["params"]).eval().to(device, torch.float32)

    def predict(self, l: Tensor, knobs: Mapping[str, float], hints: Tensor | None) -> Tensor:
        return self.net(l)


class DDColorArtistic(DDColor):
    """DDColor on ConvNeXt-L, trained on artistic photographs too."""

    card = replace(
        DDColor.card,
        name="ddcolor-artistic",
        title="DDColor, artistic",
        description="The large DDColor, raised on artistic photographs: rich, steady and slow.",
        url="https://github.com/piddnad/DDColor",
        training_data="ImageNet's photographs, which are for research only, and private ones",
        weights=(ARTISTIC,),
    )
