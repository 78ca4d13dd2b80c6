"""Curves in double-logarithmic axes, as SVG that reads on light pages and dark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from deepcolor import svg

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 20, 50
INK, GRID = 'fill="#808890"', 'stroke="#80889040"'
LINE = 15  # between two labels, at least


@dataclass(frozen=True)
class Curve:
    name: str
    points: Sequence[tuple[float, float]]
    color: str
    is_limit: bool = False


class _Axis(svg.Axis):
    def __call__(self, value: float) -> float:
        return super().__call__(math.log10(value))

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float) -> _Axis:
        return cls(math.log10(min(values)) - 0.05, math.log10(max(values)) + 0.05, start, end)

    def ticks(self) -> Iterator[float]:
        for power in range(math.ceil(self.low), math.floor(self.high) + 1):
            yield 10.0**power


def draw(title: str, across: str, up: str, curves: Sequence[Curve]) -> str:
    """``across`` and ``up`` name the axes with their units."""
    points = [point for curve in curves for point in curve.points if point[1] > 0]
    x = _Axis.of([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = _Axis.of([point[1] for point in points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(title)}" font-family="sans-serif" font-size="13" {INK}>'
    ]
    for value in x.ticks():
        parts.append(svg.line(x(value), TOP, x(value), HEIGHT - BOTTOM, GRID))
        parts.append(svg.text(x(value), HEIGHT - BOTTOM + 18, f"{value:g}", "middle", INK))
    for value in y.ticks():
        parts.append(svg.line(LEFT, y(value), WIDTH - RIGHT, y(value), GRID))
        parts.append(svg.text(LEFT - 8, y(value) + 4, f"{value:g}", "end", INK))
    parts.append(svg.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, across, "middle", INK))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'transform="rotate(-90 18 {middle})"'
    parts.append(f'<text x="18" y="{middle}" text-anchor="middle" {turned}>{escape(up)}</text>')
    lowest = -math.inf
    for curve in sorted(curves, key=lambda one: -one.points[-1][1]):
        seen = [(x(a), y(b)) for a, b in curve.points if b > 0]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in seen)
        dashes = ' stroke-dasharray="5 4"' if curve.is_limit else ""
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{curve.color}"'
            f' stroke-width="2"{dashes}/>'
        )
        lowest = max(seen[-1][1] + 4, lowest + LINE)
        color = f'fill="{curve.color}"'
        parts.append(svg.text(WIDTH - RIGHT + 8, lowest, curve.name, "start", color))
    return "\n".join([*parts, "</svg>", ""])
