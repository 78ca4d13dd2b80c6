"""The library's front door: colorize one photograph, or load a strategy and colorize many."""

from __future__ import annotations

import math
import textwrap
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from deepcolor import ahead, defaults, weights
from deepcolor.card import StrategyCard
from deepcolor.check import check, check_package
from deepcolor.devices import device_named, exact, is_out_of_memory
from deepcolor.encoding import DEEP, Credit, Writing, encode
from deepcolor.errors import DeepcolorError, SeveralWantedError, StrategyBrokenError
from deepcolor.formats import SUFFIXES, written_format
from deepcolor.hints import Hint, paint
from deepcolor.join import join, join_as_published, network_lightness
from deepcolor.photograph import Content, Input, Named, Photograph, Reading, decode, is_one
from deepcolor.registry import find
from deepcolor.strategy import Strategy

LONGEST_NETWORK_SIDE = 4096
MOST_AT_ONCE = 16  # photographs in a forward: more of them take more memory and no less time
MOST_AB = 10_000  # of a*b*: far beyond every color, and nothing that is made of it overflows
LONGEST_REASON = 200  # letters of another's error, for those of torch may take pages


@overload
def colorize(
    source: Named | Image.Image, strategy: str = ..., *, hints: Sequence[Hint] = ..., **knobs: float
) -> Image.Image: ...
@overload
def colorize(
    source: Content, strategy: str = ..., *, hints: Sequence[Hint] = ..., **knobs: float
) -> bytes: ...
@overload
def colorize(
    source: NDArray[np.uint8], strategy: str = ..., *, hints: Sequence[Hint] = ..., **knobs: float
) -> NDArray[np.uint8]: ...


def colorize(
    source: Input, strategy: str = defaults.STRATEGY, *, hints: Sequence[Hint] = (), **knobs: float
) -> Image.Image | bytes | NDArray[np.uint8]:
    """A photograph in color, of the same size, upright.

    A path, an open file or a PIL image gives a PIL image, an array (H, W), (H, W, 1) or (H, W, 3)
    of uint8 an array (H, W, 3), one (H, W, 4) with alpha an array (H, W, 4), the bytes of a file
    those of a file of the same format. Pixels carry no notes; those of a file say that the colors
    are simulated. Colors that the photograph has are ignored but for their L*. ``hints`` and
    ``knobs`` as in :meth:`Colorizer.__call__`. For more than one photograph, :func:`load` once.
    """
    check(find(strategy).card, knobs, hints)  # before weights are fetched for nothing
    return load(strategy)(source, hints=hints, **knobs)


def load(
    strategy: str = defaults.STRATEGY,
    *,
    device: str | torch.device = "auto",
    progress: weights.Progress | None = None,
) -> Colorizer:
    """A colorizer with the strategy's network on ``device``: auto, cpu, cuda, cuda:1… or mps.

    Fetches the weights if they are not here; ``progress`` is called with each file and the bytes
    that have come so far. Raises ``UnknownStrategyError``, ``DeviceMissingError``,
    ``PackageMissingError``, ``WeightsMissingError``, ``WeightsFolderError``,
    ``WeightsCorruptError`` and ``StrategyBrokenError`` of :mod:`deepcolor.errors`.
    """
    kind = find(strategy)
    # Layers begin with random numbers, which are the host program's as well.
    with torch.random.fork_rng(devices=[]):
        return _loaded(kind, strategy, device, progress)


def _loaded(
    kind: type[Strategy],
    strategy: str,
    device: str | torch.device,
    progress: weights.Progress | None,
) -> Colorizer:
    with _blaming(strategy, "it could not be made"):
        chosen = kind()
    check_package(chosen.card)
    place = device_named(device)
    files = weights.locate(chosen.card, progress)
    with _blaming(strategy, "its network could not be made ready"), exact(place):
        chosen.prepare(files, place)
    return Colorizer(chosen, place)


