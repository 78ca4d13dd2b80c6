"""A taste of ``make fuzz``: spoiled and broken-off files of every format."""

from __future__ import annotations

import sys

import pytest

from tests.hostile import jail
from tests.hostile.fuzz import MAX_PIXELS, MEMORY_MEBIBYTES, cut_off, fuzz, spoiled
from tests.hostile.samples import FORMATS, samples

FILES = 100

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")


@pytest.mark.parametrize("file_format", FORMATS)
def test_spoiled_files_end_in_a_result_or_a_sentence(file_format: str) -> None:
    report = fuzz(file_format, FILES)
    print(report)
    assert report.files == FILES
    assert report.is_clean, report
    # Else the spoiling would be too coarse to meet more than the first check.
    assert report.outcomes["result"] >= 5, report
    assert report.outcomes["damaged_photograph"] >= 3, report


@pytest.mark.parametrize("file_format", FORMATS)
def test_files_that_break_off_end_in_a_result_or_a_sentence(file_format: str) -> None:
    report = jail.decode_all(
        cut_off(file_format), max_pixels=MAX_PIXELS, memory_mebibytes=MEMORY_MEBIBYTES
    )
    print(report)
    assert report.files == 100 * len(samples(file_format))
    assert report.is_clean, report


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_honest_files_are_colored(file_format: str) -> None:
    files = [(str(i), content) for i, content in enumerate(samples(file_format))]
    report = jail.decode_all(files, max_pixels=MAX_PIXELS, memory_mebibytes=MEMORY_MEBIBYTES)
    assert report.outcomes == {"result": len(files)}, report


def test_spoiling_is_the_same_each_time() -> None:
    assert spoiled("TIFF", 3) == spoiled("TIFF", 3) != spoiled("TIFF", 4)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("os.abort()", "crashes"),
        ("os._exit(3)", "crashes"),
        ("time.sleep(60)", "hangs"),
        ("raise KeyError", "escaped"),
        ("bytearray(1 << 31)", "escaped"),
    ],
)
def test_what_must_not_happen_would_be_seen(
    code: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that misbehaves once, between two files that are fine."""
    monkeypatch.setattr(jail, "HANG_SECONDS", 5)
    monkeypatch.setattr(jail, "COMMAND", ["-c", BROKEN.format(code=code)])
    honest = samples("BMP")[0]
    files = [("first", honest), ("bad", b"bad"), ("last", honest)]
    report = jail.decode_all(files, max_pixels=MAX_PIXELS, memory_mebibytes=MEMORY_MEBIBYTES)
    assert report.outcomes == {"result": 2}
    assert not report.is_clean
    [told] = getattr(report, kind)
    assert told.startswith("bad")


BROKEN = """
import os, sys, time
from tests.hostile import jail
honest = jail.outcome_of
def outcome_of(content, max_pixels):
    if content == b"bad":
        {code}
    return honest(content, max_pixels)
jail.outcome_of = outcome_of
jail.main(int(sys.argv[1]), int(sys.argv[2]))
"""
