"""A folder of small photographs: the library, the command line, and each stage alone.

All take turns, round by round, so that a change of the machine's mood meets them all.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image

from benchmarks import networks
from benchmarks.measure import PROGRAM, Section, Target, child, timed
from benchmarks.photographs import folder, jpeg
from deepcolor.colorizer import Colorizer
from deepcolor.encoding import Writing, encode
from deepcolor.errors import DeepcolorError
from deepcolor.join import join, network_lightness
from deepcolor.photograph import Photograph, decode

KNOBS = {"vividness": 1.0}
BATCH = 8
ROUNDS = 3
SAMPLE = 4  # one photograph of so many tells what a stage takes for all

ALL_CORES, BATCHES, CORE_EACH = "a photograph for all cores", f"batches of {BATCH}", "network"
Rates = dict[str, float]


def measure(quick: bool) -> Section:
    count = 20 if quick else 500
    with tempfile.TemporaryDirectory() as place:
        paths = folder(Path(place) / "gray", count)
        sample = Sample.of([path.read_bytes() for path in paths[::SAMPLE]], networks.colornet())
        rounds = [_round(paths, sample, Path(place) / f"out-{i}") for i in range(ROUNDS)]
    return Section(
        {"photographs": count, "cores": torch.get_num_threads()}
        | {
            f"{what}_per_second": {
                name: statistics.median(one[what][name] for one in rounds)
                for name in rounds[0][what]
            }
            for what in ("whole", "codec", "network", "each_stage_alone")
        }
        | {"all_stages_after_one_another_per_second": statistics.median(map(_bound, rounds))},
        [
            Target(f"{name} / {of}", _ratio(rounds, name, most), 0.9, at_least=True)
            for of, most in (("slowest stage alone", _slowest), ("all stages' work", _bound))
            for name in ("Colorizer.map", "command line")
        ],
    )


def _round(paths: Sequence[Path], sample: Sample, out: Path) -> dict[str, Rates]:
    """How many photographs a second each does, by what it is part of."""
    stages = sample.stages()
    library = timed(lambda: _map(paths))
    whole, one = (_command_line(some, out / str(len(some))) for some in (paths, paths[:1]))
    return {
        "whole": {
            "Colorizer.map": len(paths) / library,
            "command line with its start": len(paths) / whole,
            "command line": (len(paths) - 1) / (whole - one),
        },
        "codec": {"decode and encode": sample.codec()},
        "network": sample.network() | {"a photograph a core": stages[CORE_EACH]},
        "each_stage_alone": stages,
    }


def _slowest(one: dict[str, Rates]) -> float:
    return min(max(one["network"].values()), *one["codec"].values())


def _bound(one: dict[str, Rates]) -> float:
    """The most that cores can do that do all stages, one after another."""
    return 1 / sum(1 / rate for rate in one["each_stage_alone"].values())


def _ratio(
    rounds: Sequence[dict[str, Rates]], name: str, most: Callable[[dict[str, Rates]], float]
) -> float:
    return statistics.median(one["whole"][name] / most(one) for one in rounds)


def _map(paths: Sequence[Path]) -> None:
    for result in networks.colornet().map(paths):
        if isinstance(result, DeepcolorError):
            raise result


def _command_line(paths: Sequence[Path], out: Path) -> float:
    names = [str(path) for path in paths]
    return timed(lambda: child([PROGRAM, *names, "-o", f"{out}/"]))


@dataclass(frozen=True)
class Sample:
    """Some of the photographs, and what each stage has of them.

    ``seen`` are L* (1, h, w) as the network sees them, ``guesses`` its a*b* (2, h, w).
    """

    colorizer: Colorizer
    contents: list[bytes]
    photographs: list[Photograph]
    seen: list[torch.Tensor]
    guesses: list[torch.Tensor]
    colored: list[Image.Image]

    @classmethod
    def of(cls, contents: list[bytes], colorizer: Colorizer) -> Sample:
        photographs = [decode(content) for content in contents]
        seen = [_lightness(colorizer, photograph) for photograph in photographs]
        guesses = [_predict(colorizer, l[None])[0] for l in seen]
        colored = [join(*both) for both in zip(photographs, guesses, strict=True)]
        images = [image for image in colored if isinstance(image, Image.Image)]
        return cls(colorizer, contents, photographs, seen, guesses, images)

    def codec(self) -> float:
        """Pillow's alone."""
        return self._a_thread_a_core(lambda i: (_opened(self.contents[i]), jpeg(self.colored[i])))

    def network(self) -> Rates:
        shapes = {l.shape for l in self.seen}
        batches = [
            batch
            for shape in shapes
            for batch in torch.split(torch.stack([l for l in self.seen if l.shape == shape]), BATCH)
        ]
        return {
            ALL_CORES: self._rate(lambda: [_predict(self.colorizer, l[None]) for l in self.seen]),
            BATCHES: self._rate(lambda: [_predict(self.colorizer, batch) for batch in batches]),
        }

    def stages(self) -> Rates:
        """A thread a core each, where nothing else runs."""
        works: dict[str, Callable[[int], object]] = {
            "decode": lambda i: decode(self.contents[i]),
            "network's input": lambda i: _lightness(self.colorizer, self.photographs[i]),
            CORE_EACH: lambda i: _predict(self.colorizer, self.seen[i][None]),
            "join": lambda i: join(self.photographs[i], self.guesses[i]),
            "encode": lambda i: encode(
                self.colored[i], self.photographs[i], self.colorizer.credit, Writing()
            ),
        }
        return {name: self._a_thread_a_core(work) for name, work in works.items()}

    def _rate(self, work: Callable[[], object]) -> float:
        return len(self.contents) / timed(work)

    def _a_thread_a_core(self, work: Callable[[int], object]) -> float:
        threads = torch.get_num_threads()
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            rate = self._rate(lambda: list(pool.map(work, range(len(self.contents)))))
        torch.set_num_threads(threads)
        return rate


def _lightness(colorizer: Colorizer, photograph: Photograph) -> torch.Tensor:
    size = colorizer._network_size(photograph, {"size": colorizer.card.size})
    return network_lightness(photograph, size, exact=False)


def _predict(colorizer: Colorizer, l: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return colorizer.strategy.predict(l, KNOBS, None)


def _opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image
