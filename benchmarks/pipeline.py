"""The whole local stack, from an upload to its result, against the library alone."""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import networks
from benchmarks.measure import Section, Target, timed
from benchmarks.photographs import folder
from tests.end_to_end.running_stack import RunningStack, start_stack

UPLOADS, RESULTS = "deepcolor-uploads", "deepcolor-results"
LOOK_SECONDS = 0.01
REQUEST = re.compile(r"^(GET|PUT|POST|HEAD|DELETE) ", re.MULTILINE)
DONE = '"message":"done"'
TICKS = os.sysconf("SC_CLK_TCK")
MOST_SECONDS = 300


def measure(quick: bool) -> Section:
    alone, many = (2, 6) if quick else (15, 300)
    with tempfile.TemporaryDirectory() as place:
        photographs = folder(Path(place) / "gray", alone + many)
        singles, flood = photographs[:alone], photographs[alone:]
        stack = start_stack(Path(place) / "bucket")
        try:
            found = [_one(stack, path) for path in singles]
            before = _used(stack)
            seconds = _all(stack, flood)
            requests, store_seconds, worker_seconds = (
                after - earlier for after, earlier in zip(_used(stack), before, strict=True)
            )
        finally:
            stack.stop()
        library_seconds = timed(lambda: list(networks.colornet().map(flood)))
    cores = os.cpu_count() or 1
    overhead = statistics.median(seen - own for seen, own in found) * 1000
    figures = {
        "milliseconds_from_put_to_result": statistics.median(seen for seen, _ in found) * 1000,
        "milliseconds_of_the_library": statistics.median(own for _, own in found) * 1000,
        "photographs": many,
        "per_second": many / seconds,
        "library_per_second": many / library_seconds,
        "requests_per_photograph": requests / many,
        "store_processor_milliseconds_per_request": store_seconds / requests * 1000,
        "store_processor_milliseconds_per_photograph": store_seconds / many * 1000,
        "worker_processor_milliseconds_per_photograph": worker_seconds / many * 1000,
        "processor_milliseconds_per_photograph_in_all": cores * seconds / many * 1000,
    }
    targets = [
        Target("put to result, beyond the library", overhead, 300, unit="ms"),
        Target("stack / library", library_seconds / seconds, 0.7, at_least=True),
        Target(
            "stack / library, the store's own time aside",
            library_seconds / (seconds - store_seconds / cores),
            0.7,
            at_least=True,
        ),
    ]
    return Section(figures, targets)


def _one(stack: RunningStack, photograph: Path) -> tuple[float, float]:
    """Seconds until the result was seen, and those that the library took of them."""
    key, s3 = f"alone/{photograph.name}", stack.s3
    start = time.perf_counter()
    s3.put_object(Bucket=UPLOADS, Key=key, Body=photograph.read_bytes())
    while s3.list_objects_v2(Bucket=RESULTS, Prefix=key)["KeyCount"] == 0:
        time.sleep(LOOK_SECONDS)
    seen = time.perf_counter() - start
    stages = stack.finished(key)["milliseconds"]
    return seen, sum(stages[name] for name in ("decode", "network", "join", "encode")) / 1000


def _all(stack: RunningStack, photographs: list[Path]) -> float:
    """Seconds from the first upload to the last result."""
    s3 = stack.s3
    log = stack.folder / ".stack" / "worker.log"
    finished = log.read_text().count(DONE) + len(photographs)
    start = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        for path in photographs:
            pool.submit(
                s3.put_object, Bucket=UPLOADS, Key=f"many/{path.name}", Body=path.read_bytes()
            )
    # The log tells without a request: moto takes as long for a list as for coloring a photograph.
    while log.read_text().count(DONE) < finished:
        assert time.perf_counter() - start < MOST_SECONDS, "the stack did not finish"
        time.sleep(0.25)
    seconds = time.perf_counter() - start
    results = s3.list_objects_v2(Bucket=RESULTS, Prefix="many/")["KeyCount"]
    assert results == len(photographs), f"{results} results of {len(photographs)} photographs"
    return seconds


def _used(stack: RunningStack) -> tuple[int, float, float]:
    """Requests to the store so far, and processor seconds of the store and of the worker."""
    log = (stack.folder / ".stack" / "object-store.log").read_text(errors="replace")
    spent: dict[str, float] = defaultdict(float)
    for name, seconds in _processes(stack.process.pid):
        spent[name] += seconds
    return len(REQUEST.findall(log)), spent["infra.local.object_store"], spent["functions.colorize"]


def _processes(parent: int) -> list[tuple[str, float]]:
    """The module and the processor seconds of each process below ``parent``."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            words = (entry / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if int(stat[1]) == parent:
            module = words[words.index("-m") + 1] if "-m" in words else ""
            found.append((module, (int(stat[11]) + int(stat[12])) / TICKS))
            found += [(module, seconds) for _, seconds in _processes(int(entry.name))]
    return found
