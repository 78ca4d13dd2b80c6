"""``python -m deepcolor.training prior|skin CONFIG …``: what the photographs of a run tell.

``prior CONFIG FILE`` writes the shares that evaluation weighs pixels by, ``skin CONFIG SOURCE …``
measures the package's colornet on the skin in held-out photographs of these sources.
"""

import argparse
from pathlib import Path

from safetensors.torch import load_file

from deepcolor import weights
from deepcolor.builtin.colornet import WEIGHTS
from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.training.config import Config
from deepcolor.training.pack import packed
from deepcolor.training.photographs import split
from deepcolor.training.prior import write_prior
from deepcolor.training.skin import skin

parser = argparse.ArgumentParser(prog="python -m deepcolor.training")
commands = parser.add_subparsers(dest="command", required=True)
counting = commands.add_parser("prior", help="count the colors that evaluation weighs pixels by")
counting.add_argument("config", type=Path)
counting.add_argument("file", type=Path, help="the CSV to write")
measuring = commands.add_parser("skin", help="measure colornet on skin, from dark to light")
measuring.add_argument("config", type=Path)
measuring.add_argument("sources", nargs="+", help="those whose photographs are of people")
arguments = parser.parse_args()
config = Config.read(arguments.config)
learned, held_out, dropped = split(packed(config.photographs), config.sampling.least_chroma)
if arguments.command == "prior":
    write_prior(learned, arguments.file)
    print(f"{len(learned):,} photographs; {dropped}")
else:
    net = ColorNet.of(load_file(weights.path(WEIGHTS))).eval()
    people = [i for i, one in enumerate(held_out.sources()) if one in arguments.sources]
    print("group         photographs  CIEDE2000  of gray  chroma  / truth")
    for name, row in skin(net, held_out, people).items():
        print(
            f"{name:12}{row.photographs:13}{row.ciede2000:11.2f}{row.gray_ciede2000:9.2f}"
            f"{row.chroma:8.1f}{row.chroma / row.true_chroma:9.2f}"
        )
