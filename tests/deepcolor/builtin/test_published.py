"""What holds for every strategy whose weights somebody else has published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import deepcolor
from deepcolor.builtin.ddcolor import DDColor, DDColorArtistic
from deepcolor.builtin.deoldify import Deoldify
from deepcolor.builtin.richzhang import RichZhang
from deepcolor.builtin.siggraph17 import Siggraph17
from deepcolor.errors import StrategyBrokenError, WeightsMissingError
from deepcolor.strategy import Strategy

PUBLISHED: list[type[Strategy]] = [DDColor, DDColorArtistic, Deoldify, RichZhang, Siggraph17]
SHA256 = {
    "ddcolor": "81dd643904f4664c3718513e3320ae3db0c567f0d3e18398606659adee7bfc17",
    "ddcolor-artistic": "a591ee5beedad36de703d8977e92d0c30c1eedc6453fd1b300f3b460842a23a9",
    "deoldify": "3f750246fa220529323b85a8905f9b49c0e5d427099185334d048fb5b5e22477",
    "richzhang": "9b330a0bae53f4ded77b1e23defbf78beaa09c10ebc4c4999e8e4f4a160b93f9",
    "siggraph17": "df00044c0a4d7c3edcecf6f75437ce346a66e7a42612d9b968e1a7e17dbc6f66",
}

published = pytest.mark.parametrize("strategy", PUBLISHED, ids=lambda cls: cls.card.name)


class Payload:
    """What runs when it is unpickled without care."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@published
def test_the_card_pins_the_weights(strategy: type[Strategy]) -> None:
    (file,) = strategy.card.weights
    assert file.sha256 == SHA256[strategy.card.name]
    assert file.url is not None
    assert file.url.endswith(file.filename)
    assert file.url.startswith("https://")


@published
def test_weights_cannot_run_code(strategy: type[Strategy], publish: Any, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    publish(strategy, {"model": Payload(trap)})
    with pytest.raises(StrategyBrokenError, match="Weights only load failed"):
        deepcolor.load(strategy.card.name, device="cpu")
    assert not trap.exists()


@pytest.mark.parametrize("strategy", [Deoldify, RichZhang, Siggraph17])
def test_weights_of_another_network_are_refused(strategy: type[Strategy], publish: Any) -> None:
    publish(strategy, {"model": {"conv.weight": torch.zeros(1)}})
    with pytest.raises(StrategyBrokenError, match="Missing key"):
        deepcolor.load(strategy.card.name, device="cpu")


@published
def test_weights_that_cannot_be_had(
    strategy: type[Strategy], publish: Any, file_server: Any
) -> None:
    publish(strategy, {})
    file_server.files.clear()
    with pytest.raises(WeightsMissingError, match=f"'{strategy.card.name}'"):
        deepcolor.load(strategy.card.name)
