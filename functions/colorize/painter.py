"""The painter: holds the strategies that are loaded, and colors with them."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import torch
from PIL import Image

from deepcolor import Colorizer, DeepcolorError, Hint, load
from deepcolor.devices import is_out_of_memory
from deepcolor.encoding import Writing
from deepcolor.errors import StrategyBrokenError
from functions.colorize.commission import (
    OUT_OF_MEMORY,
    Colored,
    Commission,
    Outcome,
    Refusal,
)

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

Answer = TypeVar("Answer")


@dataclass
class Painter:
    """Colors in this very process. One photograph at a time."""

    logger: Logger
    colorizers: dict[str, Colorizer] = field(default_factory=dict)

    def load(self, strategy: str) -> Refusal | None:
        """Gets a strategy ready, fetching its weights if need be, or says why that can't be."""

        def just_load() -> None:
            self._colorizer(strategy)

        return self._with_room(just_load, {"strategy": strategy})

    def paint(self, commission: Commission) -> Outcome:
        """The colored photograph, or why there can be none; raises what another try may mend."""
        about = {
            "strategy": commission.strategy,
            "correlation_id": commission.correlation_id,
        }
        return self._with_room(lambda: self._paint(commission), about)

    def _paint(self, commission: Commission) -> Colored:
        hints = [Hint.parse(text) for text in commission.hints]
        colorizer = self._colorizer(commission.strategy)
        writing = Writing(instance=commission.instance)
        done = colorizer.file(commission.content, commission.knobs, hints=hints, writing=writing)
        return Colored(done.content, done.media_type, done.width, done.height, done.milliseconds)

    def _colorizer(self, strategy: str) -> Colorizer:
        if strategy not in self.colorizers:
            colorizer = load(strategy)
            # Run once, so that the first photograph needn't wait.
            colorizer(Image.new("L", (256, 256), 128))
            self.colorizers[strategy] = colorizer
        return self.colorizers[strategy]

    def _with_room(self, attempt: Callable[[], Answer], about: dict[str, str]) -> Answer | Refusal:
        """Tries; where the memory gives out once more, with nothing else in it.

        Not at a smaller size: the result would answer another question than was asked.
        """
        for tries_left in (1, 0):
            try:
                return attempt()
            except StrategyBrokenError as error:
                if torch.cuda.is_available():
                    raise  # for it may be this GPU's fault
                self.logger.exception("strategy broken", extra=about)
                return Refusal(error.code, str(error))
            except DeepcolorError as error:
                return Refusal(error.code, str(error))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                told = about | {"error": str(error), "tries_left": tries_left}
                self.logger.warning("out of memory", extra=told)
            # Here, for until now the error held on to what its frames held.
            self.colorizers.clear()
            gc.collect()
            torch.cuda.empty_cache()
        return OUT_OF_MEMORY
