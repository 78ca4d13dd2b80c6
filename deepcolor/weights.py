"""Weights on this machine: where they lie, and how they are fetched and verified."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from importlib import resources
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError

from deepcolor.card import StrategyCard, WeightFile
from deepcolor.errors import WeightsCorruptError, WeightsFolderError, WeightsMissingError
from deepcolor.transport import opened

CHUNK = 1 << 20
ATTEMPTS = 5

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


def source(file: WeightFile) -> str | None:
    """Where a file of weights is fetched from; ``None`` for one that its package carries.

    With ``DEEPCOLOR_WEIGHTS_URL`` (http, https, file or s3) that is the file of this name below it:
    a mirror of one's own, so that many machines need not ask the publisher.
    """
    mirror = os.environ.get("DEEPCOLOR_WEIGHTS_URL")
    return f"{mirror.rstrip('/')}/{file.filename}" if mirror and file.url else file.url


def problem(card: StrategyCard) -> str | None:
    """Why the strategy cannot run here at once, in a sentence with the cure; ``None`` if it can."""
    absent = [file for file in card.weights if not is_present(file)]
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
    :class:`WeightsMissingError` when a file can't be had, :class:`WeightsCorruptError` when it is
    not the published one and :class:`WeightsFolderError` when it can't be kept; none leaves a file
    behind.
    """
    for file in card.weights:
        if not is_present(file):
            _fetch(card.name, file, progress)
    return {file.filename: path(file) for file in card.weights}


def is_present(file: WeightFile) -> bool:
    """Whether a file of weights is here, and whole.

    The hash was checked before the file was moved into place; its size tells a cut-off copy.
    """
    try:
        return path(file).stat().st_size == file.bytes
    except OSError:
        return False


def is_offline() -> bool:
    """Whether fetching is forbidden: ``DEEPCOLOR_OFFLINE`` is set to anything but 0."""
    return os.environ.get("DEEPCOLOR_OFFLINE", "0") not in {"", "0"}


def identity(card: StrategyCard) -> str:
    """One name for all the weights of a strategy: their sha256, or that of several of those."""
    hashes = [file.sha256 for file in card.weights]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(strategy: str, file: WeightFile, progress: Progress | None) -> None:
    """Fetches into a file beside the target, verifies it and moves it into place.

    That file survives only if the process is killed; the next fetch then goes on where it ended.
    """
    target, url = path(file), source(file)
    if url is None:
        raise WeightsCorruptError(strategy, file.filename, "the package is incomplete")
    missing = functools.partial(
        WeightsMissingError, strategy, file.filename, url=url, path=str(target)
    )
    if is_offline():
        raise missing(reason="fetching is off", offline=True)
    part = target.with_name(f".{file.filename}.part")
    with _locked(part) as out:
        if is_present(file):  # another process was fetching the same
            return
        try:
            _download(url, file, out, progress)
            out.flush()
            _verify(strategy, file, part)
            part.replace(target)
        except (OSError, HTTPException) as error:  # urllib's own errors are OSErrors
            part.unlink(missing_ok=True)
            if isinstance(error, HTTPError):
                error.close()
            reason = f"could not be fetched ({getattr(error, 'reason', error)})"
            raise missing(reason=reason, offline=False) from error
        except WeightsCorruptError:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def _locked(part: Path) -> Iterator[BinaryIO]:
    """A file to append to, which no other process appends to meanwhile."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        out = part.open("ab")
    except OSError as error:
        raise WeightsFolderError(part.parent, error.strerror or str(error)) from error
    with out:
        fcntl.flock(out, fcntl.LOCK_EX)
        yield out


def _download(url: str, file: WeightFile, out: BinaryIO, progress: Progress | None) -> None:
    """Appends what is missing of the file to ``out``, going on where a connection broke."""
    attempt = 0
    while out.tell() < file.bytes and attempt < ATTEMPTS:
        attempt += 1
        try:
            _continue(url, file, out, progress)
        except (OSError, HTTPException):
            if attempt == ATTEMPTS or out.tell() == 0:
                raise


def _continue(url: str, file: WeightFile, out: BinaryIO, progress: Progress | None) -> None:
    with opened(url, out.tell()) as (reply, begin):
        if begin != out.tell():
            out.seek(begin)
            out.truncate()
        while out.tell() <= file.bytes and (chunk := reply.read(CHUNK)):
            out.write(chunk)
            if progress:
                progress(file, out.tell())


def _verify(strategy: str, file: WeightFile, part: Path) -> None:
    size = part.stat().st_size
    if size != file.bytes:
        problem = f"{size:,} bytes came instead of {file.bytes:,}"
        raise WeightsCorruptError(strategy, file.filename, problem)
    sha256 = sha256_of(part)
    if sha256 != file.sha256:
        problem = f"the sha256 is {sha256} instead of {file.sha256}"
        raise WeightsCorruptError(strategy, file.filename, problem)
