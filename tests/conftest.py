"""What several rooms' tests share: photographs made here, and the colorizer that all use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import deepcolor

PICTURES = Path(__file__).parents[1] / "docs/pictures"
PHOTOS = Path(__file__).parents[1] / "../shared/photos_bw"


def make_landscape(width: int, height: int) -> Image.Image:
    """Sky, hills and a textured meadow in gray, always the same."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    horizon = 0.45 * height / max(width, height) + 0.05 * np.sin(7 * x) + 0.02 * np.sin(23 * x)
    sky = 225 - 90 * y
    rough = np.random.default_rng(1).normal(0, 18, (height, width))
    meadow = 95 + 35 * np.sin(60 * x + 90 * y) * y + rough
    gray = np.where(y < horizon, sky, meadow)
    return Image.fromarray(gray.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def landscape() -> Image.Image:
    return make_landscape(320, 240)


@pytest.fixture(scope="session")
def colornet() -> deepcolor.Colorizer:
    """Loaded once; every test may share it. One thread each is quickest beside other work."""
    torch.set_num_threads(1)
    return deepcolor.load("colornet", device="cpu")


@pytest.fixture(scope="session")
def pictures() -> list[Path]:
    """The black-and-white photographs that the documentation shows."""
    found = sorted(PICTURES.glob("*.gray.jpg"))
    assert len(found) >= 3
    return found


@pytest.fixture(scope="session")
def old_photographs() -> list[Path]:
    """More historical photographs, which a clone does not carry."""
    if not PHOTOS.is_dir():
        pytest.skip(f"there are no real photographs at {PHOTOS}")
    return sorted(PHOTOS.glob("*.jpg"))
