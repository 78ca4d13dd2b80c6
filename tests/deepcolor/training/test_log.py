from __future__ import annotations

from pathlib import Path

import pytest

from deepcolor.training import log

ROWS = [{"step": 0.0, "loss": 4.5}, {"step": 10.0, "loss": -1.25e-05}]


@pytest.mark.parametrize(
    "kept", ["", "st", "step,loss\n", "step,loss\n0,4.5\n", "step,loss\n0,4.5\n10"]
)
@pytest.mark.parametrize("more", ["", ",", ",-", ",-1.25e-"])
def test_a_log_that_breaks_off_goes_on(tmp_path: Path, kept: str, more: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(kept + more)
    assert log.read(path) == (ROWS[:1] if kept.count("\n") > 1 else [])
    log.append(path, ROWS[1])
    assert log.read(path)[-1:] == ROWS[1:]


def test_a_log_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.csv"
    log.append(path, ROWS[0])

    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError):  # noqa: PT011 (it has no text)
        log.append(path, ROWS[1])
    assert log.read(path) == ROWS[:1]
