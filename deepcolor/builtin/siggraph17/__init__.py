"""siggraph17: the user-guided network of Zhang, Zhu et al., with its official weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deepcolor.card import License, StrategyCard, WeightFile
from deepcolor.strategy import Strategy

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WEIGHTS = WeightFile(
    filename="siggraph17-df00044c.pth",
    bytes=136_787_426,
    sha256="df00044c0a4d7c3edcecf6f75437ce346a66e7a42612d9b968e1a7e17dbc6f66",
    url="https://colorizers.s3.us-east-2.amazonaws.com/siggraph17-df00044c.pth",
)


class Siggraph17(Strategy):
    """Real-Time User-Guided Image Colorization (SIGGRAPH 2017), as its PyTorch release has it."""

    card = StrategyCard(
        name="siggraph17",
        title="Real-Time User-Guided Image Colorization (SIGGRAPH 2017)",
        description="Takes hints: say the color of a point, and it spreads as far as it belongs.",
        url="https://arxiv.org/abs/1705.02999",
        license=License(code="BSD-2-Clause", weights="BSD-2-Clause"),
        training_data="1.3 million photographs of ImageNet, which are for research only",
        size=256,
        fit="stretch",
        multiple=8,
        hints=True,
        weights=(WEIGHTS,),
    )

    def prepare(self, weights: Mapping[str, Path], device: torch.device) -> None:
        import torch

        from deepcolor.builtin.siggraph17.network import SIGGRAPH17

        state = torch.load(weights[WEIGHTS.filename], map_location="cpu", weights_only=True)
        net = SIGGRAPH17()
        net.load_state_dict(state)
        self.net = net.eval().to(device, torch.float32)

    def predict(self, l: Tensor, knobs: Mapping[str, float], hints: Tensor | None) -> Tensor:
        return self.net(l, l.new_zeros(len(l), 3, *l.shape[-2:]) if hints is None else hints)
