"""Strategies whose figures can be told beforehand, and a folder of color photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from deepcolor import Colorizer, License, Strategy, StrategyCard

Painter = Callable[..., Colorizer]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Quickest beside other work."""
    torch.set_num_threads(1)


def colorful(seed: int, width: int = 96, height: int = 64) -> Image.Image:
    """A photograph of soft colors, always the same for a seed."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 216, (5, 7, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Three photographs, one below, and what is none."""
    folder = tmp_path / "truth"
    (folder / "sub").mkdir(parents=True)
    colorful(1).save(folder / "a.png")
    colorful(2, 60, 90).save(folder / "b.png")
    colorful(3).save(folder / "sub" / "a & b.png")
    (folder / "notes.txt").write_text("1912")
    return folder


@pytest.fixture
def painter() -> Painter:
    """A colorizer that gives one a*b* to everything."""

    def of(a: float, b: float, name: str = "painter") -> Colorizer:
        class OneColor(Strategy):
            card = StrategyCard(
                name=name,
                title="One color",
                description="Paints everything in one color.",
                url="https://example.org/painter",
                license=License(code="MIT", weights="none"),
                training_data="none",
                size=64,
            )

            def predict(
                self, l: Tensor, knobs: Mapping[str, float], hints: Tensor | None
            ) -> Tensor:
                return torch.tensor([a, b])[None, :, None, None].expand(len(l), 2, 8, 8)

        return Colorizer(OneColor(), torch.device("cpu"))

    return of
