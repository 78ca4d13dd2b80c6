"""``python -m deepcolor.training pack SHARD... FOLDER``, ``… train CONFIG FOLDER RUN`` and
``… prior CONFIG FOLDER FILE``."""

import argparse
from pathlib import Path

from deepcolor.training.photographs import pack
from deepcolor.training.prior import write_prior
from deepcolor.training.train import Config, Run

parser = argparse.ArgumentParser(prog="python -m deepcolor.training")
commands = parser.add_subparsers(dest="command", required=True)
packing = commands.add_parser("pack", help="decode tar shards of photographs once")
packing.add_argument("shards", nargs="+", type=Path)
packing.add_argument("folder", type=Path)
training = commands.add_parser("train", help="train colornet, or go on where a run was stopped")
training.add_argument("config", type=Path)
training.add_argument("folder", type=Path, help="where pack put the photographs")
training.add_argument("run", type=Path, help="checkpoints, log and best weights go here")
counting = commands.add_parser("prior", help="count the colors that evaluation weighs pixels by")
counting.add_argument("config", type=Path)
counting.add_argument("folder", type=Path, help="where pack put the photographs")
counting.add_argument("file", type=Path, help="the CSV to write")
arguments = parser.parse_args()
if arguments.command == "pack":
    print(pack(arguments.shards, arguments.folder), "photographs")
elif arguments.command == "prior":
    chroma = Config.read(arguments.config).least_chroma
    print(write_prior(arguments.folder, chroma, arguments.file), "photographs")
else:
    Run(Config.read(arguments.config), arguments.folder, arguments.run).train()
