"""``python -m deepcolor.training prior|hints|skin|sweep CONFIG …``: what a run's photographs tell.

``mix FIRST SECOND FILE`` averages the weights of two networks, of files or runs' checkpoints.
``prior CONFIG FILE`` writes the shares that evaluation weighs pixels by. The others measure the
package's colornet on held-out photographs: ``hints CONFIG`` with hints at random places, ``skin
CONFIG SOURCE …`` on the skin in those of these sources, ``sweep CONFIG`` by temperature, kept
rebalancing, gain of chroma, size and mirroring.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from deepcolor import weights
from deepcolor.arguments import number
from deepcolor.builtin.colornet import WEIGHTS
from deepcolor.builtin.colornet.looks import Looks
from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.errors import DeepcolorError, NotWritableError, UnreadableFileError, reason
from deepcolor.training.checkpoint import export, weights_in
from deepcolor.training.config import Config
from deepcolor.training.mix import mixed
from deepcolor.training.pack import packed
from deepcolor.training.photographs import Photographs, split
from deepcolor.training.prior import write_prior
from deepcolor.training.skin import skin
from deepcolor.training.sweep import Setting, sweep
from deepcolor.training.validate import Validation

_share = number(float, 0, 1)
_factor = number(float, 0)

parser = argparse.ArgumentParser(prog="python -m deepcolor.training")
commands = parser.add_subparsers(dest="command", required=True)
counting = commands.add_parser("prior", help="count the colors that evaluation weighs pixels by")
measuring = commands.add_parser("skin", help="measure colornet on skin, from dark to light")
hinting = commands.add_parser("hints", help="measure colornet with hints at random places")
sweeping = commands.add_parser("sweep", help="measure colornet's settings")
mixing = commands.add_parser("mix", help="average the weights of two networks")
mixing.add_argument("first", type=Path)
mixing.add_argument("second", type=Path)
mixing.add_argument("file", type=Path, help="the weights to write")
mixing.add_argument("--share", type=_share, default=0.5, help="how much of the second")
for command in (counting, measuring, hinting, sweeping):
    command.add_argument("config", type=Path)
counting.add_argument("file", type=Path, help="the CSV to write")
measuring.add_argument("sources", nargs="+", help="those whose photographs are of people")
sweeping.add_argument("--weights", type=Path, help="others than the package's")
sweeping.add_argument(
    "--sizes", type=number(int, 32, 1024), nargs="+", default=[256], metavar="PIXELS"
)
sweeping.add_argument(
    "--temperatures", type=number(float, 0.01), nargs="+", default=[1.0], metavar="T"
)
sweeping.add_argument("--rebalance", type=_share, nargs="+", default=[0.0], metavar="SHARE")
sweeping.add_argument("--gain", type=_factor, nargs="+", default=[1.0], metavar="FACTOR")
sweeping.add_argument("--mirrored", action="store_true", help="each also with its mirror image")


def main() -> None:
    try:
        _do(parser.parse_args())
    except DeepcolorError as error:
        print(f"deepcolor.training: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _do(arguments: argparse.Namespace) -> None:
    if arguments.command == "mix":
        weights_of_both = mixed(arguments.first, arguments.second, arguments.share)
        _write(functools.partial(export, weights_of_both), arguments.file)
        return
    config = Config.read(arguments.config)
    learned, held_out, dropped = split(packed(config.photographs), config.sampling.least_chroma)
    if arguments.command == "prior":
        _write(functools.partial(write_prior, learned), arguments.file)
        print(f"{len(learned):,} photographs; {dropped}")
    elif arguments.command == "hints":
        _hints(held_out)
    elif arguments.command == "skin":
        _skin(held_out, arguments.sources)
    else:
        settings = [
            Setting(size, temperature, rebalance, gain, mirrored)
            for size in arguments.sizes
            for mirrored in (False, *[True] * arguments.mirrored)
            for temperature in arguments.temperatures
            for rebalance in arguments.rebalance
            for gain in arguments.gain
        ]
        _sweep(held_out, settings, arguments.weights)


def _write(write: Callable[[Path], None], path: Path) -> None:
    try:
        write(path)
    except OSError as error:
        raise NotWritableError(path, reason(error)) from error


def _hints(held_out: Photographs) -> None:
    validation = Validation(held_out, torch.device("cpu"))
    print("hints  PSNR dB")
    for count, psnr in validation.hinted(Looks(_network(None))).items():
        print(f"{count:5}{psnr:9.2f}")


def _skin(held_out: Photographs, sources: list[str]) -> None:
    known = held_out.sources()
    if unknown := set(sources) - set(known):
        parser.error(
            f"no photograph that is held out is from {', '.join(sorted(unknown))}; "
            f"they are from {', '.join(sorted(set(known)))}"
        )
    people = [i for i, one in enumerate(known) if one in sources]
    print("group         photographs  CIEDE2000  of gray  chroma  / truth")
    for name, row in skin(Looks(_network(None)), held_out, people).items():
        print(
            f"{name:12}{row.photographs:13}{row.ciede2000:11.2f}{row.gray_ciede2000:9.2f}"
            f"{row.chroma:8.1f}{row.chroma / row.true_chroma:9.2f}"
        )


def _sweep(held_out: Photographs, settings: list[Setting], path: Path | None) -> None:
    print(
        "size     T  rebalance    gain  mirrored  PSNR dB  AuC %  CIEDE2000  colorfulness / truth"
    )
    for setting, row in sweep(_network(path), held_out, settings):
        told = f"{'gray':41}"
        if setting is not None:
            told = f"{setting.size:4}{setting.temperature:6.2f}{setting.rebalance:11.2f}"
            told += f"{setting.gain:8.2f}"
            told += f"{'yes' if setting.mirrored else 'no':>10}  "
        print(
            f"{told}{row.psnr:7.2f}{row.auc:7.2f}{row.ciede2000:11.2f}{row.colorfulness:22.2f}",
            flush=True,
        )


def _network(path: Path | None) -> ColorNet:
    path = path or weights.path(WEIGHTS)
    try:
        return ColorNet.of(weights_in(path)).eval()
    except (KeyError, RuntimeError) as error:
        raise UnreadableFileError(str(path), "its layers are not colornet's") from error


if __name__ == "__main__":
    main()
