from __future__ import annotations

import pytest

from deepcolor.builtin.colornet.network import ColorNet
from deepcolor.training import schedule
from deepcolor.training.config import Schedule

PLAN = Schedule(
    batch=8,
    sizes=((0.0, 128), (0.25, 256)),
    rate=1e-2,
    trunk_rate=1e-3,
    trunk_decay=0.5,
    thaw_at=0.5,
    frozen_blocks=2,
    warm_up=0.1,
    minutes=10,
    validations=5,
)


def test_sizes_and_rates() -> None:
    assert [schedule.size_at(PLAN, at) for at in (0, 0.24, 0.25, 1)] == [128, 128, 256, 256]
    assert schedule.rate_at(PLAN, 0) == 0
    assert schedule.rate_at(PLAN, 0.05) == pytest.approx(0.5, abs=0.01)
    assert schedule.rate_at(PLAN, 0.5) == pytest.approx(0.5)
    assert schedule.rate_at(PLAN, 1) == pytest.approx(0)


def test_minutes_become_steps() -> None:
    """A quarter of the steps at 1 s, the others at 2 s, and five validations of 12 s."""
    steps = schedule.affordable_steps(PLAN, {128: 1.0, 256: 2.0}, 12)
    assert steps == int((600 - 60) / 1.75)
    assert schedule.affordable_steps(PLAN, {128: 1.0, 256: 2.0}, 1e6) == 1


def test_each_part_learns_at_its_own_rate() -> None:
    net = ColorNet(261, (16, 16, 16, 16))
    adamw = schedule.optimizer(net, PLAN)
    schedule.set_rates(adamw, PLAN, 0.5)
    rates = {id(p): group["lr"] for group in adamw.param_groups for p in group["params"]}
    decays = {id(p): group["weight_decay"] for group in adamw.param_groups for p in group["params"]}
    last, before = net.trunk.blocks[-1], net.trunk.blocks[-2]
    assert rates[id(net.classify.weight)] == pytest.approx(0.5e-2)
    assert rates[id(net.alike.query.weight)] == pytest.approx(0.5e-2)
    assert [rates[id(p)] for p in last.parameters()] == pytest.approx([0.5e-3] * 6)
    assert [rates[id(p)] for p in before.parameters()] == pytest.approx([0.25e-3] * 6)
    assert decays[id(net.classify.weight)] == 0.05
    assert decays[id(net.classify.bias)] == decays[id(net.merge4.norm.weight)] == 0
    frozen = [*net.trunk.stem.parameters(), *net.trunk.blocks[:2].parameters()]
    assert not any(id(p) in rates or p.requires_grad for p in frozen)
    assert len(rates) + len(frozen) == len(list(net.parameters()))


def test_the_trunk_thaws() -> None:
    net = ColorNet(261, (16, 16, 16, 16))
    adamw = schedule.optimizer(net, PLAN)
    for at, thawed in ((0.49, False), (0.5, True)):
        schedule.set_rates(adamw, PLAN, at)
        assert all(p.requires_grad is thawed for p in net.trunk.blocks[-1].parameters())
        assert net.classify.weight.requires_grad
