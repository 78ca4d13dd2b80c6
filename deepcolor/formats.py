"""The formats that results may be asked for. Nothing heavy: the command line reads this first."""

from typing import Literal, get_args

Format = Literal["keep", "jpeg", "png", "webp", "tiff", "avif"]

FORMATS: tuple[Format, ...] = get_args(Format)
