from __future__ import annotations

import pytest
import torch

from deepcolor.devices import device_named, is_out_of_memory
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


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"
        ),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5.56 GB, max allowed: 9.07 GB)."),
    ],
)
def test_every_kind_of_memory_may_give_out(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED"),
        ValueError("out of memory"),
    ],
)
def test_other_errors_are_not_of_memory(error: Exception) -> None:
    assert not is_out_of_memory(error)
