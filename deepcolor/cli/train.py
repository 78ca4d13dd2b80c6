"""`deepcolor train`: a network of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from deepcolor.cli.progress import Progress


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--photographs",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="In place of the configuration's: a folder, a tar, or a packed folder.",
)
@click.option(
    "--run",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="In place of the configuration's: where checkpoints, log and weights go.",
)
def train(config: Path, photographs: Path | None, folder: Path | None) -> None:
    """Train colornet on color photographs, or go on where a run ended.

    CONFIG is a TOML file; docs/training.md explains it. Photographs are decoded once, into a
    folder beside them. Ctrl-C writes a checkpoint; the same command goes on from there. Under
    torchrun, several GPUs share the work.
    """
    from deepcolor.program import import_pytorch, keep_freed_memory

    import_pytorch()
    from deepcolor.training.config import Config
    from deepcolor.training.run import BEST, Run
    from deepcolor.training.world import joined

    keep_freed_memory()
    told = Config.read(config)
    told = replace(told, photographs=photographs or told.photographs, run=folder or told.run)
    bars: dict[str, Progress] = {}

    def watch(unit: str, done: float, total: float) -> None:
        bars.setdefault(unit, Progress(total, unit)).show(done)

    def say(line: str) -> None:
        for bar in bars.values():
            bar.clear()
        click.echo(line, err=True)

    with joined() as world:
        run = Run(told, world, say=say, watch=watch)
        run.train()
        for bar in bars.values():
            bar.clear()
        if world.leads:
            click.echo(str(told.run / BEST))
