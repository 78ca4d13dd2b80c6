"""Curves in double-logarithmic axes, as SVG that reads on light pages and dark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 20, 50
INK, GRID = "#808890", "#80889040"
LINE = 15  # between two labels, at least


@dataclass(frozen=True)
class Curve:
    name: str
    points: Sequence[tuple[float, float]]
    color: str
    is_limit: bool = False


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

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
        f' aria-label="{escape(title)}" font-family="sans-serif" font-size="13" fill="{INK}">'
    ]
    for value in x.ticks():
        parts.append(_line(x(value), TOP, x(value), HEIGHT - BOTTOM))
        parts.append(_text(x(value), HEIGHT - BOTTOM + 18, f"{value:g}", "middle"))
    for value in y.ticks():
        parts.append(_line(LEFT, y(value), WIDTH - RIGHT, y(value)))
        parts.append(_text(LEFT - 8, y(value) + 4, f"{value:g}", "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, across, "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'transform="rotate(-90 18 {middle})"'
    parts.append(f'<text x="18" y="{middle}" text-anchor="middle" {turned}>{escape(up)}</text>')
    lowest = math.inf
    for curve in sorted(curves, key=lambda one: -one.points[-1][1]):
        seen = [(x(a), y(b)) for a, b in curve.points if b > 0]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in seen)
        dashes = ' stroke-dasharray="5 4"' if curve.is_limit else ""
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{curve.color}"'
            f' stroke-width="2"{dashes}/>'
        )
        place = seen[-1][1] + 4
        if lowest != math.inf:
            place = max(place, lowest + LINE)
        lowest = place
        parts.append(_text(WIDTH - RIGHT + 8, place, curve.name, "start", curve.color))
    return "\n".join([*parts, "</svg>", ""])


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GRID}"/>'


def _text(x: float, y: float, text: str, anchor: str, color: str = INK) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}"'
    return f"<text {place}>{escape(text)}</text>"
