"""The benchmark of GPUs where there is none: torch's functions for them do nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import torch

from benchmarks import gpu, report
from deepcolor import Colorizer, License, Strategy, StrategyCard

CPU = torch.device("cpu")


class Greedy(Strategy):
    """Takes more memory than there is for more than eight photographs."""

    card = StrategyCard(
        name="greedy",
        title="Greedy",
        description="Takes much memory.",
        url="https://example.org",
        license=License(code="MIT", weights="none"),
        training_data="none",
        size=64,
    )

    def __init__(self, error: Exception):
        self.error = error
        self.precisions: list[tuple[bool, bool]] = []

    def predict(
        self, l: torch.Tensor, knobs: Mapping[str, float], hints: torch.Tensor | None
    ) -> torch.Tensor:
        self.precisions.append(tf32())
        if len(l) > 8:
            raise self.error
        return l.expand(-1, 2, -1, -1) * 1.0


def tf32() -> tuple[bool, bool]:
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


@pytest.fixture(autouse=True)
def emptied(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often a GPU was emptied."""
    times: list[int] = []
    monkeypatch.setattr(torch.Tensor, "cuda", lambda tensor: tensor)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: times.append(1))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "autocast", lambda _, kind, enabled: torch.inference_mode())
    return times


def test_where_memory_gives_out_all_else_is_measured(emptied: list[int]) -> None:
    greedy = Greedy(torch.OutOfMemoryError("CUDA out of memory."))
    found = gpu._at(Colorizer(greedy, CPU), 64, peak=1.0)
    assert found.keys() == gpu.KINDS.keys()
    for rows in found.values():
        assert rows["1"]["per_second"] > 0
        assert rows["8"]["per_second"] > 0
        assert rows["32"] is rows["128"] is None
    assert len(emptied) == 2 * len(gpu.KINDS)
    assert "| float32: 32 | out of memory |" in report._table(found)


def test_other_errors_are_told() -> None:
    greedy = Greedy(RuntimeError("CUDA error: an illegal memory access was encountered"))
    with pytest.raises(RuntimeError, match="illegal"):
        gpu._at(Colorizer(greedy, CPU), 64, peak=1.0)


def test_both_switches_of_tf32_are_set_and_then_as_before() -> None:
    greedy = Greedy(MemoryError())
    with gpu._tf32(True):
        for kind in gpu.KINDS:
            gpu._predict(Colorizer(greedy, CPU), torch.zeros(1, 1, 64, 64), kind)
        assert tf32() == (True, True)
    told = dict(zip(gpu.KINDS, greedy.precisions, strict=True))
    assert told["float32"] == (False, False)
    assert told["tf32"] == (True, True)


def test_a_clone_that_is_not_installed_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "manifest", lambda: {"strategies": []})
    monkeypatch.setattr(gpu, "_peak_gigaflops", pytest.fail)
    with pytest.raises(SystemExit, match=r"^colornet is not installed; run .* first\.$"):
        gpu.measure(quick=True)
