"""``python -m deepcolor.training prior CONFIG FILE``: the shares that evaluation weighs by."""

import argparse
from pathlib import Path

from deepcolor.training.config import Config
from deepcolor.training.pack import packed
from deepcolor.training.photographs import split
from deepcolor.training.prior import write_prior

parser = argparse.ArgumentParser(prog="python -m deepcolor.training")
commands = parser.add_subparsers(dest="command", required=True)
counting = commands.add_parser("prior", help="count the colors that evaluation weighs pixels by")
counting.add_argument("config", type=Path)
counting.add_argument("file", type=Path, help="the CSV to write")
arguments = parser.parse_args()
config = Config.read(arguments.config)
learned, _, dropped = split(packed(config.photographs), config.sampling.least_chroma)
write_prior(learned, arguments.file)
print(f"{len(learned):,} photographs; {dropped}")
