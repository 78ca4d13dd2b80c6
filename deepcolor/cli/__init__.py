"""The command line, a file a command. Nothing heavy is imported before a command needs it."""

from deepcolor.cli.main import main

__all__ = ["main"]
