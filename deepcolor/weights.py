"""Weights on this machine: where they lie, and how they are fetched and verified."""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Callable
from http.client import HTTPException
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from deepcolor.card import StrategyCard, WeightFile
from deepcolor.disk import locked
from deepcolor.errors import (
    WeightsBrokenOffError,
    WeightsCorruptError,
    WeightsFolderError,
    WeightsMissingError,
    WeightsPackageError,
    reason,
)
from deepcolor.transport import opened

if TYPE_CHECKING:
    from io import FileIO

CHUNK = 1 << 20
ABSENT = "the file is not there, or not all of it"
ATTEMPTS = 5  # in a row that bring nothing more
PAUSE_SECONDS = 0.5  # after the first of them; each further one is twice as long

Progress = Callable[[WeightFile, int], None]


def home() -> Path:
    """Where fetched weights are kept.

    ``$DEEPCOLOR_HOME/weights``; without it the XDG cache, ``~/.cache/deepcolor/weights``. Raises
    :class:`WeightsFolderError` for who has no home, as some users of containers.
    """
    if chosen := os.environ.get("DEEPCOLOR_HOME"):
        return Path(chosen) / "weights"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    try:
        return cache.expanduser() / "deepcolor" / "weights"
    except RuntimeError as error:
        raise WeightsFolderError(cache / "deepcolor" / "weights", "no home folder") from error


def path(file: WeightFile) -> Path:
    """Where a file of weights lies, or will; no two that differ share a place."""
    if file.package is not None:
        return Path(str(resources.files(file.package) / file.filename))
    # By its hash, too: a later one of this name, or another strategy's, is another file.
    return home() / f"{file.sha256[:12]}-{file.filename}"


def source(file: WeightFile) -> str | None:
    """Where a file of weights is fetched from; ``None`` for one that its package carries.

    With ``DEEPCOLOR_WEIGHTS_URL`` (http, https, file or s3) that is the file of this name below it:
    a mirror of one's own, so that many machines need not ask the publisher.
    """
    mirror = os.environ.get("DEEPCOLOR_WEIGHTS_URL")
    return f"{mirror.rstrip('/')}/{file.filename}" if mirror and file.url else file.url


def problem(card: StrategyCard) -> str | None:
    """Why the strategy cannot run here at once, in a sentence with the cure; ``None`` if it can."""
    try:
        absent = [file for file in card.weights if not is_present(file)]
    except WeightsFolderError as error:
        return str(error)
    if not absent:
        return None
    if carried := [file for file in absent if file.package is not None]:
        return str(WeightsPackageError(card.name, path(carried[0]), ABSENT))
    megabytes = sum(file.bytes for file in absent) / 1e6
    return (
        f"Its weights ({megabytes:.0f} MB) are not here yet: "
        f"run 'deepcolor weights fetch {card.name}'."
    )


def locate(card: StrategyCard, progress: Progress | None = None) -> dict[str, Path]:
    """A local path for each of the card's files, fetching what is missing.

    ``progress`` is called with the file and the bytes that have come so far. Raises
    :class:`WeightsMissingError` when a file can't be had, :class:`WeightsCorruptError` when it is
    not the published one, ``WeightsPackageError`` of those when a package carries another, and
    :class:`WeightsFolderError` when it can't be kept. None leaves a file behind but
    :class:`WeightsBrokenOffError`, of which the next fetch goes on with what came.
    """
    for file in card.weights:
        url = source(file)
        if url is None:
            _check_carried(card.name, file)
        elif not is_present(file):
            _fetch(card.name, file, url, progress)
    return {file.filename: path(file) for file in card.weights}


def is_present(file: WeightFile) -> bool:
    """Whether a file of weights is here, and whole.

    The hash of a fetched one was checked before it was moved into place; its size tells a cut-off
    copy.
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


def difference(file: WeightFile, found: Path) -> str | None:
    """What tells a file that was found from the one that the card means; ``None``: nothing does.

    Raises ``OSError`` where it can't be read.
    """
    if (size := found.stat().st_size) != file.bytes:
        return f"it has {size:,} bytes instead of {file.bytes:,}"
    if (sha256 := sha256_of(found)) != file.sha256:
        return f"the sha256 is {sha256} instead of {file.sha256}"
    return None


def _check_carried(strategy: str, file: WeightFile) -> None:
    """Whoever packs weights writes their card by hand, and nothing was fetched and verified."""
    try:
        problem = difference(file, path(file))
    except FileNotFoundError:
        problem = ABSENT
    except OSError as error:
        problem = reason(error)
    if problem:
        raise WeightsPackageError(strategy, path(file), problem)


def _fetch(strategy: str, file: WeightFile, url: str, progress: Progress | None) -> None:
    """Fetches into a file beside the target, verifies it and moves it into place.

    That file survives a fetch that broke off or was killed; the next goes on where it ended.
    """
    target = path(file)
    missing = functools.partial(
        WeightsMissingError, strategy, file.filename, url=url, path=str(target)
    )
    if is_offline():
        raise missing(reason="fetching is off", offline=True)
    part = target.with_name(f".{target.name}.part")
    with _locked(part) as out:
        if is_present(file):  # another process was fetching the same
            return
        try:
            _download(url, file, out, progress)
            if problem := difference(file, part):
                raise WeightsCorruptError(strategy, file.filename, problem)
            part.replace(target)
        except (OSError, HTTPException) as error:  # urllib's own errors are OSErrors
            cause = getattr(error, "reason", error)
            if 0 < (came := out.tell()) < file.bytes:
                raise WeightsBrokenOffError(
                    strategy, file.filename, came, file.bytes, cause
                ) from error
            part.unlink(missing_ok=True)
            raise missing(reason=f"could not be fetched ({cause})", offline=False) from error
        except WeightsCorruptError:
            part.unlink(missing_ok=True)
            raise


def _locked(part: Path) -> FileIO:
    try:
        return locked(part)
    except OSError as error:
        raise WeightsFolderError(part.parent, reason(error)) from error


def _download(url: str, file: WeightFile, out: FileIO, progress: Progress | None) -> None:
    """Appends what is missing of the file to ``out``, going on where a connection broke.

    Too little is there afterwards only if the source has no more. Raises ``OSError`` and
    ``HTTPException`` when nothing more comes for :data:`ATTEMPTS` attempts, or nothing at all.
    """
    most, failed = out.tell(), 0
    while out.tell() < file.bytes:
        try:
            _continue(url, file, out, progress)
            if out.tell() <= most:
                return
            failed = 0
        except (OSError, HTTPException):
            failed = 1 if out.tell() > most else failed + 1
            if failed == ATTEMPTS or out.tell() == 0:
                raise
            time.sleep(PAUSE_SECONDS * 2 ** (failed - 1))
        most = max(most, out.tell())


def _continue(url: str, file: WeightFile, out: FileIO, progress: Progress | None) -> None:
    with opened(url, out.tell()) as (reply, begin):
        if begin != out.tell():
            out.seek(begin)
            out.truncate()
        while out.tell() <= file.bytes and (chunk := reply.read(CHUNK)):
            while chunk:
                chunk = chunk[out.write(chunk) :]
            if progress:
                progress(file, out.tell())
