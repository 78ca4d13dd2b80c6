"""How long a program takes until it can do its work, against what it cannot do without."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.local_store import Store, running_store
from benchmarks.measure import PROGRAM, Section, Target, child, timed
from benchmarks.photographs import folder

FLOOR = "import boto3; from aws_lambda_powertools import Logger; Logger(service='floor')"
IMPORTS = {
    "boto3 and Logger": FLOOR,
    "dispatch": "import functions.dispatch.app",
    "bury": "import functions.bury.app",
    "web": "import web.app",
    "click": "import click",
    "torch": "import torch",
}
REPEATS = 9
ENVIRONMENT = {"AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_METRICS_NAMESPACE": "deepcolor"}


def measure(quick: bool) -> Section:
    repeats = 1 if quick else REPEATS
    spent: dict[str, list[float]] = {}
    for _ in range(repeats + 1):
        for name, code in IMPORTS.items():
            run = partial(child, ["-c", code], environment=ENVIRONMENT)
            spent.setdefault(name, []).append(timed(run))
        spent.setdefault("deepcolor --help", []).append(timed(partial(child, [PROGRAM, "--help"])))
    medians = {name: statistics.median(times[1:]) for name, times in spent.items()}
    with running_store() as store, tempfile.TemporaryDirectory() as place:
        photographs = folder(Path(place) / "gray", repeats)
        medians["worker's first result"] = statistics.median(
            _first_result(store, path) for path in photographs
        )
    floor = medians["boto3 and Logger"]
    targets = [
        Target("import dispatch / boto3 and Logger", medians["dispatch"] / floor, 1.4),
        Target("import web / boto3 and Logger", medians["web"] / floor, 1.4),
        Target(
            "worker's first result / import torch",
            medians["worker's first result"] / medians["torch"],
            1.5,
        ),
        Target(
            "deepcolor --help / import click", medians["deepcolor --help"] / medians["click"], 1.5
        ),
    ]
    return Section({"seconds": medians}, targets)


def _first_result(store: Store, photograph: Path) -> float:
    """From the start of a worker to the result of an upload that awaited it."""
    key = f"cold/{photograph.name}"
    store.upload(key, photograph.read_bytes())
    store.order(key)
    start = time.perf_counter()
    worker = subprocess.Popen(
        [sys.executable, "-m", "functions.colorize"],
        env=os.environ | store.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not store.has_result(key):
            assert worker.poll() is None, "the worker ended"
            time.sleep(0.01)
        return time.perf_counter() - start
    finally:
        worker.terminate()
        worker.wait()
