from __future__ import annotations

import re
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import pytest

from deepcolor.training import schedule
from deepcolor.training.config import (
    Config,
    Cropping,
    Loss,
    Network,
    Sampling,
    Schedule,
    Simulation,
)
from deepcolor.training.errors import ConfigError

CONFIGS = Path(schedule.__file__).parent / "configs"
DOCS = Path(__file__).parents[3] / "docs"
WHOLE = """
photographs = "photographs"
run = "run"
seed = 1
[schedule]
steps = 10
batch = 8
sizes = [[0.0, 128], [0.5, 192]]
rate = 1e-3
trunk_rate = 1
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_what_is_not_told_has_a_default(tmp_path: Path) -> None:
    config = Config.read(written(tmp_path, WHOLE))
    assert config.photographs == Path("photographs")
    assert config.schedule.sizes == ((0.0, 128), (0.5, 192))
    assert config.network.widths == (160, 160, 128, 64)


def test_an_editor_may_have_put_a_mark_before_it(tmp_path: Path) -> None:
    assert Config.read(written(tmp_path, f"\ufeff{WHOLE}")) == Config.read(written(tmp_path, WHOLE))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 1", "", "seed is missing"),
        ('"photographs"', '""', "photographs is empty"),
        ('"run"', '""', "run is empty"),
        ("batch = 8", "", r"schedule\.batch is missing"),
        ("batch = 8", 'batch = "8"', r"schedule\.batch must be of type int"),
        ("batch = 8", "batch = true", r"schedule\.batch must be of type int"),
        ("rate = 1e-3", "rate = 1e-3\nspeed = 9", r"there is no schedule\.speed"),
        ("seed = 1", "seed = 1\nnetwork = 3", "network is no table"),
        ("steps = 10", "", "either steps or minutes"),
        ("steps = 10", "steps = 10\nminutes = 1", "either steps or minutes"),
        ("128", "100", "multiples of 32"),
        ("[[0.0, 128]", "[[0.1, 128]", "begin at share 0"),
        ("seed = 1", "seed = ", "line 4"),
        ("seed = 1", "seed = -1", "seed cannot be -1"),
        ('run = "run"', "run = 3", "run must be of type str"),
        ("batch = 8", "batch = 0", r"schedule\.batch cannot be 0"),
        ("steps = 10", "steps = -4", r"schedule\.steps cannot be -4"),
        ("rate = 1e-3", "rate = nan", r"schedule\.rate cannot be nan"),
        ("rate = 1e-3", "rate = inf", r"schedule\.rate cannot be inf"),
        ("rate = 1e-3", "rate = 0", r"schedule\.rate cannot be 0"),
        ("rate = 1e-3", "rate = 1\nema = 1.5", r"schedule\.ema cannot be 1\.5"),
        ("[[0.0, 128], [0.5, 192]]", "[64]", r"schedule\.sizes are rows \[share, pixels\]"),
        ("[[0.0, 128], [0.5, 192]]", '"a"', r"schedule\.sizes are rows"),
        ("[[0.0, 128], [0.5, 192]]", "0", r"schedule\.sizes are rows"),
        ("[[0.0, 128], [0.5, 192]]", "[]", r"schedule\.sizes are rows"),
        ("[[0.0, 128], [0.5, 192]]", "[[0.0, 0]]", r"schedule\.sizes are rows"),
        ("[[0.0, 128], [0.5, 192]]", "[[0, 64, 3]]", r"schedule\.sizes are rows"),
        ("[0.5, 192]", "[0.0, 192]", "rise in share"),
        ("[0.5, 192]", "[1.5, 192]", "rise in share"),
        ("[schedule]", "[network]\nwidths = [1, 2, 3]\n[schedule]", "four numbers of channels"),
        ("[schedule]", "[network]\nwidths = 'a'\n[schedule]", "four numbers of channels"),
        ("[schedule]", "[network]\nwidths = [8, 8, 8, 0]\n[schedule]", "four numbers of channels"),
        ("[schedule]", "[crops]\npasted = 0.6\n[schedule]", r"crops\.pasted cannot be 0\.6"),
        ("[schedule]", "[crops]\nleast_area = 0\n[schedule]", r"crops\.least_area cannot be 0"),
        ("[schedule]", "[sampling]\nsources = 3\n[schedule]", r"sampling\.sources is a table"),
        ("[schedule]", "[sampling.sources]\nzzz = 'a'\n[schedule]", "table of factors"),
        ("[schedule]", "[sampling.sources]\nzzz = -1\n[schedule]", "none below 0"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        Config.read(written(tmp_path, WHOLE.replace(old, new, 1)))
    assert str(tmp_path / "config.toml") in str(caught.value)


@pytest.mark.parametrize(
    "path",
    sorted([*CONFIGS.glob("*.toml"), *(DOCS / "runs").glob("*.toml")]),
    ids=lambda path: path.stem,
)
def test_the_configurations_that_come_along_are_read(path: Path) -> None:
    config = Config.read(path)
    assert schedule.size_at(config.schedule, 0) == 128
    assert schedule.size_at(config.schedule, 1) >= 192


def test_the_docs_explain_every_setting() -> None:
    page = (DOCS / "training.md").read_text()
    for room in (Schedule, Network, Loss, Sampling, Cropping, Simulation):
        for setting in fields(room):
            assert f"`{setting.name}`" in page, setting.name


def test_the_docs_go_on_from_weights_where_a_machine_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (DOCS / "training.md").read_text()
    [commands] = [one for one in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "sed " in one]
    (tmp_path / "deepcolor").symlink_to(CONFIGS.parents[1])
    (tmp_path / "pieces").mkdir()
    (tmp_path / "best.safetensors").touch()
    subprocess.run(commands, shell=True, cwd=tmp_path, check=True)
    again = Config.read(tmp_path / "pieces" / "again.toml")
    monkeypatch.chdir(tmp_path)
    assert Path(again.network.start).exists()
    before = Config.read(CONFIGS / "gpu-full.toml")
    assert 0 < again.schedule.minutes < before.schedule.minutes
    assert replace(again.schedule, minutes=before.schedule.minutes) == before.schedule


def test_there_are_configurations() -> None:
    told = (DOCS / "training.md").read_text()
    found = {path.name for path in CONFIGS.glob("*.toml")}
    assert "gpu-full.toml" in found
    assert all(f"`{name}`" in told for name in found)
