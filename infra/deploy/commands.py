"""Running other programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from infra.deploy.errors import CommandFailedError

ROOT = Path(__file__).parents[2]


def run(*command: str, given: str | None = None) -> None:
    """Runs a command in the repository, its output shown; ``given`` is its standard input."""
    done = subprocess.run(command, cwd=ROOT, input=given, text=True, check=False)
    if done.returncode:
        raise CommandFailedError(list(command), done.returncode)


def output_of(*command: str) -> str:
    """What a command prints."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CommandFailedError(list(command), done.returncode)
    return done.stdout
