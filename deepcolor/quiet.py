"""Silences Pillow while photographs are read, in however many threads, and nobody else."""

from __future__ import annotations

import re
import warnings
from threading import Lock
from typing import Any


class _Ignored:
    """Warnings of some modules, from when the first who wants it begins until the last is done.

    Python's own way to do so would end, in the wrong order, with filters of another thread's.
    """

    def __init__(self, modules: str) -> None:
        self.lock, self.users = Lock(), 0
        self.entry = ("ignore", None, Warning, re.compile(modules), 0)

    def __enter__(self) -> None:
        filters: Any = warnings.filters
        with self.lock:
            if not self.users:
                filters.insert(0, self.entry)
            self.users += 1

    def __exit__(self, *_: object) -> None:
        filters: Any = warnings.filters
        with self.lock:
            self.users -= 1
            # Whoever has put other filters in place meanwhile has taken this one away.
            if not self.users and self.entry in filters:
                filters.remove(self.entry)


QUIET_PILLOW = _Ignored(r"(PIL|pillow_heif)(\.|$)")
"""Which warns of odd metadata in files whose pixels are fine."""
