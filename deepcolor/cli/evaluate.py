"""`deepcolor evaluate`: how well strategies color a folder of color photographs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from deepcolor.cli import fetching, options
from deepcolor.cli.progress import Progress

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
    """Measure strategies on a folder of color photographs, beside three baselines.

    Each photograph is made gray at 256x256 and colored again. PSNR, SSIM and both AuC are better
    when higher, CIEDE2000 when lower, colorfulness when it is the truth's. The baselines are no
    color at all, the best single color, and the true colors through 64x64.
    """
    from deepcolor.program import import_pytorch, keep_freed_memory

    import_pytorch()
    from deepcolor.colorizer import load
    from deepcolor.errors import ReportPlaceError
    from deepcolor.evaluation import evaluate as measure
    from deepcolor.evaluation import table
    from deepcolor.files.disk import check_writable
    from deepcolor.registry import manifest

    if report is not None:
        check_writable(report)
        if report.is_file() and report.suffix.lower() not in REPLACED:
            raise ReportPlaceError(report)
    keep_freed_memory()
    ready = [
        entry["name"]
        for entry in manifest()["strategies"]
        if entry["ready"] and not entry["license"]["restricted"]
    ]
    with fetching.shown() as listener:
        colorizers = [
            load(name, device=device, progress=listener) for name in dict.fromkeys(names or ready)
        ]
    bars: dict[str, Progress] = {}

    def watch(doing: str, done: int, total: int) -> None:
        bars.setdefault(doing, Progress(total, f"photographs {doing}")).show(done)

    result = measure(folder, colorizers, watch)
    for bar in bars.values():
        bar.clear()
    for _, error in result.failures:
        click.echo(f"deepcolor: {error}", err=True)
    if result.cases:
        if report is not None:  # before the table, whose reader may be gone
            from deepcolor.evaluation.report import write_report

            write_report(result, report)
        click.echo(json.dumps(table.as_json(result), indent=1) if as_json else table.text(result))
    sys.exit(bool(result.failures))
