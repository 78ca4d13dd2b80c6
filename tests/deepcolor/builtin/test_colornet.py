from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

import deepcolor
from deepcolor import weights
from deepcolor.builtin.colornet import WEIGHTS, Colornet, annealing
from deepcolor.builtin.colornet.looks import Looks, halved
from deepcolor.builtin.colornet.looks import looks as seen_by
from deepcolor.builtin.colornet.network import ColorNet, InvertedResidual, SameConv, Trunk
from deepcolor.lab import rgb_to_lab

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"


@pytest.fixture(scope="module")
def file() -> Path:
    return weights.path(WEIGHTS)


@pytest.fixture(scope="module")
def looks(colornet: deepcolor.Colorizer) -> Looks:
    assert isinstance(colornet.strategy, Colornet)
    return colornet.strategy.net


@pytest.fixture(scope="module")
def net(looks: Looks) -> ColorNet:
    return looks.net


def test_the_card_tells_the_truth_of_the_file(file: Path) -> None:
    content = file.read_bytes()
    assert WEIGHTS.bytes == len(content) <= 25_000_000
    assert WEIGHTS.sha256 == hashlib.sha256(content).hexdigest()
    assert WEIGHTS.url is None


def test_weights_are_half_precision_and_all_finite(file: Path) -> None:
    with safe_open(file, "pt") as opened:
        for name in opened.keys():  # noqa: SIM118
            value = opened.get_tensor(name)
            assert value.dtype == torch.float16, name
            assert value.isfinite().all(), name


def test_the_file_fills_the_whole_network(file: Path) -> None:
    state = load_file(file)
    net = ColorNet.of(state)
    own = {n for n in net.state_dict() if not n.endswith("num_batches_tracked")}
    assert state.keys() == own


def test_it_works_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise OSError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("DEEPCOLOR_HOME", str(tmp_path / "none"))
    assert deepcolor.load("colornet", device="cpu")(Image.new("L", (40, 30), 90)).size == (40, 30)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("h", "w"), [(32, 32), (64, 96), (256, 256)])
