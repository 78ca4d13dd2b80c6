"""What came out of an evaluation, as aligned text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from deepcolor.evaluation.evaluate import BASELINES, Evaluation
from deepcolor.evaluation.truths import SIDE

HEADINGS = (
    "PSNR dB",
    "SSIM",
    "AuC %",
    "rebalanced",
    "CIEDE2000",
    "colorfulness",
    "/ truth",
    "s a photo",
)
NONE = "–"


def cells(result: Evaluation, row: int) -> list[str]:
    """A row's figures as text, in the order of the :data:`HEADINGS`."""
    means, ratio = result.means(row), result.colorfulness_ratio(row)
    return [
        f"{means.psnr:.2f}",
        f"{means.ssim:.3f}",
        f"{means.auc:.2f}",
        f"{means.auc_rebalanced:.2f}",
        f"{means.ciede2000:.2f}",
        f"{means.colorfulness:.1f}",
        NONE if ratio is None else f"{ratio:.2f}",
        NONE if means.seconds is None else f"{means.seconds:.2f}",
    ]


def text(result: Evaluation) -> str:
    """A line a row, under headings, and a line on what was measured."""
    lines = [["", *HEADINGS]]
    lines += [[name, *cells(result, row)] for row, name in enumerate(result.rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    aligned = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join([*aligned, "", extent(result)])


def extent(result: Evaluation) -> str:
    """A sentence on how many photographs there were and how colorful, and one on gray ones."""
    count, gray = len(result.cases), result.nearly_gray
    photographs = "1 photograph" if count == 1 else f"{count:,} photographs"
    said = f"{photographs} at {SIDE}x{SIDE}; the truth's colorfulness is {result.colorfulness:.1f}."
    if gray:
        said += f" Nearly gray, and so no test of color: {gray:,}."
    return said


def as_json(result: Evaluation) -> dict[str, Any]:
    """The same, not rounded; the constant's own color is ``ab``. No figures of no photographs."""
    rows = [
        asdict(result.means(row)) | {"colorfulness_ratio": result.colorfulness_ratio(row)}
        for row in range(len(result.rows))
        if result.cases
    ]
    baselines = dict(zip(BASELINES, rows, strict=False))
    if baselines:
        baselines["constant"]["ab"] = result.constant
    return {
        "folder": str(result.folder),
        "side": SIDE,
        "photographs": len(result.cases),
        "nearly_gray": result.nearly_gray,
        "failed": [{"photograph": str(path)} | error.to_json() for path, error in result.failures],
        "colorfulness": result.colorfulness if rows else None,
        "baselines": baselines,
        "strategies": dict(zip(result.strategies, rows[len(BASELINES) :], strict=False)),
    }
