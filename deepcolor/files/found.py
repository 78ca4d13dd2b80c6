"""Which photographs are meant by files, folders and patterns."""

from __future__ import annotations

import functools
import glob
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from deepcolor import registry
from deepcolor.disk import is_pattern, is_there, is_there_as_folder, place_of
from deepcolor.errors import UnreadableFileError, reason
from deepcolor.formats import READABLE, renamed

STDIO = "-"
"""What stands for standard input and output where a file is named."""

SHEET_NOTE = b"A contact sheet, drawn by deepcolor."
"""The caption of contact sheets, by which they are told from photographs."""
NOTE_WITHIN = 2048  # bytes from a sheet's beginning; a PNG has its XMP before it


def photographs_below(
    folder: Path, unreadable: Callable[[OSError], object] | None = None
) -> Iterator[Path]:
    """Every file below a folder whose suffix names a readable format, sorted, hidden ones not.

    ``unreadable`` is called with what kept a folder from being looked into.
    """
    found: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(parent, name) for name in files if not name.startswith("."))
        found += [path for path in paths if path.suffix.lower() in READABLE]
    return (path for path in sorted(found) if os.path.isfile(path))  # noqa: PTH113 (never raises)


def photographs_meant(
    paths: Sequence[str],
    output: Path | None,
    strategies: Sequence[str],
    unreadable: list[UnreadableFileError],
) -> list[tuple[Path, Path]]:
    """What each photograph was found below, and the photograph, once however often it is named.

    Adds what could not be looked into to ``unreadable``.
    """
    labels = registry.names().union(strategies)
    place_of_folder = functools.cache(place_of)
    found: dict[Path, tuple[Path, Path]] = {}
    for given in _wished(paths, labels):
        for root, source in _meant(given, output, labels, unreadable):
            # A link is a photograph of its own: its result goes beside it.
            found.setdefault(place_of_folder(source.parent) / source.name, (root, source))
    return list(found.values())


def _wished(paths: Sequence[str], labels: Collection[str]) -> Sequence[str]:
    """The paths without those that a shell's pattern named, though no one wants them colored.

    A single file that is named is meant, whatever it is.
    """
    files = [Path(given) for given in paths if not is_there_as_folder(given)]
    kept = {str(path) for path in originals(files, labels)}
    passed_over = {str(path) for path in files} - kept if kept else set()
    return [given for given in paths if str(Path(given)) not in passed_over]


def _meant(
    given: str, output: Path | None, labels: Collection[str], unreadable: list[UnreadableFileError]
) -> Iterator[tuple[Path, Path]]:
    """What each photograph that a path means was found below, and the photograph."""

    def report(error: OSError) -> None:
        unreadable.append(UnreadableFileError(str(error.filename), reason(error)))

    path = Path(given)
    if given != STDIO and is_there_as_folder(path):
        photographs = list(photographs_below(path, report))
        if output is not None and not place_of(path).is_relative_to(place_of(output)):
            photographs = _outside(place_of(output), photographs)
        for original in originals(photographs, labels):
            yield path, original
    elif not is_there(path) and is_pattern(given):
        matches = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 (may be absolute)
        files = [Path(match) for match in matches if not is_there_as_folder(match)]
        for file in originals(files, labels) or [path]:
            yield file.parent, file
    else:
        yield path.parent, path


def _outside(folder: Path, photographs: Sequence[Path]) -> list[Path]:
    """Those that do not lie in a folder, which is given by its place."""
    place_of_folder = functools.cache(place_of)

    def is_inside(photograph: Path) -> bool:
        place = place_of_folder(photograph.parent) / photograph.name
        if photograph.is_symlink():
            place = place_of(photograph)
        return place.is_relative_to(folder)

    return [photograph for photograph in photographs if not is_inside(photograph)]


def originals(photographs: Sequence[Path], labels: Collection[str]) -> list[Path]:
    """Those that are neither contact sheets nor what an earlier run put beside another of them.

    ``labels`` are the names of strategies, which stand in what such results are called.
    """
    stems = {renamed(photograph) for photograph in photographs}

    def is_there(original: Path) -> bool:
        # One without a suffix is found in no folder, and still has results.
        return original in stems or os.path.isfile(original)  # noqa: PTH113 (never raises)

    found = (one for one in photographs if not is_result(one, labels, is_there))
    return [one for one in found if not _is_file_a_sheet(one)]


def is_result(photograph: Path, labels: Collection[str], is_there: Callable[[Path], bool]) -> bool:
    """Whether its name is that of another that is there, colored by a strategy of ``labels``.

    ``is_there`` is asked for the other without its suffix.
    """
    labeled = renamed(photograph)
    return labeled.suffix[1:] in labels and is_there(labeled.with_suffix(""))


def is_sheet(content: bytes) -> bool:
    """Whether a file that begins so is a contact sheet. Decodes nothing: it is asked of all."""
    return SHEET_NOTE in content[:NOTE_WITHIN]


def _is_file_a_sheet(path: Path) -> bool:
    if not os.path.isfile(path):  # noqa: PTH113 (never raises); a pipe would be waited for
        return False
    try:
        with path.open("rb") as file:
            return is_sheet(file.read(NOTE_WITHIN))
    except OSError:  # which coloring it tells
        return False
