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
        assert capsys.readouterr().err == f"deepcolor.training: {path} cannot be read: {why}.\n"
