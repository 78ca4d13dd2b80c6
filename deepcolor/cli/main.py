"""The `deepcolor` command: its commands, its errors and its shorthand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deepcolor import __version__
from deepcolor.cli.colorize import colorize
from deepcolor.cli.doctor import doctor
from deepcolor.cli.evaluate import evaluate
from deepcolor.cli.strategies import strategies
from deepcolor.cli.train import train
from deepcolor.cli.weights import weights
from deepcolor.errors import DeepcolorError

INTERRUPTED = 130


class Deepcolor(click.Group):
    """Prints an error as its one sentence, and takes a photograph in place of a command."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DeepcolorError as error:
            click.echo(f"deepcolor: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("deepcolor: interrupted; what was finished is whole.", err=True)
            ctx.exit(INTERRUPTED)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """``deepcolor photo.jpg`` is short for ``deepcolor colorize photo.jpg``."""
        first = next((arg for arg in args if not arg.startswith("-") or arg == "-"), None)
        if first is not None and first not in self.commands and _names_photographs(first):
            args = ["colorize", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands:
            import difflib

            near = difflib.get_close_matches(args[0], self.commands, n=1)
            cure = f"did you mean '{near[0]}'?" if near else "see deepcolor --help."
            ctx.fail(f"There is no command or photograph '{args[0]}'; {cure}")
        return super().resolve_command(ctx, args)


def _names_photographs(argument: str) -> bool:
    is_pattern = any(sign in argument for sign in "*?[")
    return argument == "-" or is_pattern or bool(Path(argument).suffix) or Path(argument).exists()


@click.group(cls=Deepcolor, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="deepcolor")
def main() -> None:
    """Color black-and-white photographs.

    `deepcolor photo.jpg` is short for `deepcolor colorize photo.jpg`.
    """


for command in (colorize, strategies, weights, evaluate, train, doctor):
    main.add_command(command)
