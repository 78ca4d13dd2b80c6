"""deoldify: the artistic generator of Jason Antic's DeOldify, with its released weights."""

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
    filename="ColorizeArtistic_gen.pth",
    bytes=255_144_681,
    sha256="3f750246fa220529323b85a8905f9b49c0e5d427099185334d048fb5b5e22477",
    url="https://data.deepai.org/deoldify/ColorizeArtistic_gen.pth",
)


class Deoldify(Strategy):
    """DeOldify's artistic network, which draws the photograph anew; its a*b* are what is taken.

    Its ``render_factor`` is ``size`` / 16.
    """

    card = StrategyCard(
        name="deoldify",
        title="DeOldify, artistic",
        description="Made for old photographs: vibrant and detailed; at times a face stays gray.",
        url="https://github.com/jantic/DeOldify",
        license=License(code="MIT", weights="MIT"),
        training_data="photographs of ImageNet, which are for research only",
        size=560,
        fit="stretch",
        multiple=16,
        weights=(WEIGHTS,),
    )

    def prepare(self, weights: Mapping[str, Path], device: torch.device) -> None:
        import torch

        from deepcolor.builtin.deoldify.network import DeOldify, plain

        # The file holds what training needed to go on as well.
        saved = torch.load(weights[WEIGHTS.filename], map_location="cpu", weights_only=True)
        net = DeOldify()
        net.load_state_dict(plain(saved["model"]))
        self.net = net.eval().to(device, torch.float32)

    def predict(self, l: Tensor, knobs: Mapping[str, float], hints: Tensor | None) -> Tensor:
        from deepcolor.lab import decode_gamma, encode_gamma, linear_rgb_to_lab, luminance

        drawn = self.net(encode_gamma(luminance(l))).clamp(0, 1)
        return linear_rgb_to_lab(decode_gamma(drawn))[:, 1:]
