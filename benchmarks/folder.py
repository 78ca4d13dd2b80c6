"""A folder of small photographs: the library, the command line, and each stage alone."""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks import networks
from benchmarks.measure import Section, Target, child, cpu_seconds, timed
from benchmarks.photographs import folder, jpeg
from deepcolor.encoding import Writing, encode
from deepcolor.errors import DeepcolorError
from deepcolor.join import join, network_lightness
from deepcolor.photograph import decode

SIZE = (288, 224)  # as colornet sees a photograph of 4:3
KNOBS = {"vividness": 1.0}
BATCH = 8
ROUNDS = 3


def measure(quick: bool) -> Section:
    count = 20 if quick else 500
    colorizer = networks.colornet()
    with tempfile.TemporaryDirectory() as place:
        paths = folder(Path(place) / "gray", count)
        library = max(_rate(lambda: _map(paths), count) for _ in range(ROUNDS))
        whole, one = (
            min(_command_line(some, Path(place) / f"out-{len(some)}-{i}") for i in range(ROUNDS))
            for some in (paths, paths[:1])
        )
        contents = [path.read_bytes() for path in paths]
    colored = [_opened(content).convert("RGB") for content in contents]
    codec = _parallel(lambda i: (_opened(contents[i]), jpeg(colored[i])), count)
    cores = torch.get_num_threads()
    network = {
        "a photograph a core": _parallel(lambda _: _predict(1), count // 2),
        "a photograph for all cores": _rate(
            lambda: [_predict(1) for _ in range(count // 4)], count // 4
        ),
        f"batches of {BATCH}": _rate(
            lambda: [_predict(BATCH) for _ in range(count // 20)], count // 20 * BATCH
        ),
    }
    slowest = min(codec, max(network.values()))
    stages = _stages(contents[:50])
    bound = cores / sum(stages.values()) * 1000
    steady = (count - 1) / (whole - one)
    assert colorizer.device.type == "cpu"
    figures: dict[str, Any] = {
        "photographs": count,
        "cores": cores,
        "map_per_second": library,
        "command_line_per_second": count / whole,
        "command_line_after_its_start_per_second": steady,
        "codec_per_second": codec,
        "network_per_second": network,
        "processor_milliseconds_by_stage": stages,
        "all_stages_on_these_cores_per_second": bound,
    }
    targets = [
        Target("Colorizer.map / slowest stage alone", library / slowest, 0.9, at_least=True),
        Target("command line / slowest stage alone", steady / slowest, 0.9, at_least=True),
        Target("Colorizer.map / all stages' work", library / bound, 0.9, at_least=True),
        Target("command line / all stages' work", steady / bound, 0.9, at_least=True),
    ]
    return Section(figures, targets)


def _map(paths: Sequence[Path]) -> None:
    for result in networks.colornet().map(paths):
        if isinstance(result, DeepcolorError):
            raise result


def _command_line(paths: Sequence[Path], out: Path) -> float:
    names = [str(path) for path in paths]
    return timed(
        lambda: child([str(Path(sys.executable).with_name("deepcolor")), *names, "-o", f"{out}/"])
    )


def _predict(batch: int) -> torch.Tensor:
    l = torch.rand(batch, 1, SIZE[1], SIZE[0]) * 100
    with torch.inference_mode():
        return networks.colornet().strategy.predict(l, KNOBS, None)


def _opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def _stages(contents: Sequence[bytes]) -> dict[str, float]:
    """Processor milliseconds a photograph, one thread."""
    colorizer = networks.colornet()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    photographs = [decode(content) for content in contents]
    small = network_lightness(photographs[0], SIZE)
    with torch.inference_mode():
        ab = colorizer.strategy.predict(small[None], KNOBS, None)[0]
    colored = join(photographs[0], ab)
    works: dict[str, Callable[[int], object]] = {
        "decode": lambda i: decode(contents[i]),
        "network's input": lambda i: network_lightness(photographs[i], SIZE),
        "network": lambda _: _predict(1),
        "join": lambda i: join(photographs[i], ab),
        "encode": lambda _: encode(colored, photographs[0], colorizer.credit, Writing()),
    }
    spent = {}
    for name, work in works.items():
        turns = itertools.cycle(range(len(contents)))
        spent[name] = cpu_seconds(partial(_turn, work, turns), len(contents)) * 1000
    torch.set_num_threads(threads)
    return spent


def _turn(work: Callable[[int], object], turns: Any) -> None:
    work(next(turns))


def _rate(work: Callable[[], object], count: int) -> float:
    return count / timed(work)


def _parallel(work: Callable[[int], object], count: int) -> float:
    """How often a second, in a thread a core."""
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        rate = _rate(lambda: list(pool.map(work, range(count))), count)
    torch.set_num_threads(threads)
    return rate
