"""What ends, hangs or fills the painter's process costs only the photograph that did it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aws_lambda_powertools import Logger
from PIL import Image

from deepcolor import Colorizer
from functions.colorize import isolation
from functions.colorize.commission import Colored, Commission, Refusal
from functions.colorize.isolation import IsolatedPainter, PainterDiedError, PainterFailedError
from tests.chaos import perilous, plugin
from tests.conftest import make_landscape

GENEROUS_SECONDS = 120
MEMORY_BYTES = 3 * 2**30


@pytest.fixture
def hazards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The perilous strategies, installed."""
    for name, value in plugin.install(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def painter() -> Iterator[IsolatedPainter]:
    painter = IsolatedPainter(Logger(service="colorize"), GENEROUS_SECONDS, MEMORY_BYTES)
    yield painter
    painter.close()


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


SMALL = file_of(make_landscape(96, 64))


def perilous_commission(peril: int) -> Commission:
    return Commission(SMALL, "perilous", {"peril": peril}, [], "c")


HANGING = {
    name: value
    for name, value in vars(perilous_commission(perilous.HANG)).items()
    if name != "content"
}


def paints_on(painter: IsolatedPainter) -> bool:
    outcome = painter.paint(perilous_commission(0))
    return isinstance(outcome, Colored) and (outcome.width, outcome.height) == (96, 64)


def test_it_colors_as_a_painter_in_this_process_does(
    painter: IsolatedPainter, colornet: Colorizer, pictures: list[Path], monkeypatch: Any
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    content = pictures[0].read_bytes()
    outcome = painter.paint(Commission(content, "colornet", {"vividness": 0.8}, []))
    assert isinstance(outcome, Colored)
    alike = colornet.file(content, {"vividness": 0.8})
    assert np.array_equal(pixels(outcome.content), pixels(alike.content))
    assert outcome.media_type == alike.media_type == "image/jpeg"
    assert outcome.milliseconds.keys() == alike.milliseconds.keys()
    refusal = painter.paint(Commission(b"no photograph", "colornet", {}, []))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_a_photograph"
    refusal = painter.paint(Commission(content, "colornot", {}, []))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "unknown_strategy"


@pytest.mark.usefixtures("hazards")
@pytest.mark.parametrize("peril", [perilous.EXIT, perilous.SEGFAULT])
def test_a_crash_costs_only_its_photograph(
    painter: IsolatedPainter, peril: int, logged: Callable[[Logger], Callable[[], list[Any]]]
) -> None:
    lines = logged(painter.logger)
    outcome = painter.paint(perilous_commission(peril))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "crashed"
    assert [line["tries_left"] for line in lines()] == [1, 0]
    assert {line["correlation_id"] for line in lines()} == {"c"}
    assert ("exit code 7" if peril == perilous.EXIT else "signal 11") in lines()[0]["error"]
    assert paints_on(painter)


@pytest.mark.usefixtures("hazards")
def test_a_crash_in_a_decoder_too(painter: IsolatedPainter) -> None:
    bitmap = file_of(make_landscape(96, 64), "BMP")
    assert isinstance(painter.paint(Commission(bitmap, "perilous", {}, [])), Colored)
    outcome = painter.paint(Commission(bitmap + perilous.FATAL, "perilous", {}, []))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "crashed"


@pytest.mark.usefixtures("hazards")
def test_whom_something_else_killed_gets_another_chance(painter: IsolatedPainter) -> None:
    assert paints_on(painter)
    assert painter.process is not None
    first = painter.process
    first.kill()
    assert paints_on(painter)
    assert painter.process is not first


@pytest.mark.usefixtures("hazards")
def test_a_new_process_has_its_time_to_load(
    painter: IsolatedPainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is none of the photograph's."""
    alarm, limits = isolation.alarm, []

    def noted(seconds: float, act: Callable[[], None]) -> Any:
        limits.append(seconds)
        return alarm(seconds, act)

    assert paints_on(painter)
    painter.kill()
    monkeypatch.setattr(isolation, "alarm", noted)
    assert paints_on(painter)
    assert limits == [GENEROUS_SECONDS, isolation.LOAD_SECONDS, GENEROUS_SECONDS]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux chooses what to end")
def test_where_memory_gives_out_it_goes_before_who_asked(painter: IsolatedPainter) -> None:
    painter.load("colornet")
    assert painter.process is not None
    score = Path(f"/proc/{painter.process.pid}/oom_score_adj")
    assert int(score.read_text()) == 1000


@pytest.mark.usefixtures("hazards")
def test_whom_something_killed_in_the_middle_of_an_answer_too(
    painter: IsolatedPainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paints_on(painter)
    receive, answers = isolation.receive, []

    def cut_once(connection: Connection) -> tuple[dict[str, Any], bytes]:
        answers.append(connection)
        if len(answers) > 1:
            return receive(connection)
        connection.recv_bytes()
        assert painter.process is not None
        painter.process.kill()
        painter.process.wait()
        # What multiprocessing says of a message whose end does not come.
        raise OSError("got end of file during message")

    monkeypatch.setattr(isolation, "receive", cut_once)
    assert paints_on(painter)
    assert answers[0] is not answers[-1]


@pytest.mark.usefixtures("hazards")
def test_a_hang_ends_at_the_limit(painter: IsolatedPainter) -> None:
    painter.load("perilous")
    painter.limit_seconds = 0.5
    outcome = painter.paint(perilous_commission(perilous.HANG))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "took_too_long"
    assert "0.5 seconds" in outcome.message
    painter.limit_seconds = GENEROUS_SECONDS
    assert paints_on(painter)


@pytest.mark.usefixtures("hazards")
def test_who_does_not_even_listen_ends_at_the_limit(painter: IsolatedPainter) -> None:
    """More than a socket holds, to a process that is stopped."""
    painter.load("perilous")
    assert painter.process is not None
    painter.process.send_signal(signal.SIGSTOP)
    painter.limit_seconds = 0.5
    content = SMALL + bytes(2**24)
    outcome = painter.paint(Commission(content, "perilous", {}, []))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "took_too_long"
    painter.limit_seconds = GENEROUS_SECONDS
    assert paints_on(painter)


@pytest.mark.usefixtures("hazards")
def test_others_may_end_what_it_is_doing(painter: IsolatedPainter) -> None:
    painter.load("perilous")
    killer = threading.Timer(0.5, painter.kill)
    killer.start()
    with pytest.raises(PainterDiedError, match="signal 9"):
        painter._ask({"paint": HANGING, "threads": None}, SMALL, GENEROUS_SECONDS)
    killer.join()
    assert paints_on(painter)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what a process has")
@pytest.mark.usefixtures("hazards")
def test_what_fills_the_memory_is_refused(painter: IsolatedPainter) -> None:
    outcome = painter.paint(perilous_commission(perilous.HOG))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "out_of_memory"
    assert painter.process is not None
    assert painter.process.poll() is None, "the limit holds before the process ends"
    assert paints_on(painter)


@pytest.mark.usefixtures("hazards")
def test_a_full_gpu_is_emptied_and_tried_once_more(
    painter: IsolatedPainter, capfd: pytest.CaptureFixture[str]
) -> None:
    once = painter.paint(perilous_commission(perilous.OUT_OF_MEMORY_ONCE))
    assert isinstance(once, Colored)
    always = painter.paint(perilous_commission(perilous.OUT_OF_MEMORY))
    assert isinstance(always, Refusal)
    assert always.code == "out_of_memory"
    said = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["tries_left"] for line in said] == [1, 1, 0, 1, 0]  # the last in a new process
    assert {line["message"] for line in said} == {"out of memory"}
    assert paints_on(painter)


@pytest.mark.usefixtures("hazards")
def test_what_others_took_before_is_no_fault_of_the_photographs(painter: IsolatedPainter) -> None:
    assert paints_on(painter)
    worn = painter.process
    assert isinstance(painter.paint(perilous_commission(perilous.WORN)), Colored)
    assert painter.process is not worn


@pytest.mark.usefixtures("hazards")
def test_nor_is_a_decoder_that_gets_no_memory_for_them(painter: IsolatedPainter) -> None:
    assert paints_on(painter)
    worn = painter.process
    bitmap = file_of(make_landscape(96, 64), "BMP") + perilous.TIRING
    assert isinstance(painter.paint(Commission(bitmap, "perilous", {}, [])), Colored)
    assert painter.process is not worn


@pytest.mark.usefixtures("hazards")
def test_a_damaged_photograph_costs_no_process_that_none_has_worn(
    painter: IsolatedPainter,
) -> None:
    def process_after(content: bytes) -> subprocess.Popen[bytes] | None:
        refusal = painter.paint(Commission(content, "perilous", {}, []))
        assert isinstance(refusal, Refusal)
        assert refusal.code == "damaged_photograph"
        return painter.process

    damaged = SMALL[: len(SMALL) // 2]
    first = process_after(damaged)
    assert process_after(damaged) is first
    assert paints_on(painter)
    second = process_after(damaged)
    assert second is not first
    assert process_after(damaged) is second


@pytest.mark.usefixtures("hazards")
@pytest.mark.parametrize(
    ("peril", "why"),
    [
        (perilous.BUG, "a bug of this strategy"),
        (perilous.NO_NUMBERS, "a*b* that are no numbers"),
    ],
)
def test_a_strategy_that_fails_is_told(painter: IsolatedPainter, peril: int, why: str) -> None:
    refused = painter.paint(perilous_commission(peril))
    assert isinstance(refused, Refusal)
    assert refused.code == "strategy_broken"
    assert why in refused.message
    assert paints_on(painter)


@pytest.mark.usefixtures("hazards")
def test_where_a_gpu_may_be_to_blame_it_is_left_for_another_try(painter: IsolatedPainter) -> None:
    with pytest.raises(PainterFailedError, match="a bug of this strategy, or of the GPU"):
        painter.paint(perilous_commission(perilous.GPU_BUG))
    assert paints_on(painter)


def test_a_process_that_cannot_start_is_no_fault_of_the_photographs(
    painter: IsolatedPainter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit(9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PainterDiedError, match="exit code 9"):
        painter.paint(Commission(SMALL, "colornet", {}, []))


@pytest.mark.usefixtures("hazards")
def test_it_ends_with_who_asked(tmp_path: Path) -> None:
    """Even while it hangs, and even where who asked was killed."""
    code = f"""
import threading, time
from aws_lambda_powertools import Logger
from functions.colorize.commission import Commission
from functions.colorize.isolation import IsolatedPainter
painter = IsolatedPainter(Logger(service="colorize"), 1000, 2**33)
painter.load("perilous")
print(painter.process.pid, flush=True)
painter.paint(Commission({SMALL!r}, "perilous", {{"peril": {perilous.HANG}}}, []))
"""
    asking = subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE
    )
    assert asking.stdout is not None
    pid = int(asking.stdout.readline())
    os.kill(asking.pid, signal.SIGKILL)
    asking.wait()
    asking.stdout.close()
    deadline = time.monotonic() + GENEROUS_SECONDS
    while Path(f"/proc/{pid}").exists() and b"Z" not in state_of(pid):
        assert time.monotonic() < deadline, "the painter outlived its worker"
        time.sleep(0.02)


def state_of(pid: int) -> bytes:
    """``Z`` for a process that has ended and that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except FileNotFoundError:
        return b"Z"
