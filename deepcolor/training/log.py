"""The run's log: a line of CSV a validation."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from deepcolor.disk import write_whole

Row = Mapping[str, float]


def read(path: Path) -> list[dict[str, float]]:
    """The rows of a log, without those that break off."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = [_numbers(row) for row in csv.DictReader(file)]
    return [row for row in rows if row is not None]


def _numbers(row: Mapping[str, str]) -> dict[str, float] | None:
    try:
        return {name: float(value) for name, value in row.items()}
    except (TypeError, ValueError):  # of a value that is missing, or half there
        return None


def write(path: Path, rows: list[Row]) -> None:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
    write_whole(path, file.getvalue().encode())


def append(path: Path, row: Row) -> None:
    """Adds a row in place of those of the same step or later, which a killed run may have left."""
    write(path, [*(one for one in read(path) if one["step"] < row["step"]), row])
