"""`deepcolor strategies`: who can color."""

from __future__ import annotations

import json

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
        licenses = entry["license"]
        click.echo(f"{click.style(entry['name'], bold=True)}{mark}")
        click.echo(f"    {entry['title']}. {entry['description']}")
        click.echo(f"    {entry['url']}")
        click.echo(f"    code {licenses['code']}, weights {licenses['weights']}")
        click.echo(f"    {'ready' if entry['ready'] else entry['problem']}")
