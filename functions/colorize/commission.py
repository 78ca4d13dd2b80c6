"""What is asked of a painter and what it answers; no torch, so that who only asks needs none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Commission:
    """A photograph's bytes and how to color it; ``hints`` are as the command line takes them.

    ``correlation_id`` is for the log; ``instance`` goes into the result, which by it is another
    file than that of any other order.
    """

    content: bytes
    strategy: str
    knobs: dict[str, float]
    hints: list[str]
    correlation_id: str = ""
    instance: str | None = None


@dataclass(frozen=True)
class Colored:
    """A colored photograph as a file; the size is in pixels, ``milliseconds`` are by stage."""

    content: bytes
    media_type: str
    width: int
    height: int
    milliseconds: dict[str, float]


@dataclass(frozen=True)
class Refusal:
    """Why a photograph can't be colored, for good."""

    code: str
    message: str


OUT_OF_MEMORY = Refusal(
    "out_of_memory",
    "Coloring this photograph takes more memory than there is; make it smaller, or ask for a "
    "smaller size.",
)

Outcome = Colored | Refusal
