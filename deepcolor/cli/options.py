"""Options that several commands share."""

from __future__ import annotations

import os

import click


def _go_offline(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        os.environ["DEEPCOLOR_OFFLINE"] = "1"


device = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Where the network runs: auto, cpu, cuda, cuda:1 and the like, or mps.",
)

offline = click.option(
    "--offline",
    is_flag=True,
    expose_value=False,
    callback=_go_offline,
    help="Never fetch weights; DEEPCOLOR_OFFLINE=1 does the same.",
)
