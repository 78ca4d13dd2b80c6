"""`deepcolor colorize`: photographs, folders, patterns and standard input."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepcolor import defaults
from deepcolor.cli import fetching, options
from deepcolor.cli.progress import Progress
from deepcolor.cli.stdout import kept_clean
from deepcolor.formats import FORMATS

if TYPE_CHECKING:
    from deepcolor.files.coloring import IfThere, Outcome
    from deepcolor.files.plan import Plan, Settings
    from deepcolor.hints import Hint

OWN_KNOBS = ("size", "vividness", "saturation")
"""Knobs with an option of their own."""


def _pixels(ctx: click.Context, parameter: click.Parameter, megapixels: float) -> int:
    if not 0 < megapixels < math.inf:
        raise click.BadParameter(f"{megapixels:g} is no number of megapixels above 0.")
    return round(megapixels * 1e6)


def _knobs(
    ctx: click.Context, parameter: click.Parameter, written: tuple[str, ...]
) -> dict[str, float]:
    knobs = {}
    for text in written:
        name, _, value = text.partition("=")
        try:
            knobs[name] = float(value)
        except ValueError:
            raise click.BadParameter(f"{text} is not understood; write NAME=NUMBER.") from None
    return knobs


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATHS...")
@click.option(
    "-o",
    "--output",
    metavar="FILE|DIR",
    help="A file for one photograph, a folder, or - for stdout.  [default: beside each photograph]",
)
@click.option(
    "-s",
    "--strategy",
    "strategies",
    multiple=True,
    metavar="NAME",
    help=f"The strategy; repeatable, a result for each.  [default: {defaults.STRATEGY}]",
)
@click.option(
    "--size", type=int, help="Pixels of the square that the network sees; more helps small faces."
)
@click.option("--vividness", type=float, help="0 is safe, 1 balanced, 2 bold.")
@click.option("--saturation", type=float, help="A factor on the colors, 0 to 2.")
@click.option(
    "--knob",
    "knobs",
    multiple=True,
    callback=_knobs,
    metavar="NAME=NUMBER",
    help="Any knob that the strategy takes, by its name; repeatable.",
)
@click.option(
    "--hint",
    "hints",
    multiple=True,
    metavar="X,Y,#RRGGBB",
    help="A color that belongs at a pixel, for strategies that can be guided; repeatable.",
)
@click.option(
    "--hints",
    "hints_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.json",
    help='Hints from a file: [{"x": 120, "y": 80, "color": "#c84b31"}, ...].',
)
@options.device
@click.option(
    "--format",
    "wanted",
    type=click.Choice(FORMATS),
    default="keep",
    show_default=True,
    help="What to write.",
)
@click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG, WebP and AVIF.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each result.")
@click.option("--overwrite", is_flag=True, help="Replace results that are already there.")
@click.option("--skip-existing", is_flag=True, help="Leave results alone that are already there.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    help="Photographs in work at once.  [default: one a core]",
)
@click.option(
    "--compare",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A contact sheet to draw, a .jpg or .png.",
)
@click.option("--keep-gps", is_flag=True, help="Keep where a photograph was taken.")
@click.option(
    "--max-megapixels",
    "max_pixels",
    type=float,
    callback=_pixels,
    default=defaults.MOST_PIXELS // 10**6,
    show_default=True,
    help="Refuse larger photographs.",
)
@options.offline
def colorize(
    paths: tuple[str, ...],
    output: str | None,
    strategies: tuple[str, ...],
    device: str,
    as_json: bool,
    overwrite: bool,
    skip_existing: bool,
    compare: Path | None,
    knobs: dict[str, float],
    **given: Any,
) -> None:
    """Color photographs: files, whole folders, patterns, or - for stdin.

    Without -o, photo.jpg becomes photo.colornet.jpg beside it; with -o DIR it keeps its name,
    and folders are mirrored. Exit codes: 0 all good, 1 some failed (the others are done), 2 wrong
    usage, 3 weights missing, 130 interrupted.
    """
    from deepcolor.files.coloring import IfThere
    from deepcolor.files.found import STDIO
    from deepcolor.files.plan import Settings
    from deepcolor.program import keep_freed_memory

    keep_freed_memory()
    if "" in {*paths, output}:
        raise click.UsageError("A path is empty; a variable of the shell may be unset.")
    if overwrite and skip_existing:
        raise click.UsageError("--overwrite and --skip-existing exclude each other.")
    chosen = Settings(
        strategies=tuple(dict.fromkeys(strategies)) or (defaults.STRATEGY,),
        device=device,
        format=given["wanted"],
        quality=given["quality"],
        keep_gps=given["keep_gps"],
        max_pixels=given["max_pixels"],
        jobs=given["jobs"],
        hints=_hints(given["hints"], given["hints_file"]),
        knobs=_all_knobs(given, knobs),
    )
    if STDIO in {*paths, output}:
        if len(paths) > 1 or len(chosen.strategies) > 1:
            raise click.UsageError("- stands for one photograph, colored by one strategy.")
        if compare:
            raise click.UsageError("--compare draws a sheet of files, and - is stdin.")
        if output in {None, STDIO}:
            if as_json or overwrite or skip_existing:
                raise click.UsageError("--json, --overwrite and --skip-existing need -o FILE.")
            if sys.stdout.isatty():
                raise click.UsageError(
                    "The photograph would go to the terminal; name a file with -o, or pipe it on."
                )
            sys.exit(_pipe(_planned(paths, STDIO, chosen)))
    if_there = IfThere.REPLACE if overwrite else IfThere.SKIP if skip_existing else IfThere.FAIL
    plan = _planned(paths, output, chosen)
    if compare is not None:
        from deepcolor.files.sheet import is_wanted

        compare = compare if is_wanted(compare, plan.tasks, if_there) else None
    outcomes = _color(plan, if_there, as_json)
    if compare is not None:
        from deepcolor.files.sheet import contact_sheet
        from deepcolor.photograph import Reading

        contact_sheet(outcomes, compare, Reading(chosen.max_pixels))
    sys.exit(bool(plan.unreadable) or any(outcome.error for outcome in outcomes))


def _all_knobs(given: dict[str, Any], named: dict[str, float]) -> dict[str, float]:
    """What is turned by an option of its own or by ``--knob``; refuses what is turned by both."""
    own = {name: given[name] for name in OWN_KNOBS if given[name] is not None}
    for name in own:
        if name in named:
            raise click.UsageError(
                f"--{name} and --knob {name}={named[name]:g} turn the same knob; leave one out."
            )
    return own | named


def _planned(paths: tuple[str, ...], output: str | None, chosen: Settings) -> Plan:
    """What is to be done; says what could not be looked into, and refuses what makes no sense."""
    from deepcolor.errors import NothingToColorError
    from deepcolor.files.plan import Plan
    from deepcolor.formats import READABLE

    plan = Plan.of(paths, output, chosen)
    for error in plan.unreadable:
        click.echo(f"deepcolor: {error}", err=True)
    if not plan.tasks and not plan.unreadable:
        raise NothingToColorError(paths, sorted(READABLE))
    if chosen.hints and len({task.source for task in plan.tasks}) > 1:
        raise click.UsageError("Hints are points of one photograph; color the others alone.")
    return plan


def _color(plan: Plan, if_there: IfThere, as_json: bool) -> list[Outcome]:
    """Colors what is planned and tells of each."""
    from deepcolor.files.coloring import color_files
    from deepcolor.program import import_pytorch

    import_pytorch()
    outcomes = []
    bar = Progress(len(plan.tasks), "results")
    with fetching.shown() as progress, kept_clean() as out:
        for outcome in color_files(plan, if_there, progress):
            outcomes.append(outcome)
            bar.clear()
            if as_json:
                click.echo(json.dumps(outcome.to_json()), file=out)
            elif outcome.error is not None:
                click.echo(f"deepcolor: {_sentence(outcome)}", err=True)
            elif not outcome.skipped:
                click.echo(str(outcome.task.target), file=out)
            bar.show(len(outcomes))
    bar.clear()
    return outcomes


def _sentence(outcome: Outcome) -> str:
    """What went wrong, and with which file."""
    from deepcolor.errors import AddressError

    assert outcome.error is not None
    message, task = outcome.error["message"], outcome.task
    names = (str(task.source), str(task.target), AddressError.address(str(task.source)))
    is_named = any(name in message for name in names if name)
    return message if is_named or task.piped else f"{task.source}: {message}"


def _hints(written: tuple[str, ...], file: Path | None) -> tuple[Hint, ...]:
    from deepcolor.errors import UnreadableFileError, reason
    from deepcolor.hints import Hint, read_hints

    hints = [Hint.parse(text) for text in written]
    if file is not None:
        try:
            hints += read_hints(file.read_bytes(), str(file))
        except OSError as error:
            raise UnreadableFileError(str(file), reason(error)) from None
    return tuple(hints)


def _pipe(plan: Plan) -> bool:
    """Colors what is planned to standard output; whether some folder could not be looked into."""
    from deepcolor.files.coloring import color_stream
    from deepcolor.program import import_pytorch

    import_pytorch()
    if plan.tasks:
        with fetching.shown() as progress, kept_clean():
            content = color_stream(plan, progress)
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    return bool(plan.unreadable)
