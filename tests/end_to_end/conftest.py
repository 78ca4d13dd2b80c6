"""One running stack for a module's tests, and photographs to give it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.running_stack import ROOT, RunningStack, start_stack

PICTURES = ROOT / "docs" / "pictures"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    running = start_stack(tmp_path_factory.mktemp("stack") / "bucket")
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="session")
def photographs() -> list[Path]:
    """The black-and-white photographs that the documentation shows."""
    found = sorted(PICTURES.glob("*.gray.jpg"))
    assert len(found) >= 3
    return found
