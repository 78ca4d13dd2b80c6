"""Networks on a GPU: photographs a second, what less precision changes, and who waits for whom."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import networks
from benchmarks.measure import Section, Target, seconds, timed
from benchmarks.photographs import folder, originals
from deepcolor import Colorizer, load
from deepcolor.registry import manifest

SIDES = (256, 512)
BATCHES = (1, 8, 32, 128)
HALVES = (torch.bfloat16, torch.float16)


def measure(quick: bool) -> Section:
    if not torch.cuda.is_available():
        return Section({"note": "There is no GPU here."})
    peak = _peak_gigaflops()
    ready = [entry["name"] for entry in manifest()["strategies"] if entry["ready"]]
    figures: dict[str, Any] = {"matmul_gigaflops": peak}
    with tempfile.TemporaryDirectory() as place:
        colorizers = {name: load(name, device="cuda") for name in ready}
        if "richzhang" not in colorizers:
            weights = networks.random_weights(Path(place) / "weights.pth")
            colorizers["richzhang, random weights"] = networks.richzhang(weights, "cuda")
        for name, colorizer in colorizers.items():
            figures[name] = {str(side): _at(colorizer, side, peak) for side in SIDES}
        paths = folder(Path(place) / "gray", 20 if quick else 1000)
        mapped = len(paths) / timed(lambda: list(colorizers["colornet"].map(paths)))
    alone = figures["colornet"]["256"]["float32"]["1"]["per_second"]
    figures["colornet_map_per_second"] = mapped
    return Section(
        figures, [Target("GPU: Colorizer.map / network alone", mapped / alone, 0.85, at_least=True)]
    )


def _at(colorizer: Colorizer, side: int, peak: float) -> dict[str, Any]:
    """By kind of number and batch: photographs a second and the share of the peak; a*b* errors."""
    found: dict[str, Any] = {}
    l = _lightness(side).cuda()
    exact = _predict(colorizer, l, torch.float32)
    for kind in (torch.float32, *HALVES):
        rows: dict[str, Any] = {}
        for batch in BATCHES:
            many = l.expand(batch, -1, -1, -1).contiguous()
            spent = seconds(partial(_predict, colorizer, many, kind), 5)
            gigaflops = _gigaflops(colorizer, many) / spent
            rows[str(batch)] = {"per_second": batch / spent, "share_of_peak": gigaflops / peak}
        name = str(kind).removeprefix("torch.")
        found[name] = rows
        if kind in HALVES:
            off = (_predict(colorizer, l, kind) - exact).abs()
            rows["ab_difference"] = {"mean": off.mean().item(), "most": off.max().item()}
    return found


def _predict(colorizer: Colorizer, l: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    knobs = {knob.name: knob.default for knob in colorizer.card.all_knobs}
    reduced = torch.autocast("cuda", kind, enabled=kind in HALVES)
    with torch.inference_mode(), reduced:
        ab = colorizer.strategy.predict(l, knobs, None).float()
    torch.cuda.synchronize()
    return ab


def _gigaflops(colorizer: Colorizer, l: torch.Tensor) -> float:
    counter = FlopCounterMode(display=False)
    with counter:
        _predict(colorizer, l, torch.float32)
    return counter.get_total_flops() / 1e9


def _peak_gigaflops() -> float:
    """Of large products of matrices in bfloat16."""
    left, right = torch.rand(2, 8192, 8192, device="cuda", dtype=torch.bfloat16)

    def multiply() -> None:
        left @ right
        torch.cuda.synchronize()

    return 2 * 8192**3 / seconds(multiply, 10) / 1e9


def _lightness(side: int) -> torch.Tensor:
    from deepcolor.join import network_lightness
    from deepcolor.photograph import decode

    return network_lightness(decode(originals()[0]), (side, side))[None]
