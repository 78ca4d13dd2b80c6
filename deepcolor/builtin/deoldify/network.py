"""The artistic generator of DeOldify: a U-Net on ResNet-34, after https://github.com/jantic/DeOldify.

Names and shapes of its parameters are those of the released weights once :func:`plain` has folded
their spectral and weight norms.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCKS = (3, 4, 6, 3)  # of ResNet-34
CHANNELS = (64, 128, 256, 512)
RANGE = 3  # how far normalized colors go from 0


def plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights themselves, where a state dict has them in parts.

    Spectral norm (``weight_orig``, ``weight_u``, ``weight_v``; Miyato et al., 2018) divides by the
    largest singular value, weight norm (``weight_g``, ``weight_v``; Salimans & Kingma, 2016) keeps
    length and direction apart.
    """
    folded: dict[str, Tensor] = {}
    for name, value in state.items():
        layer, _, part = name.rpartition(".")
        direction = state.get(f"{layer}.weight_v")
        if part == "weight_orig":
            assert direction is not None
            sigma = state[f"{layer}.weight_u"] @ (value.flatten(1) @ direction)
            folded[f"{layer}.weight"] = value / sigma
        elif part == "weight_g":
            assert direction is not None
            length = direction.flatten(1).norm(dim=1).view_as(value)
            folded[f"{layer}.weight"] = direction * (value / length)
        elif part not in {"weight_u", "weight_v"}:
            folded[name] = value
    return folded


def convolution(inputs: int, outputs: int, *, norm: bool = True) -> nn.Sequential:
    """3x3, ReLU, and batch norm instead of a bias."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=not norm),
        nn.ReLU(inplace=True),
    ]
    if norm:
        layers.append(nn.BatchNorm2d(outputs))
    return nn.Sequential(*layers)


class Residual(nn.Module):
    """A basic block of ResNet (He et al., 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + self.downsample(x)).relu()


def resnet34() -> nn.Sequential:
    """ResNet-34 without its head."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2, padding=1),
    ]
    inputs = 64
    for blocks, outputs in zip(BLOCKS, CHANNELS, strict=True):
        first = Residual(inputs, outputs, stride=1 if inputs == outputs else 2)
        others = (Residual(outputs, outputs, stride=1) for _ in range(blocks - 1))
        layers.append(nn.Sequential(first, *others))
        inputs = outputs
    return nn.Sequential(*layers)


class Shuffle(nn.Module):
    """Twice as large: pixels out of channels (Shi et al., 2016), then a blur of 2x2."""

    def __init__(self, inputs: int, outputs: int, *, norm: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(inputs, 4 * outputs, 1, bias=not norm)]
        if norm:
            layers.append(nn.BatchNorm2d(4 * outputs))
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pixel_shuffle(self.conv(x).relu(), 2)
        return F.avg_pool2d(F.pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)


class SelfAttention(nn.Module):
    """Each place looks at all others (Zhang et al., "Self-Attention GANs", 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv1d(channels, channels // 8, 1, bias=False)
        self.key = nn.Conv1d(channels, channels // 8, 1, bias=False)
        self.value = nn.Conv1d(channels, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        query, key, value = self.query(flat), self.key(flat), self.value(flat)
        # As published, the softmax runs over the queries.
        seen = torch.softmax(query.transpose(1, 2) @ key, dim=1)
        return x + self.gamma * (value @ seen).view_as(x)


class Up(nn.Module):
    """A block of the decoder: enlarges, takes in what the encoder saw at that size."""

    def __init__(self, inputs: int, skipped: int, outputs: int, *, attention: bool = False) -> None:
        super().__init__()
        self.shuf = Shuffle(inputs, inputs // 2)
        self.bn = nn.BatchNorm2d(skipped)
        self.conv1 = convolution(inputs // 2 + skipped, outputs)
        self.conv2 = convolution(outputs, outputs)
        if attention:
            self.conv2.append(SelfAttention(outputs))

    def forward(self, x: Tensor, skipped: Tensor) -> Tensor:
        x = self.shuf(x)
        if x.shape[-2:] != skipped.shape[-2:]:  # a side was odd when the encoder halved it
            x = F.interpolate(x, skipped.shape[-2:], mode="nearest")
        x = torch.cat((x, self.bn(skipped)), dim=1).relu()
        return self.conv2(self.conv1(x))


class Dense(nn.Module):
    """Two convolutions, added to what went in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolution(channels, channels, norm=False), convolution(channels, channels, norm=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class DeOldify(nn.Module):
    """Gray sRGB (N, 1, H, W) in 0…1 to sRGB in color (N, 3, H, W); H and W are multiples of 16."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Numbered as released; the ReLU at 2 and the concatenation at 9 have no weights.
        self.layers = nn.ModuleList(
            [
                resnet34(),
                nn.BatchNorm2d(512),
                nn.ReLU(inplace=True),
                nn.Sequential(convolution(512, 1024), convolution(1024, 512)),
                Up(512, 256, 768),
                Up(768, 128, 768, attention=True),
                Up(768, 64, 672),
                Up(672, 64, 300),
                Shuffle(300, 300, norm=False),
                nn.Identity(),
                Dense(303),
                nn.Sequential(nn.Conv2d(303, 3, 1)),
            ]
        )
        # The means and deviations of ImageNet's colors, by which the weights count.
        self.register_buffer("mean", _colors(0.485, 0.456, 0.406), persistent=False)
        self.register_buffer("std", _colors(0.229, 0.224, 0.225), persistent=False)

    def forward(self, gray: Tensor) -> Tensor:
        picture = (gray - self.mean) / self.std
        encoder, norm, relu, middle, up16, up8, up4, up2, up1, _, dense, out = self.layers
        assert isinstance(encoder, nn.Sequential)
        half = encoder[:3](picture)
        quarter = encoder[3:5](half)
        eighth = encoder[5](quarter)
        sixteenth = encoder[6](eighth)
        x = middle(relu(norm(encoder[7](sixteenth))))
        x = up2(up4(up8(up16(x, sixteenth), eighth), quarter), half)
        x = out(dense(torch.cat((up1(x), picture), dim=1)))
        return RANGE * (2 * x.sigmoid() - 1) * self.std + self.mean


def _colors(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None]
