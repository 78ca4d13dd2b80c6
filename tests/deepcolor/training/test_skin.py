from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deepcolor.lab import rgb_to_lab
from deepcolor.training.pack import packed
from deepcolor.training.photographs import split
from deepcolor.training.skin import GROUPS, groups, skin

# Of the color chart's patches that stand for skin (X-Rite), and of things that are none.
DARK_SKIN, LIGHT_SKIN = (115, 82, 68), (194, 150, 130)
NO_SKIN = {"sky": (98, 122, 157), "leaf": (87, 108, 67), "gray": (122, 122, 121)}


def group_of(*rgb: int) -> str | None:
    lab = rgb_to_lab(torch.tensor(rgb, dtype=torch.uint8)[:, None, None])
    number = int(groups(lab))
    return list(GROUPS)[number] if number >= 0 else None


def test_skin_is_told_from_other_things_and_dark_from_light() -> None:
    names = list(GROUPS)
    dark, light = group_of(*DARK_SKIN), group_of(*LIGHT_SKIN)
    assert dark is not None
    assert light is not None
    assert names.index(dark) < names.index(light)
    assert {group_of(*rgb) for rgb in NO_SKIN.values()} == {None}


class Gray(torch.nn.Module):
    """Guesses no color at all."""

    def forward(self, l: torch.Tensor, *_: Any) -> torch.Tensor:
        return torch.zeros(len(l), 2, 64, 64)


class Known(torch.nn.Module):
    """Knows the one color."""

    def forward(self, l: torch.Tensor, *_: Any) -> torch.Tensor:
        lab = rgb_to_lab(torch.tensor(LIGHT_SKIN, dtype=torch.uint8)[:, None, None])
        return lab[1:, None].reshape(1, 2, 1, 1).expand(len(l), 2, 64, 64)


@pytest.fixture
def faces(tmp_path: Path) -> Any:
    """Two photographs, of nothing but skin and of a sky; one is held out."""
    for name, rgb in (("face", LIGHT_SKIN), ("sky", NO_SKIN["sky"])):
        pixels = np.full((64, 64, 3), rgb, np.uint8)
        pixels[::2] -= 2  # no two are near-duplicates
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    learned, held_out, _ = split(packed(tmp_path), least_chroma=1)
    return next(one for one in (learned, held_out) if one.names == ["face"])


def test_a_guess_is_measured_on_skin_only(faces: Any) -> None:
    [(name, gray)] = skin(Gray(), faces, [0]).items()  # type: ignore[arg-type]
    assert name == group_of(*LIGHT_SKIN)
    assert gray.photographs == 1
    assert gray.ciede2000 == pytest.approx(gray.gray_ciede2000)
    assert gray.ciede2000 > 10
    assert gray.chroma == 0
    [known] = skin(Known(), faces, [0]).values()  # type: ignore[arg-type]
    assert known.ciede2000 < 1
    assert known.chroma == pytest.approx(known.true_chroma, abs=1)