@contextmanager
def _blaming(strategy: str, problem: str) -> Iterator[None]:
    """Raises :class:`StrategyBrokenError` for whatever a strategy raises, if it is to blame."""
    try:
        yield
    except Exception as error:
        if isinstance(error, DeepcolorError) or is_out_of_memory(error):
            raise
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", LONGEST_REASON)
        raise StrategyBrokenError(strategy, f"{problem} ({reason})") from error


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
    """A colored photograph as a file; ``format`` is Pillow's name, the size is in pixels."""

    content: bytes = field(repr=False)
    format: str
    width: int
    height: int
    milliseconds: dict[str, float]

    @property
    def media_type(self) -> str:
        return Image.MIME[self.format]

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What a file of this format may be called, the usual one first."""
        return SUFFIXES[self.format]


@dataclass(frozen=True)
class _Prepared:
    """A photograph on its way to the network."""

    photograph: Photograph
    l: torch.Tensor
    hints: torch.Tensor | None
    watch: Stopwatch


@dataclass(frozen=True)
class Colorizer:
    """A strategy with its network loaded. Threads may share it."""

    strategy: Strategy
    device: torch.device

    @property
    def card(self) -> StrategyCard:
        return self.strategy.card

    @property
    def credit(self) -> Credit:
        """What the metadata of its results say."""
        return Credit(self.card.name, weights.identity(self.card))

    @overload
    def __call__(
        self, source: Named | Image.Image, *, hints: Sequence[Hint] = ..., **knobs: float
    ) -> Image.Image: ...
    @overload
    def __call__(
        self, source: Content, *, hints: Sequence[Hint] = ..., **knobs: float
    ) -> bytes: ...
    @overload
    def __call__(
        self, source: NDArray[np.uint8], *, hints: Sequence[Hint] = ..., **knobs: float
    ) -> NDArray[np.uint8]: ...
    @overload
    def __call__(
        self, source: Input, *, hints: Sequence[Hint] = ..., **knobs: float
    ) -> Image.Image | bytes | NDArray[np.uint8]: ...

    def __call__(
        self, source: Input, *, hints: Sequence[Hint] = (), **knobs: float
    ) -> Image.Image | bytes | NDArray[np.uint8]:
        """A photograph in color, of the same size, upright; what comes back is like what came.

        Every strategy takes ``size`` (the side in pixels of the square, or its area, that the
        network sees; 64…1024) and ``saturation`` (0…2, a factor on a*b*); others are on the card.
        ``hints`` are colors known at points, for strategies whose card takes them.
        Raises :class:`deepcolor.errors.DeepcolorError` in its kinds.
        """
        if isinstance(source, Content):
            return self.file(source, knobs, hints=hints).content
        colored = self.batch([source], hints=hints, **knobs)[0]
        return np.array(colored) if isinstance(source, np.ndarray) else colored

    def batch(
        self, sources: Sequence[Input], *, hints: Sequence[Hint] = (), **knobs: float
    ) -> list[Image.Image]:
        """Several photographs in color, in order; those of one network size share forwards."""
        settings = check(self.card, knobs, hints)
        _check_several(sources)
        prepared = [self._prepare(source, Reading(), settings, hints) for source in sources]
        colored: dict[int, Image.Image] = {}
        for members in _forwards([one.l.shape for one in prepared]):
            for i, ab in zip(
                members, self._predict([prepared[i] for i in members], settings), strict=True
            ):
                photograph = prepared[i].photograph
                image = self._join(photograph, ab, settings, deep=False)
                assert isinstance(image, Image.Image)
                if photograph.alpha is not None:
                    image.putalpha(photograph.alpha)
                colored[i] = image
        return [colored[i] for i in range(len(prepared))]

    def as_published(self, source: Input) -> Image.Image:
        """A photograph as the release of the strategy's paper colors it, at its default knobs.

        To compare with: everything else here enlarges better and keeps L*. Raises
        :class:`deepcolor.errors.DeepcolorError` in its kinds.
        """
        settings = check(self.card, {}, ())
        prepared = self._prepare(source, Reading(), settings, ())
        with torch.inference_mode(), exact(self.device):
            return join_as_published(prepared.photograph, self._guess(prepared, settings))

    def file(
        self,
        source: Input,
        knobs: Mapping[str, float] | None = None,
        *,
        hints: Sequence[Hint] = (),
        reading: Reading | None = None,
        writing: Writing | None = None,
    ) -> Encoded:
        """A photograph in color as a file, with the time each stage took."""
        settings = check(self.card, knobs or {}, hints)
        prepared = self._prepare(source, reading or Reading(), settings, hints)
        return self._finish(prepared, self._guess(prepared, settings), writing, settings)

    def map(
        self,
        sources: Iterable[Input],
        knobs: Mapping[str, float] | None = None,
        *,
        hints: Sequence[Hint] = (),
        jobs: int | None = None,
        reading: Reading | None = None,
        writing: Writing | None = None,
    ) -> Iterator[Encoded | DeepcolorError]:
        """Files of many photographs in color, in order; an error stands in for one that failed.

        As many as ``2 * jobs + 1`` sources, beside another device than a processor
        ``3 * jobs + 1``, are taken ahead of the results. Open files are read when they are taken,
        arrays and images copied or loaded, so that a generator may go on to reuse or close them;
        paths are read by the threads.

        ``jobs`` threads work, one a core unless told. On a processor each takes a whole photograph,
        for a core does more by itself than as a part of two; beside another device they read and
        write while it colors. ``hints`` are the same for all. What makes no sense for any raises
        :class:`deepcolor.errors.DeepcolorError` in its kinds at once. Until the last result is
        taken, threads that others start have one of torch's own threads, too.
        """
        settings = check(self.card, knobs or {}, hints)
        _check_several(sources)
        reading = reading or Reading()
        threads = ahead.threads(jobs)
        hints = tuple(hints or ())

        def prepare(source: Input) -> _Prepared:
            return self._prepare(source, reading, settings, hints)

        def guess(prepared: _Prepared) -> torch.Tensor:
            return self._guess(prepared, settings)

        def finish(prepared: _Prepared, ab: torch.Tensor) -> Encoded:
            return self._finish(prepared, ab, writing, settings)

        def whole(source: Input) -> Encoded:
            prepared = prepare(source)
            return finish(prepared, guess(prepared))

        if self.device.type == "cpu":
            return ahead.whole(whole, sources, threads)
        return ahead.beside(prepare, guess, finish, sources, threads)

    def _prepare(
        self,
        source: Input,
        reading: Reading,
        settings: Mapping[str, float],
        hints: Sequence[Hint],
    ) -> _Prepared:
        watch = Stopwatch()
        with watch.stage("decode"), exact(self.device):
            photograph = decode(source, reading)
            size = self._network_size(photograph, settings)
            # What is stretched is so because its paper does it, and so is to the digit.
            l = network_lightness(photograph, size, exact=self.card.fit == "stretch")
            painted = paint(hints, photograph.size, size) if hints else None
        return _Prepared(photograph, l, painted, watch)

    def _guess(self, prepared: _Prepared, settings: Mapping[str, float]) -> torch.Tensor:
        with prepared.watch.stage("network"):
            return self._predict([prepared], settings)[0]

    def _predict(
        self, prepared: Sequence[_Prepared], settings: Mapping[str, float]
    ) -> torch.Tensor:
        """a*b* (N, 2, h, w) of photographs that the network sees in one size.

        Raises :class:`StrategyBrokenError` where a strategy fails or gives anything else.
        """
        l = torch.stack([one.l for one in prepared]).to(self.device)
        painted = [one.hints for one in prepared if one.hints is not None]
        hints = torch.stack(painted).to(self.device) if painted else None
        blaming = _blaming(self.card.name, "its network failed")
        with torch.inference_mode(), exact(self.device), blaming:
            ab = self.strategy.predict(l, settings, hints)
            if problem := _problem(ab, len(l)):
                raise StrategyBrokenError(self.card.name, problem)
            return ab.float()

    def _finish(
        self,
        prepared: _Prepared,
        ab: torch.Tensor,
        writing: Writing | None,
        settings: Mapping[str, float],
    ) -> Encoded:
        photograph, watch = prepared.photograph, prepared.watch
        writing = writing or Writing()
        with watch.stage("join"):
            deep = written_format(photograph.format, writing.format) in DEEP
            pixels = self._join(photograph, ab, settings, deep=deep)
        with watch.stage("encode"):
            content, written = encode(pixels, photograph, self.credit, writing)
        return Encoded(content, written, *photograph.size, watch.milliseconds)

    def _join(
        self,
        photograph: Photograph,
        ab: torch.Tensor,
        settings: Mapping[str, float],
        *,
        deep: bool,
    ) -> Image.Image | NDArray[np.uint16]:
        with torch.inference_mode(), exact(self.device):
            return join(
                photograph,
                ab,
                saturation=settings["saturation"],
                deep=deep,
            )

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


def _check_several(sources: object) -> None:
    if is_one(sources) or not isinstance(sources, Iterable):
        raise SeveralWantedError(sources)


def _forwards(shapes: Sequence[torch.Size]) -> list[list[int]]:
    """The numbers of the photographs in each forward: of one shape, and not too many."""
    alike: dict[torch.Size, list[int]] = {}
    for i, shape in enumerate(shapes):
        alike.setdefault(shape, []).append(i)
    return [
        numbers[start : start + MOST_AT_ONCE]
        for numbers in alike.values()
        for start in range(0, len(numbers), MOST_AT_ONCE)
    ]


def _problem(ab: object, count: int) -> str | None:
    """What makes a network's answer no a*b* of so many photographs."""
    if not isinstance(ab, torch.Tensor):
        return f"it gives {type(ab).__name__} instead of a tensor"
    if ab.ndim != 4 or ab.shape[:2] != (count, 2) or not ab.numel():
        return f"it gives a*b* of shape {tuple(ab.shape)} instead of ({count}, 2, h, w)"
    if ab.is_complex():
        return "it gives complex numbers instead of a*b*"
    # One comparison, which also what is no number fails.
    if not bool((ab.abs() <= MOST_AB).all()):
        return f"it gives a*b* that are no numbers from -{MOST_AB:,} to {MOST_AB:,}"
    return None
