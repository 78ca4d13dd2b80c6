from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import deepcolor
from deepcolor.builtin.richzhang import WEIGHTS, RichZhang
from deepcolor.builtin.richzhang.network import ECCV16
from deepcolor.errors import WeightsMissingError

# The released network: each block's convolutions, at every second index, and then batch norm.
BLOCKS = {
    1: [(64, 1), (64, 64)],
    2: [(128, 64), (128, 128)],
    3: [(256, 128), (256, 256), (256, 256)],
    4: [(512, 256), (512, 512), (512, 512)],
    5: [(512, 512)] * 3,
    6: [(512, 512)] * 3,
    7: [(512, 512)] * 3,
}


def published_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for number, convolutions in BLOCKS.items():
        for i, (outputs, inputs) in enumerate(convolutions):
            shapes[f"model{number}.{2 * i}.weight"] = (outputs, inputs, 3, 3)
            shapes[f"model{number}.{2 * i}.bias"] = (outputs,)
        norm = f"model{number}.{2 * len(convolutions)}"
        for name in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{norm}.{name}"] = convolutions[-1][:1]
        shapes[f"{norm}.num_batches_tracked"] = ()
    shapes |= {"model8.0.weight": (512, 256, 4, 4), "model8.0.bias": (256,)}
    for index in (2, 4):
        shapes |= {f"model8.{index}.weight": (256, 256, 3, 3), f"model8.{index}.bias": (256,)}
    shapes |= {"model8.6.weight": (313, 256, 1, 1), "model8.6.bias": (313,)}
    return shapes | {"model_out.weight": (2, 313, 1, 1)}


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    """Random weights under the published names, their batch norms well used."""
    generator = torch.Generator().manual_seed(5)
    state: dict[str, Tensor] = {}
    for name, shape in published_shapes().items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(9)
            continue
        fan_in = max(1, int(torch.tensor(shape[1:]).prod())) if len(shape) > 1 else 1
        value = torch.randn(shape, generator=generator)
        state[name] = value * (2 / fan_in) ** 0.5 if len(shape) > 1 else value * 0.1
        if name.endswith("running_var"):
            state[name] = value.abs() + 0.5
    # As decided, and as colorful, as a trained network is.
    state["model8.6.weight"] *= 20
    state["model_out.weight"] *= 10
    return state


@pytest.fixture(scope="module")
def pth(state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("published") / "colorization.pth"
    torch.save(state, path)
    content = path.read_bytes()
    path.unlink()
    return content


Serve = Callable[[bytes], None]


@pytest.fixture
def serve(file_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Puts a file where the card says the weights are, with its own hash on the card."""
    monkeypatch.setenv("DEEPCOLOR_HOME", str(tmp_path))

    def publish(content: bytes) -> None:
        file_server.files["/net.pth"] = content
        file = replace(
            WEIGHTS,
            url=f"{file_server.url}/net.pth",
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        monkeypatch.setattr(RichZhang, "card", replace(RichZhang.card, weights=(file,)))

    return publish


def as_published(state: dict[str, Tensor], l: Tensor) -> Tensor:
    """The released network's forward pass, written out from its state dict."""

    def conv(x: Tensor, name: str, **options: Any) -> Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **options)

    x = (l - 50) / 100
    for number, convolutions in BLOCKS.items():
        for i in range(len(convolutions)):
            last = i == len(convolutions) - 1
            stride = 2 if last and number <= 3 else 1
            dilation = 2 if number in {5, 6} else 1
            name = f"model{number}.{2 * i}"
            x = conv(x, name, stride=stride, padding=dilation, dilation=dilation).relu()
        norm = f"model{number}.{2 * len(convolutions)}"
        mean, var = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
        x = F.batch_norm(x, mean, var, state[f"{norm}.weight"], state[f"{norm}.bias"], eps=1e-5)
    up = state["model8.0.weight"], state["model8.0.bias"]
    x = F.conv_transpose2d(x, *up, stride=2, padding=1).relu()
    x = conv(conv(x, "model8.2", padding=1).relu(), "model8.4", padding=1).relu()
    ab = F.conv2d(conv(x, "model8.6").softmax(dim=1), state["model_out.weight"])
    return F.interpolate(ab, scale_factor=4, mode="bilinear", align_corners=False) * 110


def test_names_and_shapes_are_the_published_ones() -> None:
    ours = {name: tuple(value.shape) for name, value in ECCV16().state_dict().items()}
    assert ours == published_shapes()


def test_size_is_the_published_one() -> None:
    numbers = sum(value.numel() for value in ECCV16().parameters())
    assert numbers == pytest.approx(32.2e6, rel=0.005)
    # Four bytes each, and a little for the names, make the published file.
    assert 0 < WEIGHTS.bytes - 4 * numbers < 100_000


def test_computes_what_the_release_computes(state: dict[str, Tensor]) -> None:
    state = {name: value.double() for name, value in state.items()}
    net = ECCV16().double().eval()
    net.load_state_dict(state)
    l = torch.rand((2, 1, 64, 72), generator=torch.Generator().manual_seed(1)).double() * 100
    with torch.inference_mode():
        ours, theirs = net(l), as_published(state, l)
    assert ours.shape == (2, 2, 64, 72)
    assert theirs.std() > 1
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_fetched_weights_color(serve: Serve, pth: bytes, landscape: Image.Image) -> None:
    serve(pth)
    colorizer = deepcolor.load("richzhang", device="cpu")
    colored = colorizer(landscape)
    assert (colored.mode, colored.size) == ("RGB", landscape.size)
    assert colorizer.card.fit == "stretch"
    with torch.inference_mode():
        ab = colorizer.strategy.predict(torch.zeros(1, 1, 256, 256), {}, None)
    assert ab.shape == (1, 2, 256, 256)


class Payload:
    """What runs when it is unpickled without care."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_weights_cannot_run_code(serve: Serve, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    archive = tmp_path / "evil.pth"
    torch.save({"model1.0.weight": Payload(trap)}, archive)
    serve(archive.read_bytes())
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        deepcolor.load("richzhang", device="cpu")
    assert not trap.exists()


def test_weights_of_another_network_are_refused(serve: Serve, tmp_path: Path) -> None:
    archive = tmp_path / "other.pth"
    torch.save({"conv.weight": torch.zeros(1)}, archive)
    serve(archive.read_bytes())
    with pytest.raises(RuntimeError, match="Missing key"):
        deepcolor.load("richzhang", device="cpu")


def test_weights_that_cannot_be_had(serve: Serve, file_server: Any) -> None:
    serve(b"some")
    file_server.files.clear()
    with pytest.raises(WeightsMissingError, match="'richzhang'"):
        deepcolor.load("richzhang")


def test_the_card_holds_the_pinned_weights() -> None:
    assert RichZhang.card.weights == (WEIGHTS,)
    assert WEIGHTS.bytes == 128_976_165
    assert WEIGHTS.sha256.startswith("9b330a0bae53f4de")
    assert WEIGHTS.url is not None
    assert WEIGHTS.url.endswith("colorization_release_v2-9b330a0b.pth")
