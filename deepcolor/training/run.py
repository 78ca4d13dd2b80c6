"""A training run: its state, its steps, and what it leaves in its folder."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn

from deepcolor import weights
from deepcolor.bins import SoftEncoder, in_gamut_bins, prior, rebalancing
from deepcolor.builtin.colornet import WEIGHTS
from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.disk import held
from deepcolor.errors import UnreadableFileError, reason
from deepcolor.training import checkpoint, log, schedule
from deepcolor.training.config import COLORNET, IMAGENET, Config
from deepcolor.training.curve import write_curve
from deepcolor.training.draws import Draws
from deepcolor.training.errors import (
    DamagedCheckpointError,
    DivergedError,
    NotSavedError,
    OtherRunError,
    RunInUseError,
    UnevenBatchError,
)
from deepcolor.training.loss import favor, loss, start_at_prior
from deepcolor.training.pack import Watch, packed
from deepcolor.training.photographs import split
from deepcolor.training.sampling import Sampler, chances, check_sources, miniature_colors
from deepcolor.training.sheet import write_sheet
from deepcolor.training.trunk import load_imagenet
from deepcolor.training.validate import AT_ONCE, MOST, Scores, Validation
from deepcolor.training.world import World

LAST, BEST, LOG, CURVE = "last.pt", "best.safetensors", "log.csv", "curve.svg"
COUNTED = 4000  # photographs, for how common each color is
SECONDS_BETWEEN_CHECKPOINTS = 120
FEW_HELD_OUT = 10
REHEARSED = (3, 8)  # steps of each size before the clock and by the clock


class Run:
    """One run of training, begun anew or gone on with where its folder says.

    ``say`` is told a line now and then, ``watch`` what is done of how much. Raises the errors of
    :mod:`deepcolor.training.errors`.
    """

    def __init__(
        self,
        config: Config,
        world: World,
        *,
        say: Callable[[str], None] = lambda _: None,
        watch: Watch = lambda *_: None,
    ):
        if config.schedule.batch % world.size:
            raise UnevenBatchError(config.schedule.batch, world.size)
        torch.manual_seed(config.seed)
        self.config, self.world = config, world
        self.say = say if world.leads else lambda _: None
        self.watch = watch if world.leads else lambda *_: None
        bins = in_gamut_bins()
        net = _network(config, len(bins))  # first, lest photographs are packed for nothing
        if world.leads:
            packed(config.photographs, self.watch)
        world.wait()
        learned, held_out, dropped = split(packed(config.photographs), config.sampling.least_chroma)
        self.say(
            f"{len(learned):,} photographs to learn from, {len(held_out):,} held out; {dropped}."
        )
        if len(held_out) < FEW_HELD_OUT:
            self.say("So few are held out that their figures say little of other photographs.")
        self.photographs = learned.digest() + held_out.digest()
        check_sources(config.sampling, learned, held_out)

        encoder = SoftEncoder(bins)
        share = prior(encoder, len(bins), miniature_colors(learned)[:COUNTED].flatten(0, 1))
        weight = rebalancing(share, config.loss.uniform, config.loss.power)
        likely = chances(learned, config.sampling, encoder, weight)
        self.sampler = Sampler(learned, likely, config.crops, config.simulation, world.device)
        self.validation = Validation(held_out, world.device)
        self.encoder, self.weight = encoder.to(world.device), weight.to(world.device)

        if config.network.start == IMAGENET:
            start_at_prior(net, bins, share, weight)
        else:
            favor(net, weight)
        # torch's stubs lack memory_format.
        self.net: ColorNet = net.to(world.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.net).requires_grad_(False).eval()
        self.adamw = schedule.optimizer(self.net, config.schedule)
        self.step, self.steps = 0, config.schedule.steps
        self.best, self.seconds = math.inf, 0.0
        self.losses = torch.zeros(2, dtype=torch.float64, device=world.device)  # sum and count
        with _written_to(config.run):
            if world.leads:
                config.run.mkdir(parents=True, exist_ok=True)
            begun = (config.run / LAST).exists()
        if begun:
            self.resume()

    def train(self) -> None:
        """Goes on to the last step; a first Ctrl-C or SIGTERM writes a checkpoint and ends it.

        Raises :class:`RunInUseError` while another process does so.
        """
        if not self.world.leads:
            self._train()
            return
        try:
            alone = held(self.config.run)
        except BlockingIOError as error:
            raise RunInUseError(self.config.run) from error
        with alone:
            self._train()

    def _train(self) -> None:
        saved = time.monotonic()
        if not self.step:
            if not self.steps and self.world.leads:
                self.scores(AT_ONCE)  # lest what a GPU's first one takes is counted for all
            tick = time.monotonic()
            self.validate()
            if not self.steps:
                steps = self.rehearse(time.monotonic() - tick)
                self.steps = self.world.agreed(steps if self.world.leads else 0)
                self.say(f"{self.steps:,} steps fit into the minutes.")
        batch, begin = self.config.schedule.batch, self.step
        tick = time.monotonic()
        with _asked_to_stop() as asked:
            while self.step < self.steps:
                progress = (self.step + 0.5) / self.steps
                self.learn(progress, schedule.size_at(self.config.schedule, progress))
                self.step += 1
                self.average()
                now = time.monotonic()
                self.seconds, tick = self.seconds + now - tick, now
                stop = self.is_to_stop(asked())
                due = self.validation_is_due()
                if due:
                    self.validate()
                    tick = time.monotonic()
                if stop or due or now - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    self.save()
                    saved = time.monotonic()
                self.watch("photographs", (self.step - begin) * batch, (self.steps - begin) * batch)
                if stop and self.step < self.steps:
                    raise KeyboardInterrupt

    def is_to_stop(self, asked: bool) -> bool:
        """Whether any process was ``asked`` to, which all have to know at the same step."""
        if self.step % self.world.steps_between_questions:
            return False
        return bool(self.world.agreed(asked))

    def learn(self, progress: float, size: int) -> None:
        """One step's change of the weights."""
        config, world = self.config, self.world
        schedule.set_rates(self.adamw, config.schedule, progress)
        draws = Draws(config.seed, self.step, world.rank, world.device)
        batch = self.sampler.take(config.schedule.batch // world.size, size, draws)
        self.net.train()
        total = loss(
            self.net,
            batch.l,
            batch.hints,
            batch.ab,
            self.weight,
            self.encoder,
            at=int(torch.randint(0, 4, (), generator=draws.cpu)),
            regression=config.loss.regression,
            bf16=config.schedule.bf16,
        )
        self.adamw.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        learning = [p for p in self.net.parameters() if p.grad is not None]
        world.average([p.grad for p in learning if p.grad is not None])
        nn.utils.clip_grad_norm_(learning, config.schedule.clip)
        self.adamw.step()
        self.losses += torch.stack((total.detach().double(), torch.ones_like(self.losses[1])))

    @torch.no_grad()
    def average(self) -> None:
        """Moves the averaged weights a little toward the new ones, faster at the start."""
        decay = min(self.config.schedule.ema, (1 + self.step) / (10 + self.step))
        pairs = list(
            zip(self.ema.state_dict().values(), self.net.state_dict().values(), strict=True)
        )
        floats = [(mean, now) for mean, now in pairs if mean.is_floating_point()]
        torch._foreach_lerp_([mean for mean, _ in floats], [now for _, now in floats], 1 - decay)
        for mean, now in pairs:
            if not mean.is_floating_point():
                mean.copy_(now)

    def validation_is_due(self) -> bool:
        """As many times as planned, evenly, the last at the very end."""
        times = self.config.schedule.validations
        return self.step * times // self.steps > (self.step - 1) * times // self.steps

    def validate(self) -> None:
        """Scores the averaged weights; keeps the best, the log, its curve and a sheet."""
        self.check()
        config, (total, count) = self.config, self.losses.tolist()
        self.losses.zero_()
        if not self.world.leads:
            return
        scores = self.scores()
        row = {
            "step": float(self.step),
            "photographs": float(self.step * config.schedule.batch),
            "minutes": self.seconds / 60,
            "train_loss": total / count if count else math.nan,
            **scores.figures,
        }
        with _written_to(config.run):
            log.append(config.run / LOG, row)
            write_curve(log.read(config.run / LOG), config.run / CURVE)
            write_sheet(scores.shown, config.run / f"sheet-{self.step:06}.png")
            if row["loss"] < self.best:
                self.best = row["loss"]
                checkpoint.export(self.ema.state_dict(), config.run / BEST)
        self.say(
            f"step {self.step:,}: loss {row['loss']:.3f}, "
            + ", ".join(f"{kind} {row[f'{kind}_psnr']:.2f}" for kind in ("gray", "mean", "hints10"))
            + f" dB, CIEDE2000 {row['default_ciede2000']:.2f} (gray: {row['gray_ciede2000']:.2f})"
        )

    def scores(self, most: int = MOST) -> Scores:
        """Those of the averaged weights, on so many of the held-out photographs."""
        plain = partial(loss, hints=None, weight=None, encoder=self.encoder, at=0)
        return self.validation.scores(self.ema, lambda net, l, ab: plain(net=net, l=l, ab=ab), most)

    def rehearse(self, validation_seconds: float) -> int:
        """How many steps the minutes allow, by some that are then forgotten."""
        before = copy.deepcopy((self.net.state_dict(), self.adamw.state_dict()))
        seconds: dict[int, float] = {}
        for _, size in self.config.schedule.sizes:
            for count in REHEARSED:
                start = time.monotonic()
                for _ in range(count):
                    self.learn(0.5, size)
                self.losses.tolist()  # waits for the device
                seconds[size] = (time.monotonic() - start) / count
        self.net.load_state_dict(before[0])
        self.adamw.load_state_dict(before[1])
        self.losses.zero_()
        return schedule.affordable_steps(self.config.schedule, seconds, validation_seconds)

    def check(self) -> None:
        """Raises :class:`DivergedError` lest what is no number is scored, kept or gone on from.

        The loss alone does not tell: a gradient beyond all numbers spoils the weights after it.
        """
        told = [self.losses, *self.net.state_dict().values(), *self.ema.state_dict().values()]
        if not torch.stack([one.isfinite().all() for one in told]).all():
            raise DivergedError(self.step, self.config.run / LAST)

    def save(self) -> None:
        self.check()
        if not self.world.leads:
            return
        state = {
            "config": _identity(self.config),
            "photographs": self.photographs,
            "step": self.step,
            "steps": self.steps,
            "seconds": self.seconds,
            "best": self.best,
            "losses": self.losses,
            "net": self.net.state_dict(),
            "ema": self.ema.state_dict(),
            "adamw": self.adamw.state_dict(),
        }
        with _written_to(self.config.run / LAST):
            checkpoint.write(state, self.config.run / LAST)

    def resume(self) -> None:
        """Takes over what the run's folder tells, if it is of this run.

        Where its best weights are gone, the averaged ones of the checkpoint take their place until
        better ones come.
        """
        folder = self.config.run
        state = checkpoint.resumed(folder / LAST)
        try:
            self._check_same(json.loads(state["config"]), state["photographs"])
            self.step, self.steps = state["step"], state["steps"]
            self.seconds, self.best = state["seconds"], state["best"]
            self.losses.copy_(state["losses"])
            self.net.load_state_dict(state["net"])
            self.ema.load_state_dict(state["ema"])
            self.adamw.load_state_dict(state["adamw"])
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise DamagedCheckpointError(folder / LAST) from error
        self.say(f"going on from step {self.step:,} of {self.steps:,}.")
        if self.world.leads and not (folder / BEST).exists():
            self.best = math.inf
            with _written_to(folder):
                checkpoint.export(self.ema.state_dict(), folder / BEST)
            self.say(f"{BEST} was gone; the checkpoint's averaged weights are there now.")

    def _check_same(self, config: dict[str, Any], photographs: str) -> None:
        """Raises :class:`OtherRunError`."""
        for room, told in json.loads(_identity(self.config)).items():
            if config.get(room) != told:
                raise OtherRunError(self.config.run, room)
        if photographs != self.photographs:
            raise OtherRunError(self.config.run, "photographs")


def _network(config: Config, bins: int) -> ColorNet:
    """The network with the weights that it starts from."""
    told = config.network
    net, start = ColorNet(bins, told.widths, told.dropout, told.skipped), told.start
    if start == IMAGENET:
        load_imagenet(net.trunk)
        return net
    path = weights.path(WEIGHTS) if start == COLORNET else Path(start)
    state = checkpoint.weights_in(path)
    try:
        if lacking := {"bins", "classify.bias", "log_weight"} - state.keys():
            raise KeyError(*lacking)
        net.load_state_dict(state, strict=False)
    except (KeyError, RuntimeError) as error:
        raise UnreadableFileError(
            str(path), "its layers are not those of colornet with network.widths"
        ) from error
    return net


def _identity(config: Config) -> str:
    """What must not change within a run."""
    told: dict[str, Any] = dataclasses.asdict(config)
    return json.dumps({name: told[name] for name in told if name not in {"photographs", "run"}})


@contextmanager
def _written_to(path: Path) -> Iterator[None]:
    """Says which folder or file it is that can't be written."""
    try:
        yield
    except OSError as error:
        raise NotSavedError(path, reason(error)) from error


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Notes a first SIGINT or SIGTERM; a second one ends the process as ever."""
    asked = False

    def note(number: int, _: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(number, before[signal.Signals(number)])

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: asked
    finally:
        for number in numbers:
            signal.signal(number, before[number])
