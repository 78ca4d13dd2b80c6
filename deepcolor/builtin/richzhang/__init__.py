"""richzhang: the ECCV16 network of Zhang, Isola & Efros, with its official weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deepcolor.card import Knob, License, StrategyCard, WeightFile
from deepcolor.strategy import Strategy

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WEIGHTS = WeightFile(
    filename="colorization_release_v2-9b330a0b.pth",
    bytes=128_976_165,
    sha256="9b330a0bae53f4ded77b1e23defbf78beaa09c10ebc4c4999e8e4f4a160b93f9",
    url="https://colorizers.s3.us-east-2.amazonaws.com/colorization_release_v2-9b330a0b.pth",
)


class RichZhang(Strategy):
    """Colorful Image Colorization (ECCV 2016): the a*b* are those of its PyTorch release.

    That enlarges them bilinearly and clips RGB, as :meth:`deepcolor.Colorizer.as_published` does;
    deepcolor's own way is the default.
    """

    card = StrategyCard(
        name="richzhang",
        title="Colorful Image Colorization (ECCV 2016)",
        description="The classic that asked for vivid colors: bold, sometimes patchy.",
        url="https://arxiv.org/abs/1603.08511",
        license=License(code="BSD-2-Clause", weights="BSD-2-Clause"),
        training_data="1.3 million photographs of ImageNet, which are for research only",
        size=256,
        fit="stretch",
        multiple=8,
        knobs=(
            Knob(
                "vividness",
                "0 is the safe mean of all likely colors, 1 as published, 2 near the likeliest",
                low=0.0,
                default=1.0,
                high=2.0,
            ),
        ),
        weights=(WEIGHTS,),
    )

    def prepare(self, weights: Mapping[str, Path], device: torch.device) -> None:
        import torch

        from deepcolor.builtin.richzhang.network import ECCV16

        state = torch.load(weights[WEIGHTS.filename], map_location="cpu", weights_only=True)
        net = ECCV16()
        net.load_state_dict(state)
        self.net = net.eval().to(device, torch.float32)

    def predict(self, l: Tensor, knobs: Mapping[str, float], hints: Tensor | None) -> Tensor:
        from deepcolor.builtin.richzhang.network import TEMPERATURE

        return self.net(l, TEMPERATURE ** knobs["vividness"])
