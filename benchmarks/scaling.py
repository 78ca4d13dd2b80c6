"""How cost grows with a photograph's pixels and with the network's batch, beside the limits."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from benchmarks import machine, networks
from benchmarks.folder import KNOBS
from benchmarks.measure import Section, seconds
from benchmarks.photographs import jpeg, mosaic

MEGAPIXELS = (0.1, 0.3, 1, 3, 12, 30, 100)
BATCHES = (1, 2, 4, 8, 16, 32)
REPEATS = 3
BYTES = 5  # that a pixel must move at least: its gray in, its color out in Pillow's four bytes


def measure(quick: bool) -> Section:
    megapixels, batches = (MEGAPIXELS[:3], BATCHES[:2]) if quick else (MEGAPIXELS, BATCHES)
    limits = machine.limits()
    gigaflops = _gigaflops()
    figures: dict[str, Any] = limits | {
        "network_gigaflops": gigaflops,
        "network_milliseconds_at_the_cores_best": gigaflops / limits["matmul_gigaflops"] * 1000,
        "by_megapixels": [_one(size, limits["copy_gigabytes_per_second"]) for size in megapixels],
        "network_milliseconds_by_batch": {
            str(batch): _network(batch) / batch * 1000 for batch in batches
        },
    }
    return Section(figures)


def _one(megapixels: float, gigabytes_per_second: float) -> dict[str, float]:
    """Milliseconds of each stage, and of the codec alone."""
    gray = mosaic(megapixels)
    content, colorizer = jpeg(gray), networks.colornet()
    colored = colorizer(gray)
    runs = [colorizer.file(content).milliseconds for _ in range(REPEATS + 1)][1:]
    stages = {name: min(run[name] for run in runs) for name in runs[0]}
    return {
        "megapixels": megapixels,
        **stages,
        "all": sum(stages.values()),
        "codec": seconds(lambda: _codec(content, colored), REPEATS) * 1000,
        "memory": megapixels * BYTES / gigabytes_per_second,
    }


def _codec(content: bytes, colored: Image.Image) -> None:
    Image.open(BytesIO(content)).load()
    jpeg(colored)


def _network(batch: int) -> float:
    l = torch.rand(batch, 1, 256, 256) * 100

    def predict() -> None:
        with torch.inference_mode():
            networks.colornet().strategy.predict(l, KNOBS, None)

    return seconds(predict, 5)


def _gigaflops() -> float:
    """Of colornet at 256x256; a multiplication and an addition are two."""
    fused = torch.ops.mkldnn._convolution_pointwise  # which torch's counter passes over
    counter = FlopCounterMode(display=False, custom_mapping={fused: _of_fused})
    with counter, torch.no_grad():
        networks.colornet().strategy.predict(torch.rand(1, 1, 256, 256) * 100, KNOBS, None)
    return counter.get_total_flops() / 1e9


def _of_fused(x: list[int], *others: object, out_shape: list[int], **_: object) -> int:
    """Of a fused convolution, whose weight is the last of the tensors of four dimensions."""
    weights = [list(one) for one in others if isinstance(one, torch.Size) and len(one) == 4]
    return conv_flop_count(x, weights[-1], out_shape)
