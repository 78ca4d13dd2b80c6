"""The network of Zhang, Zhu, Isola, Geng, Lin, Yu & Efros, "Real-Time User-Guided Image
Colorization with Learned Deep Priors" (SIGGRAPH 2017), figure 2."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def convolutions(inputs: int, outputs: int, count: int, *, dilation: int = 1) -> list[nn.Module]:
    """3x3 convolutions with a ReLU after each."""
    layers: list[nn.Module] = []
    for i in range(count):
        layers += [
            nn.Conv2d(
                inputs if i == 0 else outputs, outputs, 3, padding=dilation, dilation=dilation
            ),
            nn.ReLU(inplace=True),
        ]
    return layers


def encoder(inputs: int, outputs: int, count: int, *, dilation: int = 1) -> nn.Sequential:
    """Convolutions, and batch norm at their end."""
    layers = convolutions(inputs, outputs, count, dilation=dilation)
    return nn.Sequential(*layers, nn.BatchNorm2d(outputs))


def decoder(channels: int, count: int) -> nn.Sequential:
    """The ReLU of the sum of what came up and what was skipped; then as :func:`encoder`."""
    layers = convolutions(channels, channels, count)
    return nn.Sequential(nn.ReLU(inplace=True), *layers, nn.BatchNorm2d(channels))


def up(inputs: int, outputs: int) -> nn.Sequential:
    """Twice as large."""
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1))


def skip(inputs: int, outputs: int) -> nn.Sequential:
    """How an encoder's features are added in the decoder."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1))


class SIGGRAPH17(nn.Module):
    """L* (N, 1, H, W) in 0…100 and hints (N, 3, H, W) to a*b* (N, 2, H, W).

    ``hints`` are a*, b* and a mask of 0 and 1, all zero without any; H and W are multiples of 8,
    256 as published. The names of its parameters are those of the released weights. Of those,
    ``model_class`` served the training only: it guessed bins of colors.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model1 = encoder(4, 64, 2)
        self.model2 = encoder(64, 128, 2)
        self.model3 = encoder(128, 256, 3)
        self.model4 = encoder(256, 512, 3)
        self.model5 = encoder(512, 512, 3, dilation=2)
        self.model6 = encoder(512, 512, 3, dilation=2)
        self.model7 = encoder(512, 512, 3)
        self.model8up = up(512, 256)
        self.model3short8 = skip(256, 256)
        self.model8 = decoder(256, 2)
        self.model9up = up(256, 128)
        self.model2short9 = skip(128, 128)
        self.model9 = decoder(128, 1)
        self.model10up = up(128, 128)
        self.model1short10 = skip(64, 128)
        self.model10 = nn.Sequential(
            nn.ReLU(inplace=True), nn.Conv2d(128, 128, 3, padding=1), nn.LeakyReLU(0.2)
        )
        self.model_class = nn.Sequential(nn.Conv2d(256, 529, 1))
        self.model_out = nn.Sequential(nn.Conv2d(128, 2, 1), nn.Tanh())

    def forward(self, l: Tensor, hints: Tensor) -> Tensor:
        ab, mask = hints[:, :2], hints[:, 2:]
        full = self.model1(torch.cat(((l - 50) / 100, ab / 110, mask), dim=1))
        half = self.model2(full[..., ::2, ::2])
        quarter = self.model3(half[..., ::2, ::2])
        x = self.model4(quarter[..., ::2, ::2])
        x = self.model7(self.model6(self.model5(x)))
        x = self.model8(self.model8up(x) + self.model3short8(quarter))
        x = self.model9(self.model9up(x) + self.model2short9(half))
        x = self.model10(self.model10up(x) + self.model1short10(full))
        return 110 * self.model_out(x)
