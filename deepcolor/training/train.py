"""Trains colornet: bin classification with rebalancing, on a wall-clock budget."""

from __future__ import annotations

import copy
import csv
import math
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from deepcolor import metrics
from deepcolor.bins import SoftEncoder, in_gamut_bins, prior, rebalancing
from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from deepcolor.training.augment import old_film, random_crop
from deepcolor.training.photographs import Photographs, square
from deepcolor.training.trunk import load_imagenet


@dataclass(frozen=True)
class Config:
    """One run. Fractions are of the budget of ``minutes``."""

    minutes: float
    seed: int
    batch: int
    sizes: list[list[float]]  # rows of [fraction from which, side in pixels]
    decoder_rate: float
    trunk_rate: float
    thaw_at: float  # fraction at which the trunk begins to learn
    frozen_blocks: int  # the trunk's first blocks never do
    weight_decay: float
    ema: float
    rebalance_uniform: float
    rebalance_power: float
    least_chroma: float
    validate_every_minutes: float
    bf16: bool  # of the decoder, on processors that have it
    source_weights: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Config:
        return cls(**tomllib.loads(path.read_text()))

    def size_at(self, progress: float) -> int:
        return int([side for start, side in self.sizes if start <= progress][-1])


class Batches:
    """Endless batches of random crops.

    Made between the steps, not beside them: on few cores a second thread's kernels only get in
    the way of the step's own.
    """

    def __init__(self, photographs: Photographs, config: Config, generator: torch.Generator):
        self.photographs, self.batch, self.generator = photographs, config.batch, generator
        self.weights = torch.tensor(
            [config.source_weights.get(source, 1.0) for source in photographs.sources()]
        )

    def take(self, size: int) -> tuple[Tensor, Tensor]:
        """L* as old film shows it (N, 1, S, S) and the true a*b* (N, 2, S/4, S/4)."""
        chosen = torch.multinomial(self.weights, self.batch, generator=self.generator)
        rgb = torch.stack(
            [random_crop(self.photographs[i], size, self.generator) for i in chosen.tolist()]
        )
        lab = rgb_to_lab(rgb)
        l = old_film(rgb, lab[:, :1], self.generator)
        return l.contiguous(memory_format=torch.channels_last), F.avg_pool2d(lab[:, 1:], 4)


