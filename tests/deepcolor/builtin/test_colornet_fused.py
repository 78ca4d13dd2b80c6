"""The network as a processor runs it, held against the network as it is written down."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from deepcolor import Colorizer, load, weights
from deepcolor.builtin.colornet import WEIGHTS, Colornet, annealing
from deepcolor.builtin.colornet.fused import FusedBlock, FusedMerge, fuse
from deepcolor.builtin.colornet.network import ColorNet, Merge

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN"
)


def written_down() -> ColorNet:
    return ColorNet.of(load_file(weights.path(WEIGHTS))).eval()


@pytest.fixture(scope="module")
def plain() -> ColorNet:
    return written_down().to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def fused(colornet: Colorizer) -> ColorNet:
    assert isinstance(colornet.strategy, Colornet)
    return colornet.strategy.net


@needs_onednn
def test_what_colors_on_a_processor_is_fused(fused: ColorNet) -> None:
    assert all(isinstance(block, FusedBlock) for block in fused.trunk.blocks)
    assert not any(isinstance(module, Merge) for module in fused.modules())


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("hinted", [False, True])
@pytest.mark.parametrize("shape", [(1, 32, 32), (1, 224, 288), (3, 96, 64), (1, 320, 800)])
def test_the_colors_are_the_same(
    plain: ColorNet, fused: ColorNet, shape: tuple[int, int, int], hinted: bool, threads: int
) -> None:
    n, height, width = shape
    l = torch.rand(n, 1, height, width, generator=torch.Generator().manual_seed(n)) * 100
    hints = torch.zeros(n, 3, height, width) if hinted else None
    if hints is not None:
        hints[:, :, 9:14, 17:24] = torch.tensor([40.0, -30.0, 1.0])[:, None, None]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)  # PyTorch chooses other kernels for one
    try:
        with torch.inference_mode():
            told, found = (net(l, *annealing(1), hints) for net in (plain, fused))
    finally:
        torch.set_num_threads(before)
    assert told.abs().max() > 5
    assert torch.allclose(found, told, atol=5e-3)


@needs_onednn
@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_merge_at_its_borders(width: int) -> None:
    """Where a kernel sees beyond them, with other norms than 0 and 1."""
    torch.manual_seed(0)
    merge = Merge(3, 2, 4).eval()
    for tensor in (merge.norm.weight, merge.norm.bias, merge.norm.running_mean):
        assert tensor is not None
        torch.nn.init.normal_(tensor)
    assert merge.norm.running_var is not None
    torch.nn.init.uniform_(merge.norm.running_var, 0.5, 2)
    coarse, fine = torch.randn(2, 3, 2, width), torch.randn(2, 2, 4, 2 * width)
    with torch.inference_mode():
        assert torch.allclose(FusedMerge(merge)(coarse, fine), merge(coarse, fine), atol=1e-5)


def test_without_onednn_the_network_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    net = written_down()
    before = net.state_dict().keys()
    fuse(net)
    assert net.state_dict().keys() == before
    assert load("colornet", device="cpu").batch([torch.zeros(8, 8, dtype=torch.uint8).numpy()])
