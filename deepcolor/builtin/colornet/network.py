"""colornet's network: a U-Net over an EfficientNet-lite1 trunk that classifies a*b* bins.

The trunk follows Tan & Le, "EfficientNet" (ICML 2019) in its lite1 form; the output follows
Zhang, Isola & Efros, "Colorful Image Colorization" (ECCV 2016), sections 2.2 and 2.3. Hints enter
the decoder, not the trunk, so that a network without any is the same network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

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
COARSEST = 320  # channels at stride 32
TAPS = {3: 24, 6: 40, 14: 112}  # block index: channels, the last block at strides 4, 8 and 16
WIDTHS = (160, 160, 128, 64)  # channels of the decoder at strides 32, 16, 8 and 4
HINT_SCALE = 110.0  # brings a*b* to about −1…1


class SameConv(nn.Conv2d):
    """A convolution padded so that a side of n becomes n / stride, the odd row at the end.

    ``clipped`` ends it with a ReLU6.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int,
        groups: int = 1,
        clipped: bool = False,
    ):
        after = kernel // 2
        super().__init__(inputs, outputs, kernel, stride, padding=after, groups=groups)
        self.fewer_before = after - (kernel - stride - after)
        self.clipped = clipped

    @property
    def kernel(self) -> Tensor:
        """The weight, padded where the image's beginning is to be padded less than its end."""
        if self.fewer_before == 0:
            return self.weight
        # Zeros at the kernel's beginning and not the image's, of which padding makes a copy.
        return F.pad(self.weight, (self.fewer_before, 0, self.fewer_before, 0))

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv2d(x, self.kernel, self.bias, self.stride, self.padding, groups=self.groups)
        return F.relu6(y, inplace=True) if self.clipped else y


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel, project by 1x1; batch norm is folded into the weights.

    In training a residual one is ``skipped`` for that share of the photographs, and counts for more
    with the others (Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016).
    """

    def __init__(
        self, inputs: int, outputs: int, expand: int, kernel: int, stride: int, skipped: float = 0.0
    ):
        super().__init__()
        wide = inputs * expand
        self.expand = SameConv(inputs, wide, 1, 1, clipped=True) if expand > 1 else None
        self.depthwise = SameConv(wide, wide, kernel, stride, groups=wide, clipped=True)
        self.project = SameConv(wide, outputs, 1, 1)
        self.residual = inputs == outputs and stride == 1
        self.skipped = skipped

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        if not self.residual:
            return y
        if self.training and self.skipped:
            stays = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.skipped
            y = y * (stays / (1 - self.skipped)).to(y.dtype)
        return x + y


class Trunk(nn.Module):
    """EfficientNet-lite1 without its head, for one gray channel.

    In training residual blocks are skipped, the later the more often: ``skipped`` at the end.
    """

    def __init__(self, skipped: float = 0.0) -> None:
        super().__init__()
        self.stem = SameConv(1, 32, 3, 2, clipped=True)
        count = sum(stage.repeats for stage in LITE1)
        blocks: list[InvertedResidual] = []
        for stage in LITE1:
            for i in range(stage.repeats):
                inputs, stride = (stage.inputs, stage.stride) if i == 0 else (stage.outputs, 1)
                share = skipped * len(blocks) / count
                blocks.append(
                    InvertedResidual(
                        inputs, stage.outputs, stage.expand, stage.kernel, stride, share
                    )
                )
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features at strides 4, 8, 16 and 32 of gray (N, 1, H, W) in −1…1."""
        x = self.stem(x)
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
        self.coarse = coarse
        self.conv = nn.Conv2d(coarse + fine, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        coarse = F.interpolate(coarse, size=fine.shape[-2:], mode="nearest")
        return F.relu(self.norm(self.conv(torch.cat((coarse, fine), dim=1))), inplace=True)


class Nearby(nn.Module):
    """What the hints around each position say, (N, ``outputs``, H, W) of hints (N, 3, H, W)."""

    def __init__(self, outputs: int, width: int = 48):
        super().__init__()
        self.read = nn.Conv2d(3, width, 3, padding=1)
        self.spread = nn.Conv2d(width, width, 3, padding=2, dilation=2)
        self.mix = _silent(nn.Conv2d(width, outputs, 3, padding=1))

    def forward(self, hints: Tensor) -> Tensor:
        return self.mix(F.relu(self.spread(F.relu(self.read(hints)))))


class Alike(nn.Module):
    """Carries a hint to everything that looks alike, however far: attention over the hints.

    Each position asks by what the trunk saw there; each hint answers by what it lies on, with its
    color. A still answer stands for "none of them".
    """

    def __init__(self, inputs: int, outputs: int, width: int = 64):
        super().__init__()
        self.query = nn.Conv2d(inputs, width, 1)
        self.key = nn.Conv2d(inputs, width, 1)
        self.value = nn.Conv2d(2, width, 1)
        self.still = nn.Parameter(torch.zeros(width))
        self.nearness = nn.Parameter(torch.tensor(2.0))
        self.mix = _silent(nn.Conv2d(width, outputs, 1))

    def forward(self, seen: Tensor, hints: Tensor) -> Tensor:
        n, _, h, w = seen.shape
        query, key = self.query(seen).flatten(2), self.key(seen).flatten(2)
        value = self.value(hints[:, :2]).flatten(2)
        scale = query.shape[1] ** -0.5
        score = torch.einsum("ncp,nck->npk", query, key) * scale
        score = score - F.softplus(self.nearness) * _distances(h, w, seen.device)
        score = score.masked_fill(hints[:, 2].flatten(1)[:, None] == 0, float("-inf"))
        none = torch.einsum("ncp,c->np", query, self.still)[:, :, None] * scale
        share = torch.softmax(torch.cat((score, none), dim=2).float(), dim=2)[:, :, :-1]
        told = torch.einsum("npk,nck->ncp", share.to(value.dtype), value)
        return self.mix(told.reshape(n, -1, h, w))


def _silent(conv: nn.Conv2d) -> nn.Conv2d:
    """A convolution that says nothing before it learns to."""
    nn.init.zeros_(conv.weight)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv


def _distances(height: int, width: int, device: torch.device) -> Tensor:
    """Between each two positions, (H·W, H·W), the longer side being 1."""
    sides = (
        torch.arange(side, dtype=torch.float32, device=device) / max(height, width)
        for side in (height, width)
    )
    place = torch.stack(torch.meshgrid(*sides, indexing="ij"), dim=-1).reshape(-1, 2)
    return torch.cdist(place, place)


def shrink(hints: Tensor, sides: list[int]) -> Tensor:
    """Hints (N, 3, H, W) on a coarser grid, (N, 3, *``sides``): the mean of those in each cell."""
    if hints.device.type == "mps":  # on which cells must be of one size
        return shrink(hints.cpu(), sides).to(hints.device)
    mask = F.interpolate(hints[:, 2:], sides, mode="area")
    ab = F.interpolate(hints[:, :2] * hints[:, 2:], sides, mode="area") / mask.clamp_min(1e-6)
    return torch.cat((ab, (mask > 0).to(ab.dtype)), dim=1)


class ColorNet(nn.Module):
    """L* and hints in, logits over a*b* bins at a quarter of the resolution out.

    ``bins`` (Q, 2) are the centers in a*b*, ``log_weight`` (Q,) the logarithm of the rebalancing
    weight that training gave each bin; both travel with the weights. ``widths`` are the decoder's
    channels at strides 32, 16, 8 and 4. In training a share ``dropout`` of them is forgotten, and
    some of the trunk's blocks are ``skipped``.
    """

    bins: Tensor
    log_weight: Tensor

    def __init__(
        self,
        bins: int,
        widths: tuple[int, int, int, int] = WIDTHS,
        dropout: float = 0.0,
        skipped: float = 0.0,
    ):
        super().__init__()
        at32, at16, at8, at4 = widths
        self.trunk = Trunk(skipped)
        self.squeeze = nn.Conv2d(COARSEST, at32, 1)
        self.scene = nn.Linear(COARSEST, at32)
        self.forget = nn.Dropout2d(dropout)
        self.merge16 = Merge(at32, TAPS[14], at16)
        self.merge8 = Merge(at16, TAPS[6], at8)
        self.merge4 = Merge(at8, TAPS[3], at4)
        self.alike = Alike(TAPS[14], at16)
        self.nearby8 = Nearby(at8)
        self.nearby4 = Nearby(at4)
        self.refine = nn.Conv2d(at4, at4, 3, padding=1)
        self.classify = nn.Conv2d(at4, bins, 1)
        self.register_buffer("bins", torch.zeros(bins, 2))
        self.register_buffer("log_weight", torch.zeros(bins))

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> Self:
        """The network that these weights are of, in float32; raises ``KeyError`` if of none."""
        layers = ("squeeze.weight", "merge16.conv.weight", "merge8.conv.weight")
        at32, at16, at8, at4 = (len(state[name]) for name in (*layers, "merge4.conv.weight"))
        net = cls(len(state["bins"]), (at32, at16, at8, at4))
        missing, unknown = net.load_state_dict(
            {name: value.float() for name, value in state.items()}, strict=False
        )
        for name in missing:
            if not name.endswith("num_batches_tracked"):  # which nothing but training reads
                raise KeyError(f"the weights lack {name}")
        if unknown:
            raise KeyError(f"the weights have {unknown[0]}, which is no part of the network")
        return net.float()  # as it is made, it has torch's default type

    def features(self, l: Tensor, hints: Tensor | None = None) -> Tensor:
        """What :attr:`classify` reads, (N, C, H/4, W/4), of L* (N, 1, H, W); sides of 32·k."""
        return self.decode(self.trunk((l - 50) / 50), hints)

    def decode(self, seen: tuple[Tensor, Tensor, Tensor, Tensor], hints: Tensor | None) -> Tensor:
        """Climbs from the trunk's coarsest features back to a quarter of the resolution."""
        at4, at8, at16, at32 = seen
        scene = self.forget(self.scene(at32.mean(dim=(2, 3)))[:, :, None, None])
        x = F.relu(self.squeeze(at32) + scene, inplace=True)
        x = self.forget(self.merge16(self.forget(x), at16))
        if hints is None:
            x = self.merge4(self.merge8(x, at8), at4)
        else:
            hints = torch.cat((hints[:, :2] / HINT_SCALE, hints[:, 2:]), dim=1)
            # Photographs without a hint stay what they are without this room.
            given = hints[:, 2:].amax(dim=(2, 3), keepdim=True).to(x.dtype)
            x = x + given * self.alike(at16, shrink(hints, [*at16.shape[-2:]]))
            x = self.merge8(x, at8)
            x = x + given * self.nearby8(shrink(hints, [*at8.shape[-2:]]))
            x = self.merge4(x, at4)
            x = x + given * self.nearby4(shrink(hints, [*at4.shape[-2:]]))
        return self.forget(F.relu(self.refine(x)))

    def forward(
        self,
        l: Tensor,
        temperature: float,
        rebalance: float,
        hints: Tensor | None = None,
    ) -> Tensor:
        """a*b* (N, 2, H/4, W/4) of L* (N, 1, H, W): the annealed mean over the bins.

        ``temperature`` in (0, 1] sharpens the distribution (1 is the mean, toward 0 the mode);
        ``rebalance`` in 0…1 is how much of training's favor for rare colors is kept. ``hints``
        (N, 3, H, W) are a*, b* and a mask of 0 and 1.
        """
        seen = self.features(l, hints).movedim(1, -1)
        # As mean_color does it, but to the weights of one layer rather than to all that it says.
        assert self.classify.bias is not None
        weight = self.classify.weight.flatten(1) / temperature
        bias = (self.classify.bias - (1 - rebalance) * self.log_weight) / temperature
        probability = F.linear(seen, weight, bias).float().softmax(dim=-1)
        return (probability @ self.bins).movedim(-1, 1).contiguous()

    def mean_color(self, logits: Tensor, temperature: float, rebalance: float) -> Tensor:
        """The annealed mean (N, 2, h, w) of logits (N, Q, h, w)."""
        logits = logits - (1 - rebalance) * self.log_weight[:, None, None]
        probability = torch.softmax(logits / temperature, dim=1)
        return torch.einsum("nqhw,qc->nchw", probability, self.bins)
