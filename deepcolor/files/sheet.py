"""A contact sheet: each photograph beside what the strategies made of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from deepcolor import xmp
from deepcolor.disk import check_writable, is_taken, place_of, write_whole
from deepcolor.encoding import PNG_XMP
from deepcolor.errors import (
    AlreadyThereError,
    DeepcolorError,
    NotWritableError,
    SheetPlaceError,
    SuffixNotWrittenError,
    TooManyForASheetError,
    reason,
)
from deepcolor.exif import DESCRIPTION, SOFTWARE
from deepcolor.files.coloring import IfThere, Outcome
from deepcolor.files.found import SHEET_NOTE
from deepcolor.files.plan import Task
from deepcolor.formats import SUFFIXES
from deepcolor.photograph import Reading, decode
from deepcolor.version import __version__

CELL = 320  # pixels
GAP = 8
LABEL = 26
MOST_ROWS = 150  # a JPEG is at most 65,535 pixels high
SHEET_FORMATS = {suffix: kind for kind in ("JPEG", "PNG") for suffix in SUFFIXES[kind]}
PAPER, INK = (250, 248, 244), (40, 38, 36)
SIMULATED = b" Its colors are simulated."


def is_wanted(path: Path, tasks: Sequence[Task], if_there: IfThere) -> bool:
    """Whether a sheet of what the tasks will give is to be drawn to ``path``: one may be there.

    Asked before any photograph is colored. Raises :class:`SuffixNotWrittenError`,
    :class:`TooManyForASheetError`, :class:`SheetPlaceError`, :class:`AlreadyThereError` and
    :class:`NotWritableError`.
    """
    if path.suffix.lower() not in SHEET_FORMATS:
        raise SuffixNotWrittenError(str(path), SHEET_FORMATS)
    count = len({task.source for task in tasks})
    if count > MOST_ROWS:
        raise TooManyForASheetError(count, MOST_ROWS)
    _check_place(path, tasks)
    check_writable(path)
    if if_there is IfThere.FAIL and is_taken(path):
        raise AlreadyThereError(path)
    return if_there is IfThere.REPLACE or not is_taken(path)


def contact_sheet(outcomes: Sequence[Outcome], path: Path, reading: Reading) -> None:
    """Draws the results that are there, a photograph a row, the original first, to ``path``.

    ``reading`` is how the photographs were read. Where there are no results, nothing is drawn.
    Raises :class:`SheetPlaceError` and :class:`NotWritableError`.
    """
    rows: dict[Path, dict[str, Path]] = {outcome.task.source: {} for outcome in outcomes}
    for outcome in outcomes:
        if outcome.error is None:
            rows[outcome.task.source][outcome.task.strategy] = outcome.task.target
    rows = {source: results for source, results in rows.items() if results}
    if not rows:
        return
    _check_place(path, [outcome.task for outcome in outcomes])
    strategies = list(dict.fromkeys(outcome.task.strategy for outcome in outcomes))
    columns = ["original", *strategies]
    thumbnails = [
        [_thumbnail(one, reading) for one in (source, *map(results.get, strategies))]
        for source, results in rows.items()
    ]
    heights = [max(image.height for image in row) for row in thumbnails]
    width = GAP + len(columns) * (CELL + GAP)
    sheet = Image.new("RGB", (width, LABEL + GAP + sum(h + GAP for h in heights)), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=16)
    for i, name in enumerate(columns):
        draw.text((GAP + i * (CELL + GAP), 6), name, fill=INK, font=font)
    top = LABEL + GAP
    for row, height in zip(thumbnails, heights, strict=True):
        for i, image in enumerate(row):
            sheet.paste(image, (GAP + i * (CELL + GAP) + (CELL - image.width) // 2, top))
        top += height + GAP
    try:
        write_whole(path, _marked(sheet, SHEET_FORMATS[path.suffix.lower()]))
    except OSError as error:
        raise NotWritableError(path, reason(error)) from error


def _marked(sheet: Image.Image, kind: str) -> bytes:
    """The sheet's file, which says in words and in XMP that its colors are simulated."""
    software = f"deepcolor {__version__}"
    exif = Image.Exif()
    exif[DESCRIPTION] = SHEET_NOTE + SIMULATED
    exif[SOFTWARE] = software
    mark = xmp.mark(software)
    options: dict[str, Any] = {"quality": 90, "xmp": mark}
    if kind == "PNG":
        options = {"pnginfo": PngInfo()}
        options["pnginfo"].add_itxt(PNG_XMP, mark.decode())
    out = io.BytesIO()
    sheet.save(out, format=kind, exif=exif, **options)
    return out.getvalue()


def _check_place(path: Path, tasks: Sequence[Task]) -> None:
    """Raises :class:`SheetPlaceError` if a photograph or a result has the place."""
    place = place_of(path)
    taken = (file for task in tasks for file in (task.source, task.target))
    if any(place_of(file) == place for file in taken):
        raise SheetPlaceError(path)


def _thumbnail(path: Path | None, reading: Reading) -> Image.Image:
    """A photograph within the cell; an empty one for a result that is not there."""
    if path is not None:
        try:
            image = decode(path, reading).pixels.convert("RGB")
        except (DeepcolorError, OSError):
            pass
        else:
            image.thumbnail((CELL, CELL))
            return image
    return Image.new("RGB", (CELL, CELL // 2), PAPER)
