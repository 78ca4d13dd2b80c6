from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch.distributed.constants import default_pg_timeout
from torch.distributed.run import parse_args

from deepcolor.training.world import World, joined

DOCS = Path(__file__).parents[3] / "docs"


def test_processes_wait_for_hours_only_while_one_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: dict[str, timedelta] = {}

    def join(backend: str, *, timeout: timedelta = default_pg_timeout) -> None:
        waiting["for a step"] = timeout

    def group(*, backend: str, timeout: timedelta) -> str:
        waiting[backend] = timeout
        return backend

    def barrier(group: str) -> None:
        waiting["for photographs"] = waiting[group]

    monkeypatch.setattr(dist, "init_process_group", join)
    monkeypatch.setattr(dist, "new_group", group)
    monkeypatch.setattr(dist, "barrier", barrier)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    monkeypatch.setattr(dist, "get_rank", lambda: 1)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with joined() as world:
        assert not world.leads
        world.wait()
    assert waiting["for a step"] <= timedelta(hours=1)
    assert waiting["for photographs"] >= timedelta(hours=12)


def test_gpus_are_not_waited_for_at_every_step() -> None:
    alone, gpus, cores = (
        World(0, size, torch.device(device)).steps_between_questions
        for size, device in ((1, "cuda"), (2, "cuda"), (2, "cpu"))
    )
    assert (alone, cores) == (1, 1)
    assert 5 <= gpus <= 20  # torchrun kills after 30 seconds what does not end


def test_torchrun_understands_what_the_docs_advise() -> None:
    lines = (DOCS / "training.md").read_text().splitlines()
    [advised] = [line for line in lines if line.startswith("torchrun ")]
    told = parse_args(shlex.split(advised)[1:])
    assert (told.module, told.training_script) == (True, "deepcolor")
    assert told.training_script_args == ["train", "my.toml", "--run", "run"]
