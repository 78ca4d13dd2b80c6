from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.training import checkpoint
from deepcolor.training.__main__ import main
from deepcolor.training.errors import OtherNetworkError
from deepcolor.training.mix import mixed

WIDTHS = (16, 16, 16, 16)


def test_a_file_and_a_checkpoint_are_averaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nets = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        nets.append(ColorNet(20, WIDTHS).state_dict())
    first, second, out = (tmp_path / name for name in ("first.safetensors", "last.pt", "out"))
    checkpoint.export(nets[0], first)
    checkpoint.write({"ema": nets[1], "net": nets[0]}, second)
    command = ["training", "mix", str(first), str(second), str(out), "--share", "0.25"]
    monkeypatch.setattr("sys.argv", command)
    main()
    found = load_file(out)
    ColorNet.of(found)
    for name, value in found.items():
        wanted = 0.75 * nets[0][name] + 0.25 * nets[1][name]
        assert torch.allclose(value.float(), wanted, atol=2e-3), name


def test_what_is_no_relative_is_refused(tmp_path: Path) -> None:
    paths = []
    for bins in (20, 30):
        paths.append(tmp_path / f"{bins}.safetensors")
        save_file({"classify.bias": torch.zeros(bins)}, paths[-1])
    with pytest.raises(OtherNetworkError, match=r"20\.safetensors and in .*30\.safetensors"):
        mixed(*paths, 0.5)


def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text, cut = tmp_path / "notes.safetensors", tmp_path / "last.pt"
    text.write_text("no weights")
    cut.write_bytes(b"PK\3\4 no weights either")
    for path, why in (
        (text, "it holds no weights of colornet"),
        (cut, "it holds no weights of colornet"),
        (tmp_path / "nowhere", "no such file"),
    ):
        monkeypatch.setattr("sys.argv", ["training", "mix", str(path), str(path), "out"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        told = capsys.readouterr().err
        assert told.startswith(f"deepcolor.training: {path} cannot be read: {why}; check that")


def test_a_place_that_nothing_can_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, out = tmp_path / "first.safetensors", tmp_path / "first.safetensors" / "out"
    checkpoint.export(ColorNet(20, WIDTHS).state_dict(), first)
    monkeypatch.setattr("sys.argv", ["training", "mix", str(first), str(first), str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert told.startswith(f"deepcolor.training: {out} cannot be written: Not a directory; ")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["mix", "a", "b", "out", "--share", "nan"], "--share: nan is not 0 to 1"),
        (["mix", "a", "b", "out", "--share", "5"], "--share: 5 is not 0 to 1"),
        (["mix", "a", "b", "out", "--share", "half"], "--share: invalid float value: 'half'"),
        (["sweep", "config", "--temperatures", "0"], "--temperatures: 0 is not 0.01 or more"),
        (["sweep", "config", "--sizes", "0"], "--sizes: 0 is not 32 to 1024"),
        (["sweep", "config", "--sizes", "9.5"], "--sizes: invalid int value: '9.5'"),
    ],
)
def test_numbers_that_mean_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["training", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"{problem}\n")


@pytest.mark.parametrize(
    ("command", "status", "problem"),
    [
        (
            ["skin", "{config}", "humans"],
            2,
            "no photograph that is held out is from humans; they are from meadow",
        ),
        (
            ["sweep", "{config}", "--weights", "{weights}"],
            1,
            "other.safetensors cannot be read: its layers are not colornet's; ",
        ),
    ],
)
def test_photographs_and_weights_that_are_others(
    mixed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    status: int,
    problem: str,
) -> None:
    config, other = tmp_path / "config.toml", tmp_path / "other.safetensors"
    config.write_text(
        f'photographs = "{mixed}"\nrun = "run"\nseed = 1\n[schedule]\nsteps = 1\nbatch = 1\n'
        "sizes = [[0.0, 32]]\nrate = 1e-3\ntrunk_rate = 0\n"
    )
    save_file({"bins": torch.zeros(3, 2)}, other)
    told = [one.format(config=config, weights=other) for one in command]
    monkeypatch.setattr("sys.argv", ["training", *told])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == status
    assert problem in capsys.readouterr().err
