"""Seeded fuzzing: files of every format with bits flipped, numbers exaggerated, pieces moved.

``python -m tests.hostile.fuzz --files 2000`` spoils so many files of each format and prints what
became of them; ``--keep DIR`` keeps those that crashed, hung or raised what they should not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.hostile import jail
from tests.hostile.samples import FORMATS, png_sealed, samples

MAX_PIXELS = 1_000_000
MEMORY_MEBIBYTES = 1024
HEADER_BYTES = 700  # what the formats keep before the pixels
EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def spoiled(file_format: str, number: int) -> bytes:
    """The file of this number, always the same."""
    random = np.random.default_rng([*file_format.encode(), number])
    files = samples(file_format)
    content = bytearray(files[number % len(files)])
    for _ in range(int(random.integers(1, 5))):
        spoil = (_flip, _flip, _exaggerate, _exaggerate, _overwrite, _move)[random.integers(6)]
        spoil(content, random)
    if file_format == "PNG" and random.integers(4):
        return png_sealed(bytes(content))  # else its checksums keep most of it from the decoder
    return bytes(content)


def _place(content: bytearray, random: np.random.Generator) -> int:
    """Anywhere, but half of the time in the header."""
    end = len(content) if random.integers(2) else min(len(content), HEADER_BYTES)
    return int(random.integers(max(1, end)))


def _flip(content: bytearray, random: np.random.Generator) -> None:
    for _ in range(int(random.integers(1, 9))):
        content[_place(content, random)] ^= 1 << int(random.integers(8))


def _exaggerate(content: bytearray, random: np.random.Generator) -> None:
    width = int(random.choice((1, 2, 4)))
    value = int(random.choice(EXTREMES)) & ((1 << 8 * width) - 1)
    at = min(_place(content, random), len(content) - width)
    content[at : at + width] = value.to_bytes(width, "big" if random.integers(2) else "little")


def _overwrite(content: bytearray, random: np.random.Generator) -> None:
    at = _place(content, random)
    length = min(int(random.integers(1, 65)), len(content) - at)
    content[at : at + length] = random.bytes(length)


def _move(content: bytearray, random: np.random.Generator) -> None:
    """Cuts a piece out and puts it elsewhere, or nowhere."""
    at = _place(content, random)
    piece = content[at : at + int(random.integers(1, 257))]
    if len(piece) < len(content) - 8:
        del content[at : at + len(piece)]
    if random.integers(2):
        to = _place(content, random)
        content[to:to] = piece


def fuzz(file_format: str, files: int) -> jail.Report:
    named = ((f"{file_format} {i}", spoiled(file_format, i)) for i in range(files))
    return jail.decode_all(named, max_pixels=MAX_PIXELS, memory_mebibytes=MEMORY_MEBIBYTES)


def cut_off(file_format: str) -> Iterator[tuple[str, bytes]]:
    """Each sample, ending after every 1 % of it."""
    for variant, content in enumerate(samples(file_format)):
        for percent in range(100):
            name = f"{file_format} {variant} after {percent} %"
            yield name, content[: len(content) * percent // 100]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--files", type=int, default=2000, help="of each format")
    arguments.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    arguments.add_argument("--keep", type=Path, help="where to keep what went wrong")
    given = arguments.parse_args()
    is_clean = True
    for file_format in given.formats:
        begin = time.monotonic()
        report = fuzz(file_format, given.files)
        print(f"{file_format:5}{time.monotonic() - begin:5.0f} s  {report}", flush=True)
        is_clean &= report.is_clean
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            for told in (*report.crashes, *report.hangs, *report.escaped):
                number = told.split(":")[0].split()[1]
                (given.keep / f"{file_format}-{number}").write_bytes(
                    spoiled(file_format, int(number))
                )
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
