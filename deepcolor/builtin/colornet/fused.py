"""colornet as a processor runs it fastest: the same network, with fewer passes over its features.

PyTorch reads and writes all features once more for each bias, norm and activation after a
convolution, and puts a convolution's weights in oneDNN's order each time. oneDNN, which it runs
on a processor, does the former within the convolution, and takes weights that are in order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn

from deepcolor.builtin.colornet.network import InvertedResidual, Merge, SameConv

SHAPES = 32  # of inputs whose order of the weights is kept, two to four a photograph

# What follows a convolution: oneDNN's name for it, and its numbers.
NOTHING: tuple[str, list[float]] = ("none", [])
RELU: tuple[str, list[float]] = ("relu", [])
RELU6: tuple[str, list[float]] = ("hardtanh", [0.0, 6.0])


def fuse(net: nn.Module) -> None:
    """Replaces the parts of a network that is from now on only to color, on the processor.

    Where this PyTorch has no oneDNN, or one that works otherwise, the network stays as it is.
    """
    if _does_as_expected():
        _fuse_below(net)


@functools.cache
def _does_as_expected() -> bool:
    """Whether oneDNN is there and right: PyTorch does not promise the operations used here."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    x = torch.linspace(-1, 1, 128, dtype=torch.float32).reshape(1, 8, 8, 2).movedim(-1, 1)
    block = InvertedResidual(2, 2, expand=2, kernel=3, stride=1).float()
    try:
        with torch.inference_mode():
            return torch.allclose(FusedBlock(block)(x), block(x), atol=1e-4)
    except (AttributeError, RuntimeError, TypeError):
        return False


def _fuse_below(parent: nn.Module) -> None:
    for name, child in parent.named_children():
        if fused := FUSED.get(type(child)):
            setattr(parent, name, fused(child))
        else:
            _fuse_below(child)


class Convolution:
    """A convolution and what follows it, in one pass."""

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        *,
        stride: int = 1,
        padding: int,
        groups: int = 1,
        then: tuple[str, list[float]] = NOTHING,
    ):
        self.bias = None if bias is None else bias.detach()
        self.shape = [padding] * 2, [stride] * 2, [1, 1], groups
        self.then = then
        self.weight = weight.detach().contiguous(memory_format=torch.channels_last)
        self._get_ready()

    def _get_ready(self) -> None:
        """Makes what is made anew where this is copied or unpickled."""
        self.orders: WeakValueDictionary[bytes, Tensor] = WeakValueDictionary()
        self.ordered = functools.lru_cache(SHAPES)(self._ordered)
        # Looked up once: to find the right one among those of a name takes its time.
        self.plain = torch.ops.mkldnn._convolution_pointwise.default
        self.adding = torch.ops.mkldnn._convolution_pointwise.binary

    def __getstate__(self) -> dict[str, Any]:
        return {name: vars(self)[name] for name in ("weight", "bias", "shape", "then")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._get_ready()

    def __call__(self, x: Tensor) -> Tensor:
        weight = self.ordered(x.shape, torch.get_num_threads())
        return self.plain(x, weight, self.bias, *self.shape, *self.then, "")

    def onto(self, base: Tensor, x: Tensor) -> Tensor:
        """The same, with ``base`` added before what follows."""
        name, numbers = self.then
        how = "add", 1.0, None if self.then == NOTHING else name, numbers, ""
        weight = self.ordered(x.shape, torch.get_num_threads())
        return self.adding(x, base, weight, self.bias, *self.shape, *how)

    def _ordered(self, shape: torch.Size, _threads: int) -> Tensor:
        """The weight as oneDNN wants it for such an input; many want the same.

        In the order of another, it would be ordered anew each time, some fifty times as slowly as
        oneDNN does it with one that is in none.
        """
        onednn = torch.ops.mkldnn
        ordered = onednn._reorder_convolution_weight(self.weight, *self.shape, list(shape))
        order = bytes(onednn._get_mkldnn_serialized_md(ordered).tolist())
        return self.orders.setdefault(order, ordered)


class FusedConv(nn.Module):
    """A :class:`SameConv` in one pass."""

    def __init__(self, conv: SameConv):
        super().__init__()
        self.convolution = _convolution(conv)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x)


class FusedBlock(nn.Module):
    """An :class:`InvertedResidual` in a pass for each of its convolutions."""

    def __init__(self, block: InvertedResidual):
        super().__init__()
        self.expand = None if block.expand is None else _convolution(block.expand)
        self.depthwise = _convolution(block.depthwise)
        self.project = _convolution(block.project)
        self.residual = block.residual

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(x if self.expand is None else self.expand(x))
        return self.project.onto(x, y) if self.residual else self.project(y)


class FusedMerge(nn.Module):
    """A :class:`Merge` that neither doubles the coarse features nor joins them with the finer.

    A kernel of three by three over doubled features sees only two by two of what was doubled, and
    there are four ways in which it does, by whether its row and its column are odd: four ninths of
    the work.
    """

    def __init__(self, merge: Merge):
        super().__init__()
        norm = merge.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = (merge.conv.weight * gain[:, None, None, None]).detach()
        coarse, fine = weight[:, : merge.coarse], weight[:, merge.coarse :]
        bias = norm.bias - norm.running_mean * gain
        self.fine = Convolution(fine, bias, padding=1, then=RELU)
        ways = [
            _as_seen(_as_seen(coarse, 2, row), 3, column) for row in (0, 1) for column in (0, 1)
        ]
        self.coarse = Convolution(torch.cat(ways), None, padding=1)
        self.outputs = len(weight)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        # Padded, two by two see a row and a column more than there are: those before the first,
        # which only even ones need, and those after the last, which only odd ones do.
        seen = self.coarse(coarse).movedim(1, -1).contiguous()
        n, height, width = len(seen), seen.shape[1] - 1, seen.shape[2] - 1
        k = self.outputs
        photograph, down, right, _ = seen.stride()
        base = seen.as_strided(
            (n, height, 2, width, 2, k),
            (photograph, down, down + 2 * k, right, right + k, 1),
        )
        return self.fine.onto(base.reshape(n, 2 * height, 2 * width, k).movedim(-1, 1), fine)


def _convolution(conv: SameConv) -> Convolution:
    return Convolution(
        conv.kernel,
        conv.bias,
        stride=conv.stride[0],
        padding=conv.kernel_size[0] // 2,
        groups=conv.groups,
        then=RELU6 if conv.clipped else NOTHING,
    )


def _as_seen(kernel: Tensor, dim: int, odd: int) -> Tensor:
    """A kernel of three over what was doubled, as one of two over what it was doubled from."""
    first, middle, last = kernel.unbind(dim)
    return torch.stack((first + middle, last) if odd else (first, middle + last), dim)


FUSED: dict[type[nn.Module], Callable[..., nn.Module]] = {
    SameConv: FusedConv,
    InvertedResidual: FusedBlock,
    Merge: FusedMerge,
}
