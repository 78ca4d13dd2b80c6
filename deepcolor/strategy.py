"""The interface of a colorization strategy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from deepcolor.card import StrategyCard

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Strategy(ABC):
    """A card, and a network that guesses a*b* from L*.

    Subclass it, name the class in your package's entry-point group ``deepcolor.strategies``, and
    the command line, the workers, the manifest and the page have your strategy. Import torch
    inside the methods only: listing the cards should not wait for it.
    """

    card: ClassVar[StrategyCard]

    def prepare(self, weights: Mapping[str, Path], device: torch.device) -> None:
        """Called once before :meth:`predict`: read the weights and move the network to ``device``.

        ``weights`` holds a verified local path for each file name on the card.
        """
        return

    @abstractmethod
    def predict(self, l: Tensor, knobs: Mapping[str, float], hints: Tensor | None) -> Tensor:
        """a*b* (N, 2, h, w) of L* (N, 1, H, W) in 0…100; h and w as the network likes.

        ``l`` lies on the device given to :meth:`prepare`. ``knobs`` holds every knob of the card.
        ``hints`` (N, 3, H, W) are a*, b* and a mask of 0 and 1 where a person said the color;
        ``None`` when there are none, which is always so unless the card says that hints are taken.
        Several threads may call this at once; gradients are off.
        """
