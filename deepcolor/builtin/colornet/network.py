"""colornet's network: a U-Net over an EfficientNet-lite1 trunk that classifies a*b* bins.

The trunk follows Tan & Le, "EfficientNet" (ICML 2019) in its lite1 form; the output follows
Zhang, Isola & Efros, "Colorful Image Colorization" (ECCV 2016), sections 2.2 and 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Stage:
    """One row of the trunk: ``repeats`` inverted residual blocks, the first with ``stride``."""

    inputs: int
    outputs: int
    expand: int
    kernel: int
    stride: int
    repeats: int


LITE1 = (
    Stage(32, 16, expand=1, kernel=3, stride=1, repeats=1),
    Stage(16, 24, expand=6, kernel=3, stride=2, repeats=3),
    Stage(24, 40, expand=6, kernel=5, stride=2, repeats=3),
    Stage(40, 80, expand=6, kernel=3, stride=2, repeats=4),
    Stage(80, 112, expand=6, kernel=5, stride=1, repeats=4),
    Stage(112, 192, expand=6, kernel=5, stride=2, repeats=5),
    Stage(192, 320, expand=6, kernel=3, stride=1, repeats=1),
)
TAPS = {3: 24, 6: 40, 14: 112}  # block index: channels, the last block at strides 4, 8 and 16


class SameConv(nn.Conv2d):
    """A convolution padded so that a side of n becomes ⌈n / stride⌉, the odd row at the end."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups)
        self.before = (kernel - stride) // 2 if stride > 1 else kernel // 2
        self.after = kernel - stride - self.before
        if stride == 1:
            self.padding = (self.before, self.before)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            x = F.pad(x, (self.before, self.after, self.before, self.after))
        return super().forward(x)


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel, project by 1x1; batch norm is folded into the weights."""

    def __init__(self, inputs: int, outputs: int, expand: int, kernel: int, stride: int):
        super().__init__()
        wide = inputs * expand
        self.expand = SameConv(inputs, wide, 1, 1) if expand > 1 else None
        self.depthwise = SameConv(wide, wide, kernel, stride, groups=wide)
        self.project = SameConv(wide, outputs, 1, 1)
        self.residual = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        return x + y if self.residual else y


class Trunk(nn.Module):
    """EfficientNet-lite1 without its head, for one gray channel."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(1, 32, 3, 2)
        blocks = []
        for stage in LITE1:
            for i in range(stage.repeats):
                inputs, stride = (stage.inputs, stage.stride) if i == 0 else (stage.outputs, 1)
                blocks.append(
                    InvertedResidual(inputs, stage.outputs, stage.expand, stage.kernel, stride)
                )
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features at strides 4, 8, 16 and 32 of gray (N, 1, H, W) in −1…1."""
        x = F.relu6(self.stem(x), inplace=True)
        taps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in TAPS:
                taps.append(x)
        return taps[0], taps[1], taps[2], x


class Merge(nn.Module):
    """Doubles the coarse features, joins them with the finer ones and mixes both by 3x3."""

    def __init__(self, coarse: int, fine: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(coarse + fine, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        coarse = F.interpolate(coarse, size=fine.shape[-2:], mode="nearest")
        return F.relu(self.norm(self.conv(torch.cat((coarse, fine), dim=1))), inplace=True)


class ColorNet(nn.Module):
    """L* in, logits over a*b* bins at a quarter of the resolution out.

    ``bins`` (Q, 2) are the centers in a*b*, ``log_weight`` (Q,) the logarithm of the rebalancing
    weight that training gave each bin; both travel with the weights.
    """

    bins: Tensor
    log_weight: Tensor

    def __init__(self, bins: int):
        super().__init__()
        self.trunk = Trunk()
        self.squeeze = nn.Conv2d(320, 160, 1)
        self.scene = nn.Linear(320, 160)
        self.forget = nn.Dropout2d(0.15)
        self.merge16 = Merge(160, TAPS[14], 160)
        self.merge8 = Merge(160, TAPS[6], 128)
        self.merge4 = Merge(128, TAPS[3], 64)
        self.refine = nn.Conv2d(64, 64, 3, padding=1)
        self.classify = nn.Conv2d(64, bins, 1)
        self.register_buffer("bins", torch.zeros(bins, 2))
        self.register_buffer("log_weight", torch.zeros(bins))

    def features(self, l: Tensor) -> Tensor:
        """What :attr:`classify` reads, (N, 64, H/4, W/4), of L* (N, 1, H, W); sides of 32·k."""
        return self.decode(*self.trunk((l - 50) / 50))

    def decode(self, at4: Tensor, at8: Tensor, at16: Tensor, at32: Tensor) -> Tensor:
        """Climbs from the trunk's coarsest features back to a quarter of the resolution."""
        scene = self.forget(self.scene(at32.mean(dim=(2, 3)))[:, :, None, None])
        x = F.relu(self.squeeze(at32) + scene, inplace=True)
        x = self.merge4(self.merge8(self.merge16(x, at16), at8), at4)
        return self.forget(F.relu(self.refine(x)))

    def forward(self, l: Tensor, temperature: float, rebalance: float) -> Tensor:
        """a*b* (N, 2, H/4, W/4) of L* (N, 1, H, W): the annealed mean over the bins.

        ``temperature`` in (0, 1] sharpens the distribution (1 is the mean, toward 0 the mode);
        ``rebalance`` in 0…1 is how much of training's favor for rare colors is kept.
        """
        logits = self.classify(self.features(l)).float()
        logits = logits - (1 - rebalance) * self.log_weight[:, None, None]
        probability = torch.softmax(logits / temperature, dim=1)
        return torch.einsum("nqhw,qc->nchw", probability, self.bins)
