from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from deepcolor.cli import main
from deepcolor.training.run import BEST, CURVE, LOG
from tests.deepcolor.training.conftest import CONFIG


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(photographs="nowhere", folder=tmp_path, length="steps = 2"))
    return path


def test_one_command_trains(config: Path, mixed: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["train", str(config), "--photographs", str(mixed)])
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{tmp_path / 'run' / BEST}\n"
    first, *_, last = done.stderr.splitlines()
    assert "2 held out; dropped 1 gray, 1 near-gray, 1 near-duplicates, 1 unreadable." in first
    assert last.startswith("step 2: loss ")
    assert {BEST, CURVE, LOG} <= {path.name for path in (tmp_path / "run").iterdir()}
    again = CliRunner().invoke(
        main, ["train", str(config), "--photographs", str(mixed), "--run", str(tmp_path / "run")]
    )
    assert again.stderr.splitlines()[1:] == [
        "So few are held out that their figures say little of other photographs.",
        "going on from step 2 of 2.",
    ]


def test_the_folder_one_is_in_trains(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "here"
    data.mkdir()
    monkeypatch.chdir(data)
    done = CliRunner().invoke(main, ["train", str(config), "--photographs", "."])
    assert done.exit_code == 2
    assert "0 are left to train on" in done.stderr


def test_what_is_wrong_is_one_sentence(config: Path) -> None:
    done = CliRunner().invoke(main, ["train", str(config)])
    assert (done.exit_code, done.stdout) == (1, "")
    [said] = done.stderr.splitlines()
    assert said.startswith("deepcolor: nowhere cannot be read: there is no such file or folder; ")
    config.write_text("seed = 1\n")
    done = CliRunner().invoke(main, ["train", str(config)])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"deepcolor: {config}: photographs is missing; ")
