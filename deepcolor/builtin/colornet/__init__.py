"""colornet: deepcolor's own network, its weights in the package."""

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
    filename="colornet-v4.safetensors",
    bytes=9_452_978,
    sha256="068ef7455b4f94cc311877efd1765ac3419c1edf0776ae8e07789b048419b73f",
    package="deepcolor.builtin.colornet",
)


class Colornet(Strategy):
    """A U-Net on EfficientNet-lite1 that classifies a*b* bins and takes their annealed mean.

    It looks at a photograph several times, each time at half the size of the time before.
    """

    card = StrategyCard(
        name="colornet",
        title="colornet",
        description="deepcolor's own network: small, fast, works offline.",
        url="https://github.com/deepcolor/deepcolor/blob/main/docs/colornet.md",
        license=License(code="Apache-2.0", weights="Apache-2.0"),
        training_data="21,032 photographs, most for research only or without stated terms; "
        "begun from weights trained on ImageNet",
        size=256,
        knobs=(
            Knob(
                "vividness",
                "0 is the safe mean of all likely colors, 1 the balance, 2 the boldest guess",
                low=0.0,
                default=1.0,
                high=2.0,
            ),
        ),
        hints=True,
        weights=(WEIGHTS,),
    )

    def prepare(self, weights: Mapping[str, Path], device: torch.device) -> None:
        import torch
        from safetensors.torch import load_file

        from deepcolor.builtin.colornet.fused import fuse
        from deepcolor.builtin.colornet.looks import Looks
        from deepcolor.builtin.colornet.network import ColorNet

        [file] = self.card.weights
        net = Looks(ColorNet.of(load_file(weights[file.filename])))
        # torch's stubs lack memory_format.
        self.net: Looks = net.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if device.type == "cpu":
            fuse(self.net)

    def predict(self, l: Tensor, knobs: Mapping[str, float], hints: Tensor | None) -> Tensor:
        return self.net(l, *annealing(knobs["vividness"]), hints)


def annealing(vividness: float) -> tuple[float, float, float]:
    """Temperature, kept rebalancing and gain of chroma for a vividness of 0…2.

    0 is nearest to the truth on average and paler, for a mean of many colors is; on photographs
    that the network never saw, T = 0.8 is nearer than 1.
    1 is about three quarters as colorful as true photographs: colors stand apart a little, and the
    chroma of what stands out is raised, not that of a veil over the whole photograph. 2 keeps all
    of training's favor for rare colors at T = 0.38, the temperature of Zhang et al. (section 2.3).
    """
    bold = max(0.0, vividness - 1)
    calm = vividness - bold
    return 0.8 - 0.15 * calm - 0.27 * bold, 0.12 * calm + 0.88 * bold, 1 + 0.75 * calm
