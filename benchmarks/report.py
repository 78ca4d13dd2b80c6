"""The figures of docs/performance.md: tables between its marks, and the pictures beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT
from benchmarks.plots import Curve, draw

RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "performance.md"
PICTURES = ROOT / "docs" / "pictures"
MARK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
STAGES = {
    "all": "#c0603a",
    "decode": "#3a7cc0",
    "network": "#8a5cc0",
    "join": "#2f9a6a",
    "encode": "#b08a20",
}


def write() -> None:
    """From the newest results; those of a GPU stand in a table of their own."""
    results = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    newest = next(result for result in reversed(results) if "one_photograph" in result["sections"])
    sections = newest["sections"]
    texts = {"machine": _machine(newest), "targets": targets(newest)}
    texts |= {name: _table(section["figures"]) for name, section in sections.items()}
    with_gpu = [result for result in results if result["machine"]["gpu"]]
    if with_gpu and "gpu" in with_gpu[-1]["sections"]:
        found = with_gpu[-1]
        texts["gpu"] = f"{_machine(found)}\n{_table(found['sections']['gpu']['figures'])}"
    page = PAGE.read_text()
    PAGE.write_text(MARK.sub(lambda m: f"{m[1]}\n{texts.get(m[2], 'Not measured.')}\n{m[3]}", page))
    if "scaling" in sections:
        _pictures(sections["scaling"]["figures"])


def targets(result: Mapping[str, Any]) -> str:
    """What was asked for, and whether it is so."""
    rows = ["| | measured | target | |", "|---|---|---|---|"]
    for section in result["sections"].values():
        for target in section["targets"]:
            sign = "≥" if target["at_least"] else "≤"
            verdict = "met" if target["is_met"] else "**missed**"
            value, limit, unit = target["value"], target["limit"], target["unit"]
            rows.append(
                f"| {target['what']} | {value:.3g} {unit} | {sign} {limit:g} {unit} | {verdict} |"
            )
    return "\n".join(rows) + "\n"


def _machine(result: Mapping[str, Any]) -> str:
    facts = result["machine"]
    chip = f" and one {facts['gpu']}" if facts["gpu"] else ""
    return (
        f"{result['date']}: {facts['processor']}, {facts['cores']} cores"
        f" ({facts['vector_instructions']}){chip}; {facts['system']}, Python {facts['python']},"
        f" torch {facts['torch']} in {facts['torch_threads']} threads, Pillow {facts['pillow']};"
        f" load {facts['load_before']:g} before and {facts['load_after']:g} after.\n"
    )


def _table(figures: Mapping[str, Any]) -> str:
    rows = ["| | |", "|---|---|"]
    rows += [f"| {name} | {value} |" for name, value in _flat(figures)]
    return "\n".join(rows) + "\n"


def _flat(figures: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{_words(name)}: ")
        elif value is None:
            yield f"{before}{_words(name)}", "out of memory"
        elif isinstance(value, float):
            yield (
                f"{before}{_words(name)}",
                f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}",
            )
        elif not isinstance(value, list):
            yield f"{before}{_words(name)}", str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _pictures(figures: Mapping[str, Any]) -> None:
    rows = figures["by_megapixels"]

    def curve(name: str, label: str, color: str, is_limit: bool = False) -> Curve:
        points = [(row["megapixels"], row[name]) for row in rows]
        return Curve(label, points, color, is_limit)

    curves = [curve(name, name, color) for name, color in STAGES.items()]
    curves += [
        curve("codec", "limit: Pillow's codec", "#808890", True),
        curve("memory", "limit: memory", "#505860", True),
    ]
    by_batch = {
        int(batch): value for batch, value in figures["network_milliseconds_by_batch"].items()
    }
    floor = figures["network_milliseconds_at_the_cores_best"]
    batches = [
        Curve("network", list(by_batch.items()), STAGES["network"]),
        Curve("limit: multiplications", [(n, floor) for n in by_batch], "#808890", True),
    ]
    pixels = draw("Cost by megapixels", "megapixels", "milliseconds", curves)
    batch = draw("Cost by batch", "photographs in a batch", "milliseconds a photograph", batches)
    (PICTURES / "performance-pixels.svg").write_text(pixels)
    (PICTURES / "performance-batch.svg").write_text(batch)
