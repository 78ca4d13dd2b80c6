"""``python -m benchmarks``: measures, judges, keeps what was found, and writes docs/performance.md.

``python -m benchmarks report`` writes the page anew from the newest results.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import platform
import sys
import time
from typing import Any

from deepcolor.program import import_pytorch, keep_freed_memory

import_pytorch()  # as the command line and the worker do, before all that needs it

from benchmarks import machine, report  # noqa: E402
from benchmarks.measure import ROOT, Section  # noqa: E402

SECTIONS = (
    *("one_photograph", "folder", "memory", "pipeline"),
    *("cold_starts", "page", "scaling", "gpu"),
)

parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
parser.add_argument("action", nargs="?", choices=("run", "report"), default="run")
parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, metavar="SECTION")
parser.add_argument(
    "--quick", action="store_true", help="see that it works; the figures mean nothing, none is kept"
)


def main() -> int:
    arguments = parser.parse_args()
    if arguments.action == "report":
        report.write()
        return 0
    keep_freed_memory()  # as they do, too
    before = machine.load()
    if before > machine.QUIET_LOAD:
        _warn(f"The machine is busy (load {before:g}): the figures mean little.")
    found: dict[str, Any] = {}
    for name in arguments.only:
        start = time.perf_counter()
        section: Section = importlib.import_module(f"benchmarks.{name}").measure(arguments.quick)
        found[name] = section.to_json()
        print(f"{name}, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        print(json.dumps(section.figures, indent=1), file=sys.stderr, flush=True)
    now = datetime.datetime.now(datetime.UTC)
    result = {
        "date": f"{now:%Y-%m-%d}",
        "machine": machine.describe() | {"load_before": before, "load_after": machine.load()},
        "sections": found,
    }
    print(report.targets(result))
    if not arguments.quick:
        path = report.RESULTS / f"{now:%Y-%m-%d}-{_machine_name()}.json"
        kept = json.loads(path.read_text()) if path.exists() else {"sections": {}}
        result["sections"] = kept["sections"] | found
        path.write_text(json.dumps(_rounded(result), indent=1) + "\n")
        print(f"Kept in {path.relative_to(ROOT)}.", file=sys.stderr)
        report.write()
    return 0


def _machine_name() -> str:
    facts = machine.describe()
    chip = facts["gpu"] or facts["processor"]
    words = f"{chip} {facts['cores']} cores {platform.machine()}".lower()
    return "-".join("".join(c if c.isalnum() else " " for c in words).split())


def _rounded(value: Any) -> Any:
    """Four digits are as many as a measurement has."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


def _warn(text: str) -> None:
    print(f"benchmarks: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
