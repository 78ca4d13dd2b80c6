"""``python -m deepcolor.training pack SHARD... FOLDER`` and ``… train CONFIG FOLDER RUN``."""

import argparse
from pathlib import Path

from deepcolor.training.photographs import pack
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
arguments = parser.parse_args()
if arguments.command == "pack":
    print(pack(arguments.shards, arguments.folder), "photographs")
else:
    Run(Config.read(arguments.config), arguments.folder, arguments.run).train()
