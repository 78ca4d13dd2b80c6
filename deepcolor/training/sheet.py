"""A sheet of held-out photographs: gray, true, and as the network colors them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from deepcolor import xmp
from deepcolor.disk import write_whole
from deepcolor.encoding import PNG_XMP
from deepcolor.files.found import SHEET_NOTE
from deepcolor.version import __version__

GAP = 6  # pixels
PAPER = 245


def write_sheet(rows: Sequence[Sequence[Tensor]], path: Path) -> None:
    """Pictures of one size, uint8 (3, H, W), a list a row, as a PNG.

    It says what it is, lest it be learned from where the run lies among the photographs.
    """
    _, height, width = rows[0][0].shape
    down, across = len(rows) * (height + GAP) + GAP, len(rows[0]) * (width + GAP) + GAP
    sheet = torch.full((3, down, across), PAPER, dtype=torch.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            top, left = GAP + i * (height + GAP), GAP + j * (width + GAP)
            sheet[:, top : top + height, left : left + width] = picture
    note = PngInfo()
    note.add_text("Description", SHEET_NOTE.decode())
    note.add_itxt(PNG_XMP, xmp.mark(f"deepcolor {__version__}").decode())
    out = io.BytesIO()
    Image.fromarray(sheet.permute(1, 2, 0).numpy()).save(out, "PNG", pnginfo=note)
    write_whole(path, out.getvalue())
