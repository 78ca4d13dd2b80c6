"""Color photographs as people have them: a folder, tar shards, or a folder with both."""

from __future__ import annotations

import hashlib
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from deepcolor import registry
from deepcolor.errors import UnreadableFileError, reason
from deepcolor.files.found import is_result, is_sheet, originals, photographs_below
from deepcolor.formats import READABLE, renamed

TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def files(data: Path) -> list[Path]:
    """The photographs and the tars that ``data`` is or holds, sorted.

    What deepcolor colored is no photograph to learn from. Raises
    :class:`deepcolor.errors.UnreadableFileError`.
    """
    if data.is_file():
        return [data]
    photographs = originals(list(photographs_below(data, _refuse)), registry.names())
    tars = (path for path in data.rglob("*") if _is_tar(path) and path.is_file())
    return sorted([*photographs, *tars])


def _refuse(error: OSError) -> NoReturn:
    raise UnreadableFileError(str(error.filename), reason(error)) from error


def contents(data: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each photograph; the name is its path without the suffix.

    Raises :class:`deepcolor.errors.UnreadableFileError`.
    """
    root = data if data.is_dir() else data.parent
    for path in files(data):
        try:
            if _is_tar(path):
                yield from _in_tar(path)
            else:
                yield path.relative_to(root).with_suffix("").as_posix(), path.read_bytes()
        except (OSError, EOFError, tarfile.TarError, zlib.error, lzma.LZMAError) as error:
            # tarfile adds a line for each compression that it tried.
            told = reason(error).partition(":\n")[0]
            raise UnreadableFileError(str(path), told) from error


def _is_tar(path: Path) -> bool:
    return path.name.lower().endswith(TARS)


def _in_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    """As of a folder: neither hidden photographs nor what deepcolor made of others."""
    labels = registry.names()
    with tarfile.open(path) as tar:
        members = [(Path(member.name), member) for member in tar]
        stems = {renamed(name) for name, _ in members if name.name}  # "." has none
        for name, member in members:
            if name.suffix.lower() not in READABLE or is_result(name, labels, stems.__contains__):
                continue
            if any(part.startswith(".") for part in name.parts):
                continue
            content = _content(tar, member)
            if content is not None and not is_sheet(content):
                yield name.with_suffix("").as_posix(), content


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    """``None`` for a folder and for a link that leads nowhere, as none is found in a folder."""
    try:
        file = tar.extractfile(member)
    except (KeyError, RecursionError):
        return None
    return file.read() if file is not None else None


def total_bytes(data: Path) -> int:
    """Of all files, by which progress is told."""
    return sum(path.stat().st_size for path in files(data))


def fingerprint(data: Path) -> str:
    """Changes whenever a file comes, goes or is written."""
    lines = []
    for path in files(data):
        about = path.stat()
        lines.append(f"{path.relative_to(data)} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()
