"""The log as curves, in an SVG that stands alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from deepcolor.disk import write_whole
from deepcolor.svg import Axis, line, text
from deepcolor.training.log import Row

PANELS = {
    "loss": ("loss", "train_loss"),
    "PSNR dB": ("gray_psnr", "mean_psnr", "default_psnr", "vivid_psnr"),
    "PSNR dB by hints": ("mean_psnr", "hints1_psnr", "hints5_psnr", "hints10_psnr"),
    "AuC %": ("gray_auc", "mean_auc", "default_auc", "vivid_auc"),
    "CIEDE2000": ("gray_ciede2000", "mean_ciede2000", "default_ciede2000", "vivid_ciede2000"),
    "colorfulness / truth": ("mean_colorfulness", "default_colorfulness", "vivid_colorfulness"),
}
COLORS = ("#4269d0", "#ff725c", "#3ca951", "#a463f2")
WIDTH, HEIGHT = 380, 230
LEFT, RIGHT, TOP, BOTTOM = 48, 120, 26, 26
ACROSS = 2


def write_curve(rows: Sequence[Row], path: Path) -> None:
    """Each figure over the steps; needs at least one row."""
    down = -(-len(PANELS) // ACROSS)
    width, height = WIDTH * ACROSS, HEIGHT * down
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for i, (title, names) in enumerate(PANELS.items()):
        place = f"translate({i % ACROSS * WIDTH} {i // ACROSS * HEIGHT})"
        parts += [f'<g transform="{place}">', *_panel(rows, title, names), "</g>"]
    write_whole(path, "\n".join([*parts, "</svg>\n"]).encode())


def _panel(rows: Sequence[Row], title: str, names: Sequence[str]) -> list[str]:
    values = [row[name] for row in rows for name in names if math.isfinite(row[name])]
    last = max(row["step"] for row in rows) or 1.0
    x = Axis(0, last, LEFT, WIDTH - RIGHT)
    y = Axis.around(values, HEIGHT - BOTTOM, TOP)
    parts = [text(LEFT, TOP - 10, title, "start", 'fill="#000"')]
    for i in range(5):
        value = y.low + (y.high - y.low) * i / 4
        parts.append(line(LEFT, y(value), WIDTH - RIGHT, y(value), 'stroke="#ddd"'))
        parts.append(text(LEFT - 6, y(value) + 4, f"{value:.4g}", "end", 'fill="#555"'))
    parts.append(text(WIDTH - RIGHT, HEIGHT - 8, f"{last:,.0f} steps", "end", 'fill="#555"'))
    label = float(TOP)
    # The labels stand beside the curves' ends, none upon another.
    for name, color in sorted(zip(names, COLORS, strict=False), key=lambda one: -rows[-1][one[0]]):
        if not math.isfinite(rows[-1][name]):
            continue
        known = [(row["step"], row[name]) for row in rows if math.isfinite(row[name])]
        points = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in known)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        label = max(label + 14, y(rows[-1][name]) + 4)
        short = name.rpartition("_")[0] or name
        parts.append(text(WIDTH - RIGHT + 8, label, short, "start", f'fill="{color}"'))
    return parts
