"""The library's front door: colorize one photograph, or load a strategy and colorize many."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from PIL import Image

from deepcolor import weights
from deepcolor.card import StrategyCard
from deepcolor.errors import KnobRangeError, UnknownKnobError
from deepcolor.join import join, network_lightness
from deepcolor.photograph import Input, Photograph, decode, encode
from deepcolor.registry import DEFAULT, find
from deepcolor.strategy import Strategy

SATURATION_RANGE = (0.0, 2.0)
SIZE_RANGE = (64, 1024)
LONGEST_NETWORK_SIDE = 4096


def colorize(source: Input, strategy: str = DEFAULT, **knobs: float) -> Image.Image:
    """A photograph in color, of the same size, upright.

    ``source`` is a path, the bytes of a file, a PIL image or an array (H, W) or (H, W, 3) of
    uint8; colors it may have are ignored but for their L*. ``knobs`` as in
    :meth:`Colorizer.__call__`. For more than one photograph, :func:`load` once.
    """
    return load(strategy)(source, **knobs)


def load(strategy: str = DEFAULT, *, device: str = "auto") -> Colorizer:
    """A colorizer with the strategy's network on ``device``: auto, cpu, cuda or mps.

    Fetches the weights if they are not here. Raises :class:`deepcolor.errors.UnknownStrategyError`
    and the weights' errors.
    """
    chosen = find(strategy)()
    place = torch.device(_best_device() if device == "auto" else device)
    chosen.prepare(weights.locate(chosen.card), place)
    return Colorizer(chosen, place)


@dataclass
class Stopwatch:
    """Milliseconds by stage."""

    milliseconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - start) * 1000
            self.milliseconds[name] = round(self.milliseconds.get(name, 0) + spent, 1)


@dataclass(frozen=True)
class Encoded:
    """A colored photograph as a file's bytes, with its media type and size in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int
    milliseconds: dict[str, float]


@dataclass(frozen=True)
class Colorizer:
    """A strategy with its network loaded. Threads may share it."""

    strategy: Strategy
    device: torch.device

    @property
    def card(self) -> StrategyCard:
        return self.strategy.card

    def __call__(self, source: Input, **knobs: float) -> Image.Image:
        """A photograph in color, of the same size, upright.

        Every strategy takes ``size`` (the side in pixels of the square, or its area, that the
        network sees) and ``saturation`` (0…2, a factor on a*b*); others are on the card. Raises
        :class:`deepcolor.errors.DeepcolorError` in its kinds.
        """
        return self.color(decode(source), Stopwatch(), knobs)

    def batch(self, sources: Sequence[Input], **knobs: float) -> list[Image.Image]:
        """Several photographs in color, in order; those of one network size share a forward."""
        photographs = [decode(source) for source in sources]
        settings = self._settings(knobs)
        groups: dict[tuple[int, int], list[int]] = {}
        for i, photograph in enumerate(photographs):
            groups.setdefault(self._network_size(photograph, settings), []).append(i)
        colored: dict[int, Image.Image] = {}
        for size, members in groups.items():
            l = torch.stack([network_lightness(photographs[i], size) for i in members])
            with torch.inference_mode():
                ab = self.strategy.predict(l.to(self.device), settings)
                for i, one in zip(members, ab, strict=True):
                    colored[i] = self._join(photographs[i], one, settings)
        return [colored[i] for i in range(len(photographs))]

    def file(self, source: Input, **knobs: float) -> Encoded:
        """A photograph in color as a file of the same format, with the time each stage took."""
        watch = Stopwatch()
        with watch.stage("decode"):
            photograph = decode(source)
        colored = self.color(photograph, watch, knobs)
        with watch.stage("encode"):
            content, media_type = encode(colored, photograph, self.card.name)
        return Encoded(content, media_type, *colored.size, watch.milliseconds)

    def color(
        self, photograph: Photograph, watch: Stopwatch, knobs: Mapping[str, float]
    ) -> Image.Image:
        """A decoded photograph in color; ``watch`` learns what network and join took."""
        settings = self._settings(knobs)
        with torch.inference_mode():
            with watch.stage("network"):
                l = network_lightness(photograph, self._network_size(photograph, settings))
                ab = self.strategy.predict(l[None].to(self.device), settings)[0]
            with watch.stage("join"):
                return self._join(photograph, ab, settings)

    def _join(
        self, photograph: Photograph, ab: torch.Tensor, settings: Mapping[str, float]
    ) -> Image.Image:
        return join(photograph, ab.float(), self.card.upsampling, settings["saturation"])

    def _settings(self, knobs: Mapping[str, float]) -> dict[str, float]:
        """Every knob, at its default unless turned."""
        ranges = {knob.name: (knob.low, knob.high) for knob in self.card.knobs}
        ranges |= {"saturation": SATURATION_RANGE, "size": SIZE_RANGE}
        settings = {knob.name: knob.default for knob in self.card.knobs}
        settings |= {"saturation": 1.0, "size": self.card.size}
        for name, value in knobs.items():
            if name not in ranges:
                raise UnknownKnobError(self.card.name, name, ranges)
            low, high = ranges[name]
            if not low <= value <= high:
                raise KnobRangeError(name, value, low, high)
            settings[name] = value
        return settings

    def _network_size(
        self, photograph: Photograph, settings: Mapping[str, float]
    ) -> tuple[int, int]:
        """Width and height at which the network sees the photograph."""
        side, multiple = settings["size"], self.card.multiple
        if self.card.fit == "stretch":
            width = height = side
        else:
            scale = side / math.sqrt(photograph.size[0] * photograph.size[1])
            width, height = (min(LONGEST_NETWORK_SIDE, n * scale) for n in photograph.size)
        return (
            max(1, round(width / multiple)) * multiple,
            max(1, round(height / multiple)) * multiple,
        )


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
