"""The command line. Imports nothing heavy: torch waits until a photograph is to be colored."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from deepcolor import __version__
from deepcolor.errors import DeepcolorError
from deepcolor.files import color_files, plan


class ErrorsAsSentences(click.Group):
    """Prints a deepcolor error as its one sentence and leaves with its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DeepcolorError as error:
            click.echo(f"deepcolor: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(cls=ErrorsAsSentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="deepcolor")
def main() -> None:
    """Color black-and-white photographs."""


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A file for one photograph, or a folder.  [default: beside the original]",
)
@click.option("-s", "--strategy", default="colornet", show_default=True, help="Who colors.")
@click.option("--overwrite", is_flag=True, help="Replace results that are already there.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON a photograph.")
def colorize(
    paths: tuple[Path, ...], output: Path | None, strategy: str, overwrite: bool, as_json: bool
) -> None:
    """Color photographs, and every photograph in folders.

    Without -o, photo.jpg becomes photo.colornet.jpg beside it. Exit codes: 0 all good, 1 some
    failed (the others are done), 2 wrong usage, 3 weights missing.
    """
    tasks = plan(paths, output, strategy)
    failed = 0
    width = len(str(len(tasks)))
    for number, outcome in enumerate(color_files(tasks, strategy, overwrite=overwrite), start=1):
        failed += outcome.error is not None
        if as_json:
            click.echo(json.dumps(outcome.to_json()))
        elif outcome.error is not None:
            _clear_progress()
            click.echo(f"deepcolor: {outcome.error['message']}", err=True)
        else:
            _clear_progress()
            click.echo(str(outcome.task.target))
        _show_progress(f"{number:{width}}/{len(tasks)} photographs")
    _clear_progress()
    if failed:
        sys.exit(1)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def strategies(as_json: bool) -> None:
    """List the strategies and whether they are ready to run here."""
    from deepcolor.registry import manifest

    listing = manifest()
    if as_json:
        click.echo(json.dumps(listing, indent=1))
        return
    for entry in listing["strategies"]:
        mark = "  (default)" if entry["name"] == listing["default"] else ""
        click.echo(f"{click.style(entry['name'], bold=True)}{mark}")
        click.echo(f"    {entry['title']}. {entry['description']}")
        click.echo(f"    {entry['url']}")
        licenses = entry["license"]
        click.echo(f"    code {licenses['code']}, weights {licenses['weights']}")
        click.echo(f"    {'ready' if entry['ready'] else entry['problem']}")


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-s", "--strategy", "names", multiple=True, help="[default: all that are ready]")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def evaluate(folder: Path, names: tuple[str, ...], as_json: bool) -> None:
    """Measure strategies on a folder of color photographs, beside the baselines.

    Each photograph is made gray at 256x256 and colored again. AuC, PSNR and colorfulness / truth
    are better when higher, the last up to 1; CIEDE2000 is better when lower.
    """
    from deepcolor.colorizer import load
    from deepcolor.evaluate import evaluate as score
    from deepcolor.evaluate import table
    from deepcolor.registry import manifest

    ready = [entry["name"] for entry in manifest()["strategies"] if entry["ready"]]
    paths = [task.source for task in plan([folder], None, "")]
    scores = []
    for scored in score(paths, [load(name) for name in names or ready]):
        scores.append(scored)
        _show_progress(f"{len(scores)}: {scored[0]}")
    _clear_progress()
    if as_json:
        click.echo(json.dumps({name: asdict(one) for name, one in scores}, indent=1))
    else:
        click.echo(table(scores))


@main.group()
def weights() -> None:
    """See to the weights of the strategies."""


@weights.command()
@click.argument("strategy")
def fetch(strategy: str) -> None:
    """Fetch a strategy's weights now rather than on first use."""
    from deepcolor import weights as room
    from deepcolor.card import WeightFile
    from deepcolor.registry import find

    def progress(file: WeightFile, received: int) -> None:
        _show_progress(f"{file.filename}: {received / 1e6:.0f} of {file.bytes / 1e6:.0f} MB")

    paths = room.locate(find(strategy).card, progress)
    _clear_progress()
    for path in paths.values():
        click.echo(str(path))


def _show_progress(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{text}", nl=False, err=True)


def _clear_progress() -> None:
    _show_progress("")
