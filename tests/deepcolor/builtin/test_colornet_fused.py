"""The network as a processor runs it, held against the network as it is written down."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from deepcolor import Colorizer, load, weights
from deepcolor.builtin.colornet import WEIGHTS, Colornet, annealing
from deepcolor.builtin.colornet import fused as fused_module
from deepcolor.builtin.colornet.fused import FusedBlock, FusedMerge, _does_as_expected, fuse
from deepcolor.builtin.colornet.looks import Looks
from deepcolor.builtin.colornet.network import ColorNet, Merge

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN"
)


def written_down() -> Looks:
    return Looks(ColorNet.of(load_file(weights.path(WEIGHTS)))).eval()


@pytest.fixture(scope="module")
def plain() -> Looks:
    return written_down().to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def fused(colornet: Colorizer) -> Looks:
    assert isinstance(colornet.strategy, Colornet)
    return colornet.strategy.net


@needs_onednn
def test_what_colors_on_a_processor_is_fused(fused: Looks) -> None:
    assert all(isinstance(block, FusedBlock) for block in fused.net.trunk.blocks)
    assert not any(isinstance(module, Merge) for module in fused.modules())


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("hinted", [False, True])
@pytest.mark.parametrize("shape", [(1, 32, 32), (1, 224, 288), (3, 96, 64), (1, 320, 800)])
def test_the_colors_are_the_same(
    plain: Looks, fused: Looks, shape: tuple[int, int, int], hinted: bool, threads: int
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


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """Whether oneDNN does as expected is found out once a process."""
    _does_as_expected.cache_clear()
    yield
    _does_as_expected.cache_clear()


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (torch.backends.mkldnn, "is_available", lambda: False),
        (torch.ops, "mkldnn", SimpleNamespace()),
        (fused_module, "RELU6", fused_module.NOTHING),
    ],
    ids=["without oneDNN", "without its operations", "with others"],
)
def test_where_onednn_is_another_the_network_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, value: object
) -> None:
    monkeypatch.setattr(owner, name, value)
    net = written_down()
    before = net.state_dict().keys()
    fuse(net)
    assert net.state_dict().keys() == before
    assert load("colornet", device="cpu")(np.zeros((8, 8), np.uint8)).shape == (8, 8, 3)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_colorizer_can_be_sent_to_another_process(
    colornet: Colorizer, copied: Callable[[Colorizer], Colorizer]
) -> None:
    gray = np.tile(np.arange(96, dtype=np.uint8) * 2, (64, 1))
    colornet(gray)
    assert np.array_equal(copied(colornet)(gray), colornet(gray))
