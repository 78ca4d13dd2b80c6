"""`deepcolor strategies`: who can color."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
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
        click.echo(f"    {_terms(**entry['license'])}; trained on: {entry['training_data']}")
        click.echo(f"    takes {_takes(entry)}")
        click.echo(f"    {'ready' if entry['ready'] else entry['problem']}")


def _terms(code: str, weights: str, restricted: bool) -> str:
    limit = ", NOT FOR COMMERCIAL USE" if restricted else ""
    return f"code {code}, weights {weights}{limit}"


def _takes(entry: dict[str, Any]) -> str:
    knobs = [f"{knob['name']} {knob['low']:g}…{knob['high']:g}" for knob in entry["knobs"]]
    return ", ".join([*knobs, *(["hints"] if entry["hints"] else [])])
