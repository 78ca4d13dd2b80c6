"""The `deepcolor` command: its commands, its errors and its shorthand."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
import warnings
from typing import Any

import click

from deepcolor import __version__
from deepcolor.errors import DeepcolorError

INTERRUPTED = 130
HELP_OPTIONS = ("-h", "--help")
OWN_OPTIONS = (*HELP_OPTIONS, "--version")
COMMANDS = {
    "colorize": "Color photographs: files, whole folders, patterns, or - for stdin.",
    "strategies": "List the strategies and whether they are ready to run here.",
    "weights": "List, fetch and verify the weights of strategies.",
    "evaluate": "Measure strategies on color photographs, beside three baselines.",
    "train": "Train colornet on color photographs, or go on where a run ended.",
    "doctor": "Say what this machine has and what it lacks.",
}


class Deepcolor(click.Group):
    """Prints an error as its one sentence, and takes a photograph in place of a command.

    Each of :data:`COMMANDS` is in the module of its name, which is imported once it is called for:
    ``deepcolor --help`` then takes little longer than importing click.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            _drop_output()
            click.echo(f"deepcolor: not all could be written: {error.strerror}.", err=True)
            sys.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"deepcolor.cli.{cmd_name}"), cmd_name
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        _allow_any_name()
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _warn
                return super().invoke(ctx)
        except DeepcolorError as error:
            click.echo(f"deepcolor: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            line = "\r\033[K" if sys.stderr.isatty() else ""  # a bar of progress may stand there
            click.echo(f"{line}deepcolor: interrupted; what was finished is whole.", err=True)
            ctx.exit(INTERRUPTED)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """``deepcolor photo.jpg`` is short for ``deepcolor colorize photo.jpg``."""
        if args and args[0] not in {*COMMANDS, *OWN_OPTIONS} and _begins_colorize(args[0]):
            args = ["colorize", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            cure = f"did you mean '{near[0]}'?" if near else "see deepcolor --help."
            ctx.fail(f"There is no command or photograph '{args[0]}'; {cure}")
        return super().resolve_command(ctx, args)


def _begins_colorize(argument: str) -> bool:
    """Whether it is an option, or names photographs: else it is a command, misspelt."""
    from pathlib import Path

    from deepcolor.disk import is_pattern, is_there

    names_file = bool(Path(argument).suffix) or is_there(argument)
    return argument.startswith("-") or is_pattern(argument) or names_file


_warned: set[str] = set()


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """A warning is a sentence, too, said once, without the line of code that gave it."""
    if str(message) not in _warned:
        _warned.add(str(message))
        click.echo(f"deepcolor: {message}", err=True)


def _allow_any_name() -> None:
    """Has names be printed that are no text, or none of the terminal's: as bytes or escaped."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        is_utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"
        sys.stdout.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """What could not be printed is not tried again when the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@click.group(cls=Deepcolor, context_settings={"help_option_names": list(HELP_OPTIONS)})
@click.version_option(__version__, prog_name="deepcolor")
def main() -> None:
    """Color black-and-white photographs.

    `deepcolor photo.jpg` is short for `deepcolor colorize photo.jpg`.
    """
