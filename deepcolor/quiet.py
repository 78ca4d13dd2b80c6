"""Silences Pillow, its warnings while photographs are read, and nobody else.

Its limit of pixels is lifted for as long: deepcolor has its own, which :class:`Reading` tells.
"""

from __future__ import annotations

import logging
import re
import warnings
from threading import Lock
from typing import Any

from PIL import Image

# A program that wants Pillow's log gives it a handler; else Python would print it to stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class _QuietPillow:
    """From when the first who wants it begins until the last is done.

    Python's own way to ignore warnings would end, in the wrong order, with filters of another
    thread's.
    """

    def __init__(self) -> None:
        self.lock, self.users = Lock(), 0
        self.entry = ("ignore", None, Warning, re.compile(r"(PIL|pillow_heif)(\.|$)"), 0)
        self.limit: int | None = None

    def __enter__(self) -> None:
        filters: Any = warnings.filters
        with self.lock:
            if not self.users:
                self._drop()
                filters.insert(0, self.entry)
                self.limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self.users += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.users -= 1
            if not self.users:
                self._drop()
                if Image.MAX_IMAGE_PIXELS is None:  # else somebody has set another meanwhile
                    Image.MAX_IMAGE_PIXELS = self.limit

    def _drop(self) -> None:
        """Whoever puts other filters in place takes this one away, or puts an old one back."""
        filters: Any = warnings.filters
        while self.entry in filters:
            filters.remove(self.entry)


QUIET_PILLOW = _QuietPillow()
"""Pillow warns of odd metadata in files whose pixels are fine, and at half of its limit."""
