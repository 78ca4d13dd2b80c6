"""The ECCV16 network: Zhang, Isola & Efros, "Colorful Image Colorization" (ECCV 2016), figure 2."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

BINS = 313
TEMPERATURE = 0.38  # of the annealed mean in the released weights


def block(
    inputs: int, outputs: int, convolutions: int, *, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """3x3 convolutions with a ReLU after each, the last one strided, then batch norm."""
    layers: list[nn.Module] = []
    for i in range(convolutions):
        last = i == convolutions - 1
        layers += [
            nn.Conv2d(
                inputs if i == 0 else outputs,
                outputs,
                3,
                stride=stride if last else 1,
                padding=dilation,
                dilation=dilation,
            ),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers, nn.BatchNorm2d(outputs))


class ECCV16(nn.Module):
    """L* (N, 1, H, W) in 0…100 to a*b* (N, 2, H, W); H and W multiples of 8, 256 as published.

    The names of its parameters are those of the released weights, which hold the annealed mean
    and the bin centers in ``model8`` and ``model_out``. ``temperature`` 1 is the plain mean of the
    bins, toward 0 it is the likeliest one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model1 = block(1, 64, 2, stride=2)
        self.model2 = block(64, 128, 2, stride=2)
        self.model3 = block(128, 256, 3, stride=2)
        self.model4 = block(256, 512, 3)
        self.model5 = block(512, 512, 3, dilation=2)
        self.model6 = block(512, 512, 3, dilation=2)
        self.model7 = block(512, 512, 3)
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(512, 256, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, BINS, 1),
        )
        self.model_out = nn.Conv2d(BINS, 2, 1, bias=False)

    def forward(self, l: Tensor, temperature: float = TEMPERATURE) -> Tensor:
        x = (l - 50) / 100
        for stage in (
            self.model1,
            self.model2,
            self.model3,
            self.model4,
            self.model5,
            self.model6,
            self.model7,
            self.model8,
        ):
            x = stage(x)
        ab = self.model_out((x * (TEMPERATURE / temperature)).softmax(dim=1))
        return 110 * F.interpolate(ab, scale_factor=4, mode="bilinear", align_corners=False)
