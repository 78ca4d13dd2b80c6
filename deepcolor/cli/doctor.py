"""`deepcolor doctor`: what this machine has, and what to do if something is missing."""

from __future__ import annotations

import click

PACKAGES = ("torch", "pillow", "numpy", "safetensors", "pillow-heif", "tifffile", "pypng")


@click.command()
def doctor() -> None:
    """Say what this machine has and what it lacks."""
    import os
    import platform

    import torch

    from deepcolor import __version__, draw, weights
    from deepcolor.registry import manifest

    _section("Versions")
    _row("deepcolor", __version__)
    _row("python", f"{platform.python_version()} on {platform.platform()}")
    for package in PACKAGES:
        _row(package, _version(package))

    _section("Devices")
    _row("cpu", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads for a network")
    _row("cuda", torch.cuda.get_device_name() if torch.cuda.is_available() else "none")
    _row(
        "join",
        "compiled"
        if draw.IS_COMPILED
        else "in NumPy, slower: install a C compiler, then deepcolor",
    )
    _row("mps", "yes" if torch.backends.mps.is_available() else "none")

    _section("Weights")
    _row("folder", str(weights.home()))
    _row("fetching", "off (DEEPCOLOR_OFFLINE)" if weights.is_offline() else "on first use")

    _section("Strategies")
    for entry in manifest()["strategies"]:
        _row(entry["name"], "ready" if entry["ready"] else entry["problem"])


def _section(title: str) -> None:
    click.echo(click.style(title, bold=True))


def _row(name: str, value: str) -> None:
    click.echo(f"  {name:16} {value}")


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
