"""The whole local stack, from an upload to its result, against the library alone."""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import networks
from benchmarks.measure import Section, Target, timed
from benchmarks.photographs import folder
from infra.local.cloud import RESULTS_BUCKET, UPLOADS_BUCKET
from infra.local.folder import HIDDEN
from tests.end_to_end.running_stack import RunningStack, start_stack

LOOK_SECONDS = 0.01
PAUSE_SECONDS = 0.05
REQUEST = re.compile(r"^(GET|PUT|POST|HEAD|DELETE) ", re.MULTILINE)
DONE = '"message":"done"'
TICKS = os.sysconf("SC_CLK_TCK")
MOST_SECONDS = 300

STORE = "moto's store"
PIECES = {
    "infra.local.object_store": STORE,
    "functions.colorize": "worker",
    "functions.colorize.painter_process": "painters",
    "infra.local.event_source": "dispatcher",
    "infra.local": "mirror",
}


def measure(quick: bool) -> Section:
    alone, many, rounds = (2, 6, 1) if quick else (15, 300, 3)
    with tempfile.TemporaryDirectory() as place:
        photographs = folder(Path(place) / "gray", alone + many)
        singles, flood = photographs[:alone], photographs[alone:]
        stack = start_stack(Path(place) / "bucket")
        try:
            found = [_one(stack, path) for path in singles]
            _all(stack, flood[: many // 6], "warm")  # has every painter start
            both = [_round(stack, flood, f"many-{i}") for i in range(rounds)]
        finally:
            stack.stop()
    cores = os.cpu_count() or 1
    overhead = statistics.median(seen - own for seen, own in found) * 1000

    def median(of: Callable[[Round], float]) -> float:
        return statistics.median(map(of, both))

    figures = {
        "milliseconds_from_put_to_result": statistics.median(seen for seen, _ in found) * 1000,
        "milliseconds_of_the_library": statistics.median(own for _, own in found) * 1000,
        "photographs": many,
        "per_second": median(lambda one: many / one.stack),
        "library_per_second": median(lambda one: many / one.library),
        "requests_per_photograph": median(lambda one: one.requests / many),
        "processor_milliseconds_per_photograph": {
            piece: median(lambda one, piece=piece: one.processor[piece] / many * 1000)  # type: ignore[misc]
            for piece in PIECES.values()
        }
        | {"all of the time": median(lambda one: cores * one.stack / many * 1000)},
        "store_processor_milliseconds_per_request": median(
            lambda one: one.processor[STORE] / one.requests * 1000
        ),
    }
    targets = [
        Target("put to result, beyond the library", overhead, 300, unit="ms"),
        Target(
            "stack / library",
            median(lambda one: one.library / one.stack),
            0.7,
            at_least=True,
        ),
        Target(
            "stack / library, the store's own time aside",
            median(lambda one: one.library / (one.stack - one.processor[STORE] / cores)),
            0.7,
            at_least=True,
        ),
    ]
    return Section(figures, targets)


@dataclass(frozen=True)
class Round:
    """Seconds of the stack and of the library, and what the stack did meanwhile.

    ``processor`` are the processor's seconds by piece.
    """

    stack: float
    library: float
    requests: int
    processor: dict[str, float]


def _round(stack: RunningStack, flood: list[Path], under: str) -> Round:
    requests, spent = _requests(stack), _processor(stack)
    seconds = _all(stack, flood, under)
    requests = _requests(stack) - requests
    spent = {piece: after - spent[piece] for piece, after in _processor(stack).items()}
    library = timed(lambda: list(networks.colornet().map(flood)))
    return Round(seconds, library, requests, spent)


def _one(stack: RunningStack, photograph: Path) -> tuple[float, float]:
    """Seconds until the result was seen, and those that the library took of them."""
    key, s3 = f"alone/{photograph.name}", stack.s3
    start = time.perf_counter()
    s3.put_object(Bucket=UPLOADS_BUCKET, Key=key, Body=photograph.read_bytes())
    while s3.list_objects_v2(Bucket=RESULTS_BUCKET, Prefix=key)["KeyCount"] == 0:
        time.sleep(LOOK_SECONDS)
    seen = time.perf_counter() - start
    stages = stack.finished(key)["milliseconds"]
    return seen, sum(stages[name] for name in ("decode", "network", "join", "encode")) / 1000


def _all(stack: RunningStack, photographs: list[Path], under: str) -> float:
    """Seconds from the first upload to the last result."""
    s3 = stack.s3
    # The log tells without a request: moto takes as long for a list as for coloring a photograph.
    with (stack.folder / HIDDEN / "worker.log").open() as log, ThreadPoolExecutor(4) as pool:
        log.seek(0, os.SEEK_END)
        start = time.perf_counter()
        for path in photographs:
            key, content = f"{under}/{path.name}", path.read_bytes()
            pool.submit(s3.put_object, Bucket=UPLOADS_BUCKET, Key=key, Body=content)
        told = ""
        while told.count(DONE) < len(photographs):
            assert time.perf_counter() - start < MOST_SECONDS, "the stack did not finish"
            time.sleep(PAUSE_SECONDS)
            told += log.read()
        seconds = time.perf_counter() - start
    results = s3.list_objects_v2(Bucket=RESULTS_BUCKET, Prefix=f"{under}/")["KeyCount"]
    assert results == len(photographs), f"{results} results of {len(photographs)} photographs"
    return seconds


def _requests(stack: RunningStack) -> int:
    """That the store has had so far."""
    log = stack.folder / HIDDEN / "object-store.log"
    return len(REQUEST.findall(log.read_text(errors="replace")))


def _processor(stack: RunningStack) -> dict[str, float]:
    """The processor's seconds so far, by piece."""
    spent = dict.fromkeys(PIECES.values(), 0.0)
    for module, seconds in _processes(stack.process.pid):
        if module in PIECES:
            spent[PIECES[module]] += seconds
    return spent


def _processes(top: int) -> list[tuple[str, float]]:
    """The module and the processor's seconds of a process and of all below it."""
    statuses = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):  # it ended meanwhile
            if entry.name.isdigit():
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                words = (entry / "cmdline").read_text().split("\0")
                statuses[int(entry.name)] = status, words
    family = {top}
    while more := {pid for pid, (s, _) in statuses.items() if int(s[1]) in family} - family:
        family |= more
    return [
        (
            words[words.index("-m") + 1] if "-m" in words else "",
            (int(status[11]) + int(status[12])) / TICKS,
        )
        for pid, (status, words) in statuses.items()
        if pid in family
    ]
