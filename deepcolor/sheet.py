"""A contact sheet: each photograph beside what the strategies made of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from deepcolor.errors import DeepcolorError, TooManyForASheetError
from deepcolor.files import Outcome, write_whole
from deepcolor.photograph import decode

CELL = 320  # pixels
GAP = 8
LABEL = 26
MOST_ROWS = 150  # a JPEG is at most 65,535 pixels high
PAPER, INK = (250, 248, 244), (40, 38, 36)


def contact_sheet(outcomes: Sequence[Outcome], path: Path) -> None:
    """Draws the results that are there, a photograph a row, the original first, to ``path``.

    Raises :class:`TooManyForASheetError`.
    """
    rows: dict[Path, dict[str, Path]] = {}
    for outcome in outcomes:
        if outcome.error is None:
            rows.setdefault(outcome.task.source, {})[outcome.task.strategy] = outcome.task.target
    if len(rows) > MOST_ROWS:
        raise TooManyForASheetError(len(rows), MOST_ROWS)
    strategies = list(dict.fromkeys(outcome.task.strategy for outcome in outcomes))
    columns = ["original", *strategies]
    thumbnails = [
        [_thumbnail(source), *(_thumbnail(results.get(name)) for name in strategies)]
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
    out = io.BytesIO()
    sheet.save(out, format="PNG" if path.suffix.lower() == ".png" else "JPEG", quality=90)
    write_whole(path, out.getvalue())


def _thumbnail(path: Path | None) -> Image.Image:
    """A photograph within the cell; an empty one for a result that is not there."""
    if path is not None:
        try:
            image = decode(path).pixels.convert("RGB")
        except (DeepcolorError, OSError):
            pass
        else:
            image.thumbnail((CELL, CELL))
            return image
    return Image.new("RGB", (CELL, CELL // 2), PAPER)
