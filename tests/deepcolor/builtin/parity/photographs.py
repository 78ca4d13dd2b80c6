"""The photographs that parity is shown on, and which of their pixels are kept."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from torch import Tensor

PICTURES = Path(__file__).parents[4] / "docs/pictures"


def photographs() -> dict[str, Image.Image]:
    """Black and white ones as RGB, lying and standing, and one in sepia."""
    found = {
        name: Image.open(PICTURES / f"{name}.gray.jpg").convert("L")
        for name in ("killarney-1910", "jersey-shore-1905", "civil-war")
    }
    gray = found.pop("civil-war")
    sepia = Image.merge(
        "RGB", [gray.point([round(share * v) for v in range(256)]) for share in (1, 0.9, 0.7)]
    )
    return {name: image.convert("RGB") for name, image in found.items()} | {"sepia": sepia}


def small_photographs(side: int) -> dict[str, Image.Image]:
    """The same in gray, as squares."""
    size = side, side
    return {name: image.convert("L").resize(size) for name, image in photographs().items()}


def every(picture: Tensor, step: int = 13) -> Tensor:
    """Pixels of (C, H, W) spread over the whole, so that a recording stays small."""
    return picture[:, step // 2 :: step, step // 2 :: step]
