"""Options that several commands share."""

from __future__ import annotations

import os

import click


def _go_offline(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        os.environ["DEEPCOLOR_OFFLINE"] = "1"


offline = click.option(
    "--offline",
    is_flag=True,
    expose_value=False,
    callback=_go_offline,
    help="Never fetch weights; DEEPCOLOR_OFFLINE=1 does the same.",
)