class Run:
    """The state of a training run, its checkpoints and its log, all in one folder."""

    def __init__(self, config: Config, data: Path, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.config, self.folder = config, folder
        self.generator = torch.Generator().manual_seed(config.seed)
        torch.manual_seed(config.seed)
        photographs = Photographs(data, held_out=False, least_chroma=config.least_chroma)
        self.held_out = Photographs(data, held_out=True, least_chroma=0)
        bins = in_gamut_bins()
        self.encoder = SoftEncoder(bins)
        share = prior(self.encoder, len(bins), sample_colors(photographs, 4000))
        self.weight = rebalancing(share, config.rebalance_uniform, config.rebalance_power)
        # torch's stubs lack memory_format.
        self.net: ColorNet = ColorNet(len(bins)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.net.bins.copy_(bins)
        self.net.log_weight.copy_(self.weight.log())
        nn.init.zeros_(self.net.classify.weight)
        assert self.net.classify.bias is not None
        self.net.classify.bias.data.copy_((share * self.weight).clamp_min(1e-6).log())
        load_imagenet(self.net.trunk)
        self.ema = copy.deepcopy(self.net).requires_grad_(False)
        trunk: list[nn.Parameter] = []
        rest: list[nn.Parameter] = []
        for name, parameter in self.net.named_parameters():
            (trunk if name.startswith("trunk.") else rest).append(parameter)
        for module in (self.net.trunk.stem, *self.net.trunk.blocks[: config.frozen_blocks]):
            module.requires_grad_(False)
        self.trunk_parameters = [p for p in trunk if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [{"params": rest}, {"params": self.trunk_parameters}], weight_decay=config.weight_decay
        )
        self.elapsed, self.step, self.best = 0.0, 0, math.inf
        if (folder / "last.pt").exists():
            self.resume()
        self.batches = Batches(photographs, config, self.generator)

    def train(self) -> None:
        torch.set_flush_denormal(True)
        config, net = self.config, self.net
        budget = config.minutes * 60
        validated, losses = self.elapsed, []
        tick = time.monotonic()
        while (progress := self.elapsed / budget) < 1:
            self.set_rates(progress)
            l, ab = self.batches.take(config.size_at(progress))
            net.train()
            loss = self.loss(net, l, ab, self.weight)
            self.optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            self.optimizer.step()
            self.step += 1
            self.average()
            losses.append(loss.item())
            now = time.monotonic()
            self.elapsed, tick = self.elapsed + now - tick, now
            due = self.elapsed - validated > config.validate_every_minutes * 60
            if due or self.elapsed >= budget:
                self.validate(sum(losses) / len(losses))
                validated, losses = self.elapsed, []
                tick = time.monotonic()

    def set_rates(self, progress: float) -> None:
        warm = min(1.0, self.step / 200)
        fall = 0.5 * (1 + math.cos(math.pi * progress))
        thawed = progress >= self.config.thaw_at
        self.optimizer.param_groups[0]["lr"] = self.config.decoder_rate * warm * fall
        self.optimizer.param_groups[1]["lr"] = self.config.trunk_rate * fall
        for parameter in self.trunk_parameters:
            parameter.requires_grad_(thawed)

    def loss(self, net: ColorNet, l: Tensor, ab: Tensor, weight: Tensor) -> Tensor:
        """Weighted cross-entropy at one random position of every 2x2: as good, and faster."""
        dy, dx = torch.randint(0, 2, (2,), generator=self.generator).tolist()
        features = net.trunk((l - 50) / 50)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bf16):
            logits = net.classify(net.decode(*features)[:, :, dy::2, dx::2])
        log_p = F.log_softmax(logits.float(), dim=1).permute(1, 0, 2, 3).flatten(1)
        colors = ab[:, :, dy::2, dx::2].permute(1, 0, 2, 3).flatten(1).T
        indices, shares = self.encoder(colors)
        pixel_weight = (weight[indices] * shares).sum(dim=0)
        return -((shares * log_p.gather(0, indices)).sum(dim=0) * pixel_weight).mean()

    @torch.no_grad()
    def average(self) -> None:
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(
            self.ema.state_dict().values(), self.net.state_dict().values(), strict=True
        ):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)

    @torch.inference_mode()
    def validate(self, train_loss: float) -> None:
        """Scores the averaged weights on held-out photographs and keeps the best."""
        net = self.ema.eval()
        even = torch.ones_like(self.weight)
        sums: dict[str, float] = {}

        def add(name: str, values: Tensor) -> None:
            sums[name] = sums.get(name, 0.0) + values.sum().item()

        settings = {"mean": (1.0, 0.0), "default": (0.6, 0.4), "vivid": (0.38, 1.0)}
        count = min(256, len(self.held_out))
        for start in range(0, count, 16):
            rgb = torch.stack(
                [square(self.held_out[i], 256) for i in range(start, min(start + 16, count))]
            )
            lab = rgb_to_lab(rgb)
            l, ab_true = lab[:, :1], lab[:, 1:]
            add("loss", self.loss(net, l, F.avg_pool2d(ab_true, 4), even) * len(rgb))
            truth = metrics.colorfulness(rgb)
            for name, knobs in settings.items():
                ab = F.interpolate(net(l, *knobs), (256, 256), mode="bilinear")
                ab = fit_gamut(l, ab)
                drawn = lab_to_rgb(l, ab)
                add(f"{name}_auc", metrics.auc(ab, ab_true) * 100)
                add(f"{name}_psnr", metrics.psnr(drawn, rgb))
                add(f"{name}_de00", metrics.ciede2000(torch.cat((l, ab), 1), lab))
                add(f"{name}_cf", metrics.colorfulness(drawn) / truth.mean())
        row = {"minutes": self.elapsed / 60, "step": self.step, "train_loss": train_loss}
        row |= {name: total / count for name, total in sums.items()}
        self.log(row)
        state = {
            "net": self.net.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "elapsed": self.elapsed,
            "step": self.step,
            "best": min(self.best, row["loss"]),
        }
        torch.save(state, self.folder / "last.pt.new")
        (self.folder / "last.pt.new").replace(self.folder / "last.pt")
        if row["loss"] < self.best:
            self.best = row["loss"]
            self.export(self.folder / "best.safetensors")

    def export(self, path: Path) -> None:
        """Writes the averaged weights as fp16 safetensors, as the package carries them."""
        state = self.ema.state_dict()
        save_file(
            {
                name: (value.half() if value.is_floating_point() else value).contiguous()
                for name, value in state.items()
                if not name.endswith("num_batches_tracked")
            },
            path,
        )

    def log(self, row: dict[str, float]) -> None:
        path = self.folder / "log.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow({name: f"{value:.4f}" for name, value in row.items()})

    def resume(self) -> None:
        state = torch.load(self.folder / "last.pt", weights_only=True)
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.elapsed, self.step, self.best = state["elapsed"], state["step"], state["best"]


def sample_colors(photographs: Photographs, count: int) -> Tensor:
    """a*b* (M, 2) of 16x16 miniatures of ``count`` photographs evenly spread over the set."""
    colors = []
    for i in range(0, len(photographs), max(1, len(photographs) // count)):
        colors.append(rgb_to_lab(square(photographs[i], 16))[1:].flatten(1).T)
    return torch.cat(colors)
