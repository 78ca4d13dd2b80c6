"""Weights on this machine: where they lie, and how they are fetched and verified."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from deepcolor.card import StrategyCard, WeightFile
from deepcolor.errors import WeightsCorruptError, WeightsMissingError
from deepcolor.version import __version__

CHUNK = 1 << 20
TIMEOUT_SECONDS = 30

Progress = Callable[[WeightFile, int], None]


def home() -> Path:
    """Where fetched weights are kept.

    ``$DEEPCOLOR_HOME/weights``; without it the XDG cache, ``~/.cache/deepcolor/weights``.
    """
    if chosen := os.environ.get("DEEPCOLOR_HOME"):
        return Path(chosen) / "weights"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "deepcolor" / "weights"


def path(file: WeightFile) -> Path:
    """Where a file of weights lies, or will."""
    if file.package is not None:
        return Path(str(resources.files(file.package) / file.filename))
    return home() / file.filename


def problem(card: StrategyCard) -> str | None:
    """Why the strategy cannot run here at once, in a sentence with the cure; ``None`` if it can."""
    absent = [file for file in card.weights if not _present(file)]
    if not absent:
        return None
    megabytes = sum(file.bytes for file in absent) / 1e6
    return (
        f"Its weights ({megabytes:.0f} MB) are not here yet: "
        f"run 'deepcolor weights fetch {card.name}'."
    )


def locate(card: StrategyCard, progress: Progress | None = None) -> dict[str, Path]:
    """A local path for each of the card's files, fetching what is missing.

    ``progress`` is called with the file and the bytes that have come so far. Raises
    :class:`WeightsMissingError` when a file can't be had and :class:`WeightsCorruptError` when it
    is not the published one; neither leaves a file behind.
    """
    for file in card.weights:
        if not _present(file):
            _fetch(card.name, file, progress)
    return {file.filename: path(file) for file in card.weights}


def _present(file: WeightFile) -> bool:
    # The hash was checked before the file was moved into place; the size catches a cut-off copy.
    try:
        return path(file).stat().st_size == file.bytes
    except OSError:
        return False


def _fetch(strategy: str, file: WeightFile, progress: Progress | None) -> None:
    target = path(file)
    if file.url is None:
        raise WeightsCorruptError(strategy, file.filename, "the package is incomplete")
    part = target.with_name(f".{file.filename}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        size, sha256 = _download(file, part, progress)
        _verify(strategy, file, size, sha256)
        part.replace(target)
    except OSError as error:  # urllib's errors are OSErrors too
        reason = f"could not be fetched ({getattr(error, 'reason', error)})"
        raise WeightsMissingError(strategy, file.filename, reason, file.url, str(target)) from error
    finally:
        part.unlink(missing_ok=True)


def _download(file: WeightFile, part: Path, progress: Progress | None) -> tuple[int, str]:
    """Writes the file to ``part``; gives back its size in bytes and its sha256."""
    assert file.url is not None
    digest, size = hashlib.sha256(), 0
    request = urllib.request.Request(file.url, headers={"User-Agent": f"deepcolor/{__version__}"})
    with (
        urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply,
        part.open("wb") as out,
    ):
        while chunk := reply.read(CHUNK):
            out.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            if progress:
                progress(file, size)
    return size, digest.hexdigest()


def _verify(strategy: str, file: WeightFile, size: int, sha256: str) -> None:
    if size != file.bytes:
        problem = f"{size:,} bytes came instead of {file.bytes:,}"
        raise WeightsCorruptError(strategy, file.filename, problem)
    if sha256 != file.sha256:
        problem = f"the sha256 is {sha256} instead of {file.sha256}"
        raise WeightsCorruptError(strategy, file.filename, problem)
