"""What a person sees while weights are fetched, whichever command needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deepcolor.cli.progress import Progress

if TYPE_CHECKING:
    from deepcolor.card import WeightFile


@contextmanager
def shown() -> Iterator[Callable[[WeightFile, int], None]]:
    """Who is to be told of the bytes that have come: it shows a bar a file."""
    bars: dict[str, Progress] = {}

    def listen(file: WeightFile, received: int) -> None:
        bar = bars.setdefault(file.filename, Progress(file.bytes / 1e6, f"MB {file.filename}"))
        bar.show(received / 1e6)
        if received == file.bytes:
            bars.pop(file.filename).clear()

    try:
        yield listen
    finally:
        for bar in bars.values():
            bar.clear()
