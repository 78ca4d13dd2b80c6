"""Networks on a GPU: photographs a second, what less precision changes, and who waits for whom."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import networks
from benchmarks.measure import Section, Target, seconds, timed
from benchmarks.photographs import folder, originals
from deepcolor import Colorizer, load
from deepcolor.devices import is_out_of_memory
from deepcolor.registry import manifest

SIDES = (256, 512)
BATCHES = (1, 8, 32, 128)
TF32 = "tf32"  # what float32 is rounded to in convolutions, unless torch is told otherwise
KINDS = {
    "float32": torch.float32,
    TF32: torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
WARMING = 50  # photographs


def measure(quick: bool) -> Section:
    if not torch.cuda.is_available():
        return Section({"note": "There is no GPU here."})
    ready = [entry["name"] for entry in manifest()["strategies"] if entry["ready"]]
    if "colornet" not in ready:
        raise SystemExit("colornet is not installed; run `pip install -e .` in the clone first.")
    peak = _peak_gigaflops()
    figures: dict[str, Any] = {"matmul_gigaflops": peak}
    with tempfile.TemporaryDirectory() as place:
        colorizers = {name: load(name, device="cuda") for name in ready}
        if "richzhang" not in colorizers:
            weights = networks.random_weights(Path(place) / "weights.pth")
            colorizers["richzhang, random weights"] = networks.richzhang(weights, "cuda")
        for name, colorizer in colorizers.items():
            figures[name] = {str(side): _at(colorizer, side, peak) for side in SIDES}
        paths = folder(Path(place) / "gray", 20 if quick else 1000)
        colornet = colorizers["colornet"]
        with _tf32(True):
            list(colornet.map(paths[:WARMING]))
            mapped = len(paths) / timed(lambda: list(colornet.map(paths)))
    alone = figures["colornet"]["256"][TF32]["1"]["per_second"]
    figures["colornet_map_tf32_per_second"] = mapped
    return Section(
        figures, [Target("GPU: Colorizer.map / network alone", mapped / alone, 0.85, at_least=True)]
    )


def _at(colorizer: Colorizer, side: int, peak: float) -> dict[str, Any]:
    """By kind of number and batch: photographs a second and the share of the peak; a*b* errors.

    ``None`` stands for a batch for which the memory does not suffice.
    """
    l = _lightness(side).cuda()
    gigaflops = _gigaflops(colorizer, l)
    exact = _predict(colorizer, l, "float32")
    found: dict[str, Any] = {}
    for kind in KINDS:
        rows: dict[str, Any] = {}
        for batch in BATCHES:
            speed = _per_second(colorizer, l, batch, kind)
            share = speed and speed * gigaflops / peak
            rows[str(batch)] = speed and {"per_second": speed, "share_of_peak": share}
        if kind != "float32":
            off = (_predict(colorizer, l, kind) - exact).abs()
            rows["ab_difference"] = {"mean": off.mean().item(), "most": off.max().item()}
        found[kind] = rows
    return found


def _per_second(colorizer: Colorizer, l: torch.Tensor, batch: int, kind: str) -> float | None:
    """Photographs; ``None`` where the memory does not suffice for so many at a time."""
    try:
        many = l.expand(batch, -1, -1, -1).contiguous()
        return batch / seconds(partial(_predict, colorizer, many, kind), 5)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    # Here, for until now the error held on to what its frames held.
    torch.cuda.empty_cache()
    return None


def _predict(colorizer: Colorizer, l: torch.Tensor, kind: str) -> torch.Tensor:
    knobs = {knob.name: knob.default for knob in colorizer.card.all_knobs}
    number = KINDS[kind]
    reduced = torch.autocast("cuda", number, enabled=number != torch.float32)
    with torch.inference_mode(), _tf32(kind == TF32), reduced:
        ab = colorizer.strategy.predict(l, knobs, None).float()
    torch.cuda.synchronize()
    return ab


@contextmanager
def _tf32(is_allowed: bool) -> Iterator[None]:
    """Whether float32 is rounded to TF32, in convolutions and in products of matrices."""
    switches: tuple[Any, ...] = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [switch.allow_tf32 for switch in switches]
    try:
        for switch in switches:
            switch.allow_tf32 = is_allowed
        yield
    finally:
        for switch, was_allowed in zip(switches, before, strict=True):
            switch.allow_tf32 = was_allowed


def _gigaflops(colorizer: Colorizer, l: torch.Tensor) -> float:
    counter = FlopCounterMode(display=False)
    with counter:
        _predict(colorizer, l, "float32")
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

    return network_lightness(decode(originals()[0]), (side, side), exact=False)[None]
