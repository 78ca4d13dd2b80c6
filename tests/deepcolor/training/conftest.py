from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepcolor.training.photographs import _is_held_out, pack

LEARNT, HELD_OUT = 24, 4


def names(count: int, *, held_out: bool) -> list[str]:
    """Of a set called "meadow", so many that fall on one side of the split."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        name = f"meadow_{number}"
        if _is_held_out(name) == held_out:
            found.append(name)
        number += 1
    return found


def meadow(seed: int) -> Image.Image:
    """Blue above, green below, each time a little otherwise."""
    random = np.random.default_rng(seed)
    height, width = int(random.integers(90, 140)), int(random.integers(90, 140))
    y = np.linspace(0, 1, height)[:, None, None] + random.normal(0, 0.02, (height, width, 1))
    sky, grass = np.array([110, 160, 220]), np.array([90, 140, 40])
    color = np.where(y < random.uniform(0.3, 0.7), sky + 40 * y, grass - 30 * y)
    return Image.fromarray((color + random.normal(0, 12, color.shape)).clip(0, 255).astype("u1"))


@pytest.fixture(scope="session")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar of generated photographs, one of them without color."""
    path = tmp_path_factory.mktemp("shards") / "meadows.tar"
    with tarfile.open(path, "w") as tar:

        def add(name: str, image: Image.Image) -> None:
            file = io.BytesIO()
            image.save(file, "JPEG", quality=90)
            entry = tarfile.TarInfo(f"{name}.jpg")
            entry.size = file.tell()
            file.seek(0)
            tar.addfile(entry, file)

        all_names = names(LEARNT, held_out=False) + names(HELD_OUT, held_out=True)
        for seed, name in enumerate(all_names):
            add(name, meadow(seed))
        [gray] = [name for name in names(LEARNT + 1, held_out=False) if name not in all_names]
        add(gray, meadow(99).convert("L"))
    return path


@pytest.fixture(scope="session")
def packed(shard: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    assert pack([shard], folder) == LEARNT + HELD_OUT + 1
    return folder
