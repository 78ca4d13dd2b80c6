"""The examples that the page shows: photographs in the public domain, before and after.

Their pictures lie in ``static/gallery`` and are colored by ``docs/gallery.py``; what each shows is
in the catalogue, under the same name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """``width`` and ``height`` of its two pictures, in pixels."""

    name: str
    width: int
    height: int


EXAMPLES = (
    Example("killarney-1910", 880, 678),
    Example("dust-bowl", 800, 701),
    Example("girls-1860", 800, 588),
    Example("jersey-shore-1905", 500, 692),
    Example("civil-war", 800, 646),
    Example("bessborough-1908", 800, 667),
)
