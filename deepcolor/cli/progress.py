"""A line of progress on stderr, only where a person watches."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import click

BAR_CELLS = 24


@dataclass
class Progress:
    """Counts toward ``total`` of ``unit``, and tells the rate and the time left."""

    total: float
    unit: str
    start: float = field(default_factory=time.monotonic)
    shown: bool = field(default_factory=sys.stderr.isatty)

    def show(self, done: float) -> None:
        if not self.shown or not self.total:
            return
        share = min(1.0, done / self.total)
        spent = time.monotonic() - self.start
        cells = round(BAR_CELLS * share)
        bar = "█" * cells + "░" * (BAR_CELLS - cells)
        text = f"{bar} {done:,.0f}/{self.total:,.0f} {self.unit}"
        if done and spent > 0:
            left = spent / done * (self.total - done)
            text += f" · {done / spent:.1f}/s · {_clock(left)} left"
        click.echo(f"\r\033[K{text}", nl=False, err=True)

    def clear(self) -> None:
        """Makes room for a line of text."""
        if self.shown:
            click.echo("\r\033[K", nl=False, err=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