def test_ab_at_a_quarter_of_the_resolution(net: ColorNet, h: int, w: int) -> None:
    with torch.inference_mode():
        ab = net(torch.full((2, 1, h, w), 60.0), *annealing(1)[:2])
    assert ab.shape == (2, 2, h // 4, w // 4)
    assert ab.isfinite().all()


def test_colors_lie_among_the_bins(net: ColorNet) -> None:
    assert net.bins.shape == (len(net.log_weight), 2)
    with torch.inference_mode():
        ab = net(torch.rand(1, 1, 64, 64) * 100, temperature=0.38, rebalance=1)
    for channel in (0, 1):
        assert net.bins[:, channel].min() <= ab[:, channel].min()
        assert ab[:, channel].max() <= net.bins[:, channel].max()


def test_the_annealed_mean(net: ColorNet) -> None:
    """Against its definition, for one pixel."""
    l = torch.linspace(0, 100, 64 * 64).reshape(1, 1, 64, 64)
    temperature, rebalance, _ = annealing(1.5)
    with torch.inference_mode():
        logits = net.classify(net.features(l))[0, :, 5, 9].double()
        logits = logits - (1 - rebalance) * net.log_weight.double()
        p = (logits / temperature).softmax(dim=0)
        expected = (p[:, None] * net.bins.double()).sum(dim=0)
        ab = net(l, temperature, rebalance)[0, :, 5, 9]
    assert ab.tolist() == pytest.approx(expected.tolist(), abs=1e-2)


@pytest.mark.parametrize("vividness", [0, 1, 2])
def test_what_sweeps_and_training_take_for_the_mean_is_what_is_guessed(
    net: ColorNet, vividness: float
) -> None:
    l = torch.rand(2, 1, 64, 96, generator=torch.Generator().manual_seed(0)) * 100
    with torch.inference_mode():
        told = net.mean_color(net.classify(net.features(l)), *annealing(vividness)[:2])
        assert torch.allclose(net(l, *annealing(vividness)[:2]), told, atol=1e-3)


@pytest.mark.parametrize("hinted", [False, True])
@pytest.mark.parametrize(("sides", "count"), [((128, 192), 2), ((512, 384), 3)])
def test_what_is_guessed_is_the_mean_of_all_looks(
    looks: Looks, net: ColorNet, hinted: bool, sides: tuple[int, int], count: int
) -> None:
    blots = torch.rand(1, 1, 4, 6, generator=torch.Generator().manual_seed(0)) * 100
    l = F.interpolate(blots, sides, mode="bicubic").clamp(0, 100)
    hints = torch.zeros(1, 3, *sides) if hinted else None
    if hints is not None:
        hints[:, :, 60:63, 90:93] = torch.tensor([50.0, 20.0, 1.0])[:, None, None]
    with torch.inference_mode():
        found = looks.guess(l, *annealing(1)[:2], hints)
        guesses = [net(l, *annealing(1)[:2], hints)]
        while len(guesses) < count:
            l, hints = F.avg_pool2d(l, 2), halved(l, hints)[1]
            guesses.append(net(l, *annealing(1)[:2], hints))
    near = guesses[0]
    alike = [F.interpolate(one, near.shape[-2:], mode="bilinear") for one in guesses]
    assert torch.allclose(found, torch.stack(alike).mean(dim=0), atol=1e-3)
    assert (near - found).abs().max() > 1


@pytest.mark.parametrize(
    ("first", "others"),
    [
        ((32, 32), [(32, 32)]),
        ((192, 192), [(96, 96)]),
        ((256, 256), [(128, 128)]),
        ((224, 288), [(128, 128)]),
        ((384, 384), [(192, 192)]),
        ((512, 512), [(256, 256), (128, 128)]),
        ((416, 640), [(192, 320), (96, 160)]),
        ((1024, 1024), [(512, 512), (256, 256), (128, 128)]),
    ],
)
def test_the_nearer_the_first_look_the_more_follow(
    first: tuple[int, int], others: list[tuple[int, int]]
) -> None:
    hints = torch.zeros(1, 3, *first)
    seen = list(seen_by(torch.zeros(1, 1, *first), hints))
    assert [l.shape[-2:] for l, _ in seen] == [first, *others]
    assert all(told is not None and told.shape[-2:] == l.shape[-2:] for l, told in seen)


def test_a_closer_look_brings_color_to_small_faces(colornet: deepcolor.Colorizer) -> None:
    """And not to all else alike."""
    group = Image.open(PICTURES / "dust-bowl.gray.jpg")
    faces = [(62, 60, 80, 82), (138, 135, 158, 160), (108, 208, 138, 238), (388, 82, 412, 110)]
    far, near = (colornet(group, size=size) for size in (256, 512))
    assert _chroma(near) < 1.1 * _chroma(far)
    for face in faces:
        assert (_ab(near.crop(face)).mean(dim=(1, 2)) > 2).all()  # skin is red and yellow
        assert _chroma(near.crop(face)) > 1.1 * _chroma(far.crop(face))


def _ab(image: Image.Image) -> torch.Tensor:
    return rgb_to_lab(torch.from_numpy(np.array(image)).permute(2, 0, 1))[1:]


def _chroma(image: Image.Image) -> float:
    return _ab(image).norm(dim=0).mean().item()


@pytest.mark.parametrize(
    ("side", "half"), [(32, 32), (64, 32), (96, 64), (128, 64), (160, 64), (256, 128)]
)
def test_half_the_size_is_again_a_multiple_of_32(side: int, half: int) -> None:
    l, hints = torch.full((1, 1, side, 64), 70.0), torch.zeros(1, 3, side, 64)
    hints[:, :, 20:23, 30:33] = torch.tensor([50.0, -20.0, 1.0])[:, None, None]
    smaller, told = halved(l, hints)
    assert smaller.shape == (1, 1, half, 32)
    assert torch.allclose(smaller, torch.tensor(70.0))
    assert told is not None
    assert told.shape == (1, 3, half, 32)
    here = told[:, 2] == 1
    assert here.any()
    assert torch.allclose(told[:, :2].movedim(1, -1)[here], torch.tensor([50.0, -20.0]))
    assert not told[:, :2].movedim(1, -1)[~here].any()


@pytest.mark.parametrize(("kernel", "before", "after"), [(3, 0, 1), (5, 1, 2)])
def test_a_strided_convolution_sees_the_odd_row_at_the_end(
    kernel: int, before: int, after: int
) -> None:
    conv = SameConv(3, 4, kernel, stride=2)
    x = torch.rand(1, 3, 10, 12)
    padded = F.pad(x, (before, after, before, after))
    told = F.conv2d(padded, conv.weight, conv.bias, stride=2)
    assert told.shape == (1, 4, 5, 6)
    assert torch.allclose(conv(x), told, atol=1e-6)


def test_vividness_at_its_ends() -> None:
    assert annealing(0) == pytest.approx((0.8, 0, 1))
    assert annealing(2) == pytest.approx((0.38, 1, 1.75))


@pytest.mark.parametrize(("vividness", "most"), [(0, 1.1), (1, 1.1), (2, 1.16)])
def test_a_hints_color_comes_out_as_given(looks: Looks, vividness: float, most: float) -> None:
    """Whatever gain the chroma of guesses has, which raises what is guessed too strong, too."""
    l = torch.full((1, 1, 128, 128), 50.0)
    hints = torch.zeros(1, 3, 128, 128)
    given = torch.tensor([40.0, 30.0])
    hints[0, :2, 60:68, 60:68] = given[:, None, None]
    hints[0, 2, 60:68, 60:68] = 1
    with torch.inference_mode():
        ab = looks(l, *annealing(vividness), hints)[0, :, 16, 16]
    assert (ab - given).norm() < 0.2 * given.norm()
    assert ab.norm() < most * given.norm()


def test_a_block_is_skipped_for_a_share_of_the_photographs_in_training() -> None:
    """On average it says what it says when it is asked."""
    block = InvertedResidual(4, 4, expand=2, kernel=3, stride=1, skipped=0.25).float()
    x = torch.rand(1, 4, 8, 8).repeat(2000, 1, 1, 1)
    with torch.inference_mode():
        asked, trained = block.eval()(x), block.train()(x)
    skipped = (trained == x).flatten(1).all(dim=1)
    assert 0.2 < skipped.float().mean() < 0.3
    assert torch.allclose(trained[~skipped] - x[0], (asked[0] - x[0]) / 0.75, atol=1e-5)


def test_deeper_blocks_are_skipped_more_often() -> None:
    shares = [block.skipped for block in Trunk(skipped=0.2).blocks]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert 0.18 < shares[-1] < 0.2
