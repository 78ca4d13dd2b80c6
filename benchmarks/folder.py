"""A folder of small photographs: the library, the command line, and each stage alone."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks import networks
from benchmarks.measure import Section, Target, child, timed
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
    network = {
        "a photograph for all cores": _rate(
            lambda: [_predict(1) for _ in range(count // 4)], count // 4
        ),
        f"batches of {BATCH}": _rate(
            lambda: [_predict(BATCH) for _ in range(count // 20)], count // 20 * BATCH
        ),
    }
    stages = _stages(contents[:50], count)
    slowest = min(codec, max(stages["network"], *network.values()))
    bound = 1 / sum(1 / rate for rate in stages.values())
    steady = (count - 1) / (whole - one)
    assert colorizer.device.type == "cpu"
    figures: dict[str, Any] = {
        "photographs": count,
        "cores": torch.get_num_threads(),
        "map_per_second": library,
        "command_line_per_second": count / whole,
        "command_line_after_its_start_per_second": steady,
        "codec_per_second": codec,
        "network_per_second": network,
        "each_stage_alone_per_second": stages,
        "all_stages_after_one_another_per_second": bound,
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


def _stages(contents: Sequence[bytes], count: int) -> dict[str, float]:
    """How many photographs a second each stage does where nothing else runs."""
    colorizer = networks.colornet()
    photographs = [decode(content) for content in contents]
    seen = [network_lightness(photograph, SIZE)[None] for photograph in photographs]
    with torch.inference_mode():
        guesses = [colorizer.strategy.predict(l, KNOBS, None)[0] for l in seen]
    colored = [join(*both) for both in zip(photographs, guesses, strict=True)]
    works: dict[str, Callable[[int], object]] = {
        "decode": lambda i: decode(contents[i]),
        "network's input": lambda i: network_lightness(photographs[i], SIZE),
        "network": lambda _: _predict(1),
        "join": lambda i: join(photographs[i], guesses[i]),
        "encode": lambda i: encode(colored[i], photographs[i], colorizer.credit, Writing()),
    }
    return {
        name: _parallel(lambda i, work=work: work(i % len(contents)), count)  # type: ignore[misc]
        for name, work in works.items()
    }


def _rate(work: Callable[[], object], count: int) -> float:
    return count / timed(work)


def _parallel(work: Callable[[int], object], count: int) -> float:
    """How often a second, in a thread a core."""
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        rate = _rate(lambda: list(pool.map(work, range(count))), count)
    torch.set_num_threads(threads)
    return rate
