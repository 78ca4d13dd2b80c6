"""Colorizers to measure: colornet, and richzhang with random weights, as fast as the real."""

from __future__ import annotations

import functools
from pathlib import Path

import torch

from deepcolor import Colorizer, load
from deepcolor.builtin.richzhang import WEIGHTS, RichZhang
from deepcolor.builtin.richzhang.network import ECCV16


@functools.cache
def colornet() -> Colorizer:
    return load("colornet", device="cpu")


def random_weights(path: Path) -> Path:
    """A file as richzhang's is, whose colors vary over a photograph as a trained network's do."""
    torch.manual_seed(0)
    net = ECCV16()
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            torch.nn.init.kaiming_normal_(module.weight)
    torch.save(net.state_dict(), path)
    return path


def richzhang(path: Path, device_name: str = "cpu") -> Colorizer:
    strategy, device = RichZhang(), torch.device(device_name)
    strategy.prepare({WEIGHTS.filename: path}, device)
    return Colorizer(strategy, device)
