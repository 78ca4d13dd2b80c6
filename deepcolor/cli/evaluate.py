"""`deepcolor evaluate`: how well strategies color a folder of color photographs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepcolor.cli import fetching, options
from deepcolor.cli.progress import Progress
from deepcolor.cli.stdout import kept_clean

if TYPE_CHECKING:
    from deepcolor import Colorizer

REPLACED = {".html", ".htm"}  # reports from before; anything else is somebody's


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-s",
    "--strategy",
    "names",
    multiple=True,
    metavar="NAME",
    help="[default: all that are ready and free for commercial use]",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A page of HTML to write, with pictures and plots.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@options.device
@options.offline
def evaluate(
    folder: Path, names: tuple[str, ...], report: Path | None, as_json: bool, device: str
) -> None:
    """Measure strategies on color photographs, beside three baselines.

    Each photograph is made gray at 256x256 and colored again. PSNR, SSIM and both AuC are better
    when higher, CIEDE2000 when lower, colorfulness when it is the truth's. The baselines are no
    color at all, the best single color, and the true colors through 64x64.
    """
    from deepcolor.program import import_pytorch, keep_freed_memory

    import_pytorch()
    from deepcolor.disk import check_writable
    from deepcolor.errors import NotWritableError, ReportPlaceError
    from deepcolor.evaluation import evaluate as measure
    from deepcolor.evaluation import table

    if report is not None:
        check_writable(report)
        if report.is_file() and report.suffix.lower() not in REPLACED:
            raise ReportPlaceError(report)
    keep_freed_memory()
    bars: dict[str, Progress] = {}

    def watch(doing: str, done: int, total: int) -> None:
        bars.setdefault(doing, Progress(total, f"photographs {doing}")).show(done)

    with kept_clean():
        colorizers = list(_named(names, device) if names else _able(device))
        result = measure(folder, colorizers, watch)
    for bar in bars.values():
        bar.clear()
    for path, error in result.failures:
        where = "" if str(path) in str(error) else f"{path}: "
        click.echo(f"deepcolor: {where}{error}", err=True)
    unwritten = None
    if result.cases and report is not None:  # before the table, whose reader may be gone
        from deepcolor.evaluation.report import write_report

        try:
            write_report(result, report)
        except NotWritableError as error:
            unwritten = error
    if as_json:
        click.echo(json.dumps(table.as_json(result), indent=1))
    elif result.cases:
        click.echo(table.text(result))
    if unwritten:
        raise unwritten
    sys.exit(bool(result.failures))


def _named(names: Iterable[str], device: str) -> Iterator[Colorizer]:
    from deepcolor.colorizer import load

    with fetching.shown() as progress:
        for name in dict.fromkeys(names):
            yield load(name, device=device, progress=progress)


def _able(device: str) -> Iterator[Colorizer]:
    """Those that are ready and free; one that turns out to be broken is told and left out."""
    import numpy as np

    from deepcolor.colorizer import load
    from deepcolor.errors import StrategyBrokenError
    from deepcolor.registry import manifest

    for entry in manifest()["strategies"]:
        if not entry["ready"] or entry["license"]["restricted"]:
            continue
        try:
            colorizer = load(entry["name"], device=device)
            colorizer(np.full((64, 64), 128, np.uint8))
        except StrategyBrokenError as error:
            click.echo(f"deepcolor: {error}", err=True)
        else:
            yield colorizer
