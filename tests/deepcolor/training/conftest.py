from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deepcolor.training.config import Config, Loss, Network, Schedule, Simulation
from deepcolor.training.photographs import HELD_OUT_ONE_IN, _number

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
LEARNED, HELD_OUT = 16, 2
CONFIG = """
photographs = "{photographs}"
run = "{folder}/run"
seed = 1
[network]
widths = [16, 16, 16, 16]
[schedule]
{length}
batch = 4
sizes = [[0.0, 32]]
rate = 1e-2
trunk_rate = 1e-4
validations = 1
"""


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny networks gain nothing by a second thread, and on a busy machine lose a lot."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def names(count: int, *, held_out: bool) -> list[str]:
    """Of a set called "meadow", so many that fall on one side of the split."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        name = f"meadow_{number}"
        if (_number(name) % HELD_OUT_ONE_IN == 0) == held_out:
            found.append(name)
        number += 1
    return found


def meadow(seed: int) -> Image.Image:
    """Blue above, green below, clouds and bushes each time elsewhere."""
    random = np.random.default_rng(seed)
    height, width = int(random.integers(90, 140)), int(random.integers(90, 140))
    y = np.linspace(0, 1, height)[:, None, None]
    sky, grass = np.array([110, 160, 220]), np.array([90, 140, 40])
    color = np.where(y < random.uniform(0.3, 0.7), sky + 40 * y, grass - 30 * y)
    blots = random.normal(0, 1, (6, 6)).astype("f4")
    cloudy = Image.fromarray(blots).resize((width, height), Image.Resampling.BICUBIC)
    return Image.fromarray((color + 25 * np.asarray(cloudy)[..., None]).clip(0, 255).astype("u1"))


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a tar shard, photographs below it, and what should be dropped."""
    data = tmp_path_factory.mktemp("mixed") / "photographs"
    (data / "pictures").mkdir(parents=True)
    with tarfile.open(data / "meadows.tar", "w") as tar:
        for seed, name in enumerate(names(LEARNED, held_out=False)):
            add(tar, f"{name}.jpg", jpeg(meadow(seed)))
        for seed, name in enumerate(names(HELD_OUT, held_out=True)):
            add(tar, f"{name}.jpg", jpeg(meadow(100 + seed)))
        add(tar, "README.txt", b"no photograph")
    for path in PICTURES.glob("*.color.jpg"):
        (data / "pictures" / path.name).write_bytes(path.read_bytes())
    with Image.open(PICTURES / "killarney-1910.color.jpg") as image:
        smaller = image.resize((240, 185))
    (data / "smaller.jpg").write_bytes(jpeg(smaller, quality=70))
    (data / "gray.jpg").write_bytes(jpeg(meadow(200).convert("L")))
    sepia = np.asarray(meadow(201).convert("L"))[..., None] * np.array([1, 0.99, 0.97])
    (data / "sepia.png").write_bytes(jpeg(Image.fromarray(sepia.astype("u1"))))
    (data / "broken.jpg").write_bytes(jpeg(meadow(202))[:300])
    return data


@pytest.fixture
def config(mixed: Path, tmp_path: Path) -> Config:
    """A narrow network on tiny crops, for a few steps."""
    return Config(
        photographs=mixed,
        run=tmp_path / "run",
        seed=1,
        schedule=Schedule(
            batch=4,
            sizes=((0.0, 32), (0.5, 64)),
            rate=1e-2,
            trunk_rate=1e-4,
            steps=6,
            thaw_at=0.3,
            frozen_blocks=4,
            ema=0.8,
            validations=1,
        ),
        network=Network(widths=(16, 16, 16, 16)),
        loss=Loss(regression=0.1),
        simulation=Simulation(unguided=0.3),
    )
