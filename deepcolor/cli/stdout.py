"""Standard output, on which strategies must not print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TextIO


@contextmanager
def kept_clean() -> Iterator[TextIO]:
    """Standard output for this command alone: what strategies print goes to standard error.

    A photograph may be on its way there, or JSON.
    """
    out = sys.stdout
    with redirect_stdout(sys.stderr):
        yield out
