"""`deepcolor evaluate`: how well strategies color a folder of color photographs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from deepcolor.cli import options
from deepcolor.cli.progress import Progress

BASELINES = 3


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-s", "--strategy", "names", multiple=True, metavar="NAME", help="[default: all that are ready]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
@options.offline
def evaluate(folder: Path, names: tuple[str, ...], as_json: bool) -> None:
    """Measure strategies on a folder of color photographs, beside the baselines.

    Each photograph is made gray at 256x256 and colored again. AuC, PSNR and colorfulness / truth
    are better when higher, the last up to 1; CIEDE2000 is better when lower.
    """
    from deepcolor.colorizer import load
    from deepcolor.evaluate import evaluate as score
    from deepcolor.evaluate import table
    from deepcolor.files import photographs_below
    from deepcolor.registry import manifest

    ready = [entry["name"] for entry in manifest()["strategies"] if entry["ready"]]
    colorizers = [load(name) for name in names or ready]
    progress = Progress(len(colorizers) + BASELINES, "rows")
    scores = []
    for scored in score(list(photographs_below(folder)), colorizers):
        scores.append(scored)
        progress.show(len(scores))
    progress.clear()
    if as_json:
        click.echo(json.dumps({name: asdict(one) for name, one in scores}, indent=1))
    else:
        click.echo(table(scores))
