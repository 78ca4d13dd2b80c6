"""How the tests of published networks get weights: random ones, in the published file's format."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from deepcolor.strategy import Strategy

Publish = Callable[[type[Strategy], Any], None]


@pytest.fixture
def publish(file_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Saves what a strategy's file of weights shall hold where its card says it is published."""
    monkeypatch.setenv("DEEPCOLOR_HOME", str(tmp_path))

    def save(strategy: type[Strategy], content: Any) -> None:
        buffer = io.BytesIO()
        torch.save(content, buffer)
        file_server.files["/net.pth"] = buffer.getvalue()
        file = replace(
            strategy.card.weights[0],
            url=f"{file_server.url}/net.pth",
            bytes=len(buffer.getbuffer()),
            sha256=hashlib.sha256(buffer.getbuffer()).hexdigest(),
        )
        monkeypatch.setattr(strategy, "card", replace(strategy.card, weights=(file,)))

    yield save
    shutil.rmtree(tmp_path / "weights", ignore_errors=True)  # pytest keeps the rest for days
