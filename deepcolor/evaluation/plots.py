"""The report's plots, as inline SVG that the page's style colors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from deepcolor import svg

WIDTH, HEIGHT = 340, 240
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 12, 36
MIDDLE = (LEFT + WIDTH - RIGHT) / 2
GRID, ZERO = 'class="grid"', 'class="zero"'
TICK, NAME = 'class="tick"', 'class="name"'
POINTS = 200  # of a curve, however many photographs there are
HUES = 6  # the style has as many
LINE = 15  # between two labels, at least
RADIUS = 5  # of a spot
LETTER = 6.6  # the width of one, about
LETTERS = 24  # of a name, beside which there is room for more
BAR = 28  # the height of one, with the room around it


@dataclass(frozen=True)
class Spot:
    """A row in the plane of faithfulness against color; ``hue`` is ``None`` for a baseline."""

    name: str
    ratio: float
    psnr: float
    hue: int | None


def gains(curves: Sequence[tuple[int, Sequence[float]]]) -> str:
    """Each strategy's gain over gray, photographs from the worst to the best; (hue, gains)."""
    ordered = [(hue, _thinned(sorted(values))) for hue, values in curves]
    heights = [0.0, *(value for _, values in ordered for value in values)]
    y = _Axis.around(heights, HEIGHT - BOTTOM, TOP)
    x = _Axis(0, 100, LEFT, WIDTH - RIGHT)
    parts = [*_horizontals(y, signed), *_verticals(x, lambda value: f"{value:.0f}")]
    parts.append(svg.line(LEFT, y(0), WIDTH - RIGHT, y(0), ZERO))
    for hue, values in ordered:
        last = len(values) - 1
        places = [f"{x(100 * i / last):.1f},{y(value):.1f}" for i, value in enumerate(values)]
        parts.append(f'<polyline class="curve hue{hue % HUES}" points="{" ".join(places)}"/>')
    parts.append(svg.text(MIDDLE, HEIGHT - 4, "% of the photographs", "middle", TICK))
    return _svg("Gain over gray, photograph by photograph", parts)


def plane(spots: Sequence[Spot]) -> str:
    """PSNR against colorfulness to the truth's, a spot a row."""
    y = _Axis.around([spot.psnr for spot in spots], HEIGHT - BOTTOM, TOP, share=0.12)
    x = _Axis(-0.06, max(1.12, *(spot.ratio + 0.08 for spot in spots)), LEFT, WIDTH - RIGHT)
    parts = [
        *_horizontals(y, lambda value: f"{value:g}"),
        *_verticals(x, lambda value: f"{value:g}"),
        svg.line(x(1), TOP, x(1), HEIGHT - BOTTOM, ZERO),
    ]
    # What a label must not cover: from where to where it goes, and its baseline.
    taken = [(x(one.ratio) - RADIUS, x(one.ratio) + RADIUS, y(one.psnr) + 4) for one in spots]
    for spot in sorted(spots, key=lambda one: one.psnr):
        kind = "base" if spot.hue is None else f"hue{spot.hue % HUES}"
        place = f'cx="{x(spot.ratio):.1f}" cy="{y(spot.psnr):.1f}" r="{RADIUS}"'
        parts.append(f'<circle class="spot {kind}" {place}/>')
        name = _short(spot.name)
        length = LETTER * len(name)
        left = x(spot.ratio) + 10
        if left + length > WIDTH:
            left = x(spot.ratio) - 10 - length
        near = [top for begin, end, top in taken if left < end and begin < left + length]
        top = _free(y(spot.psnr) + 4, near)
        taken.append((left, left + length, top))
        parts.append(svg.text(left, top, name, "start", NAME))
    parts.append(svg.text(MIDDLE, HEIGHT - 4, "colorfulness / truth", "middle", TICK))
    return _svg("PSNR against colorfulness", parts)


def bars(rows: Sequence[tuple[str, float, int]]) -> str:
    """A bar each: (name, seconds, hue)."""
    name_width = max(LETTER * len(_short(name)) for name, *_ in rows)
    value_width = 44
    x = _Axis(0, max(seconds for _, seconds, _ in rows), 0, WIDTH - name_width - value_width - 10)
    parts = []
    for i, (name, seconds, hue) in enumerate(rows):
        top = i * BAR
        parts.append(svg.text(0, top + 18, _short(name), "start", NAME))
        parts.append(
            f'<rect class="spot hue{hue % HUES}" x="{name_width + 10:.1f}" y="{top + 6}" '
            f'width="{max(1, x(seconds)):.1f}" height="{BAR - 12}" rx="2"/>'
        )
        end = name_width + 10 + x(seconds) + 6
        parts.append(svg.text(end, top + 18, f"{seconds:.2f}", "start", TICK))
    return _svg("Seconds a photograph", parts, len(rows) * BAR)


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def _free(wanted: float, taken: Sequence[float]) -> float:
    """The baseline nearest to the one wanted that keeps a line from all that are taken."""
    places = (wanted + sign * distance for distance in range(HEIGHT) for sign in (-1, 1))
    within = (place for place in places if TOP <= place <= HEIGHT - BOTTOM)
    free = (place for place in within if all(abs(place - other) >= LINE for other in taken))
    return next(free, wanted)


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """Not too many for a line, and not too few: one alone is there twice."""
    if len(values) == 1:
        return [*values, *values]
    if len(values) <= POINTS:
        return values
    last = len(values) - 1
    return [values[round(i * last / (POINTS - 1))] for i in range(POINTS)]


def signed(value: float) -> str:
    """A number with its sign, a true minus."""
    return f"{value:+g}".replace("-", "−") if value else "0"


class _Axis(svg.Axis):
    def ticks(self) -> Iterator[float]:
        """Four or so round numbers."""
        rough = (self.high - self.low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough * 0.9)
        number = math.ceil(self.low / step)
        while number * step <= self.high:
            yield round(number * step, 10)
            number += 1


def _horizontals(y: _Axis, label: Callable[[float], str]) -> Iterator[str]:
    for value in y.ticks():
        yield svg.line(LEFT, y(value), WIDTH - RIGHT, y(value), GRID)
        yield svg.text(LEFT - 6, y(value) + 4, label(value), "end", TICK)


def _verticals(x: _Axis, label: Callable[[float], str]) -> Iterator[str]:
    for value in x.ticks():
        yield svg.text(x(value), HEIGHT - BOTTOM + 15, label(value), "middle", TICK)


def _svg(title: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
    return "\n".join([head, *parts, "</svg>"])
