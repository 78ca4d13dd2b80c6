from __future__ import annotations

import pytest
import torch

from deepcolor.devices import device_named
from deepcolor.errors import DeviceMissingError


def test_a_gpu_whose_driver_is_too_old_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_named("auto").type != "cuda"
    with pytest.raises(DeviceMissingError, match="no device 'cuda' here"):
        device_named("cuda")


def test_of_several_gpus_the_current_one_is_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_named("auto") == torch.device("cuda")
    assert device_named("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(DeviceMissingError, match="there are: cuda:0, cuda:1"):
        device_named("cuda:2")
