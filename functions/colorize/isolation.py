"""A painter in a process of its own: what ends, hangs or fills that one costs only its photograph.

``python -m functions.colorize.isolation FD BYTES`` is that process, at the other end of a socket,
with so much memory. What is said there is JSON with bytes beside it and no pickles: what decodes
strangers' files must not have objects made in the process that asked.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.colorize.commission import (
    OUT_OF_MEMORY,
    Colored,
    Commission,
    Outcome,
    Paints,
    Refusal,
)

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

LOAD_SECONDS = 1800  # fetching weights takes as long as the line is slow
END_SECONDS = 10
PR_SET_PDEATHSIG = 1  # of Linux's prctl.h

Header = dict[str, Any]


class PainterError(Exception):
    """The painter gave no answer, through no fault of the photograph's that is known."""


class PainterDiedError(PainterError):
    """The painter's process ended before it answered."""

    def __init__(self, exit_code: int):
        ended = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
        super().__init__(f"The painter's process ended ({ended}).")


class PainterOverranError(PainterError):
    """The painter took longer than it may, and was ended."""

    def __init__(self, seconds: float):
        super().__init__(f"The painter took longer than {seconds:g} seconds.")


class PainterFailedError(PainterError):
    """The painter ran into something unforeseen; the message is its traceback."""


@dataclass
class IsolatedPainter:
    """A painter in another process, which is started when needed and started anew when it died.

    ``limit_seconds`` is the longest that one photograph may take, ``memory_bytes`` what the process
    may use. A photograph over which the process dies gets another chance in a new one: what killed
    it may have come from elsewhere. So does one for which the memory does not suffice where others
    were colored before: not all that was taken for them is ever given back.
    """

    logger: Logger
    limit_seconds: float
    memory_bytes: int
    process: subprocess.Popen[bytes] | None = None
    connection: Connection | None = None
    loaded: set[str] = field(default_factory=set)
    has_painted: bool = False

    def load(self, strategy: str) -> Refusal | None:
        if strategy in self.loaded:
            return None
        answer, _ = self._ask({"load": strategy}, b"", LOAD_SECONDS)
        if answer["refusal"]:
            return Refusal(**answer["refusal"])
        self.loaded.add(strategy)
        return None

    def paint(self, commission: Commission, threads: int | None = None) -> Outcome:
        """As :class:`Paints` has it, in so many threads, or else as many as there are cores."""
        question = asdict(commission)
        content = question.pop("content")
        for tries_left in (1, 0):
            refusal = self.load(commission.strategy)
            if refusal:
                return refusal
            try:
                answer, colored = self._ask(
                    {"paint": question, "threads": threads}, content, self.limit_seconds
                )
            except PainterDiedError as death:
                self.logger.error("the painter died", extra=_told(commission, death, tries_left))
            except PainterOverranError as overrun:
                self.logger.error("the painter overran", extra=_told(commission, overrun, 0))
                return _took_too_long(self.limit_seconds)
            else:
                if not answer["refusal"]:
                    self.has_painted = True
                    return Colored(content=colored, **answer["colored"])
                refusal = Refusal(**answer["refusal"])
                if refusal != OUT_OF_MEMORY or not (tries_left and self.has_painted):
                    return refusal
                self.close()
        return CRASHED

    def close(self) -> None:
        """Ends the process, whatever it is doing."""
        self.loaded.clear()
        self.has_painted = False
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _ask(self, question: Header, content: bytes, seconds: float) -> tuple[Header, bytes]:
        connection = self.connection or self.start()
        try:
            _send(connection, question, content)
            if not connection.poll(seconds):
                self.close()
                raise PainterOverranError(seconds)
            answer, content = _receive(connection)
        except (EOFError, OSError) as error:  # which it is in the middle of an answer
            raise PainterDiedError(self._ended()) from error
        if "failure" in answer:
            raise PainterFailedError(answer["failure"])
        return answer, content

    def start(self) -> Connection:
        """Starts the process, which any question does, too: what it imports takes a while."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), str(self.memory_bytes)],
                # Threads that spin while they wait would take the cores from all that goes on
                # meanwhile, fetching and storing among it.
                env={"OMP_WAIT_POLICY": "PASSIVE"} | os.environ,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.connection = Connection(ours.detach())
        return self.connection

    def _ended(self) -> int:
        """The exit code of a process that has hung up."""
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS)
        exit_code = self.process.poll()
        self.close()
        return -signal.SIGKILL if exit_code is None else exit_code


CRASHED = Refusal(
    "crashed",
    "Coloring this photograph ended the program that tried, twice; "
    "open it in an image editor, save it anew and upload that.",
)


def _took_too_long(seconds: float) -> Refusal:
    return Refusal(
        "took_too_long",
        f"Coloring this photograph took longer than the {seconds:g} seconds allowed; "
        "make it smaller, or save it anew with an image editor.",
    )


def _told(commission: Commission, error: Exception, tries_left: int) -> dict[str, Any]:
    return {
        "correlation_id": commission.correlation_id,
        "error": str(error),
        "tries_left": tries_left,
    }


def _send(connection: Connection, header: Header, content: bytes = b"") -> None:
    connection.send_bytes(json.dumps(header).encode())
    connection.send_bytes(content)


def _receive(connection: Connection) -> tuple[Header, bytes]:
    return json.loads(connection.recv_bytes()), connection.recv_bytes()


def serve(connection: Connection, painter: Paints, set_threads: Callable[[int], None]) -> None:
    """Answers until the other side hangs up."""
    while True:
        try:
            question, content = _receive(connection)
        except (EOFError, ConnectionError):
            return
        try:
            if "load" in question:
                outcome: Outcome | None = painter.load(question["load"])
            else:
                if question["threads"]:
                    set_threads(question["threads"])
                outcome = painter.paint(Commission(content=content, **question["paint"]))
        except Exception:
            _send(connection, {"failure": traceback.format_exc()})
            continue
        if isinstance(outcome, Colored):
            header = {name: value for name, value in vars(outcome).items() if name != "content"}
            _send(connection, {"refusal": None, "colored": header}, outcome.content)
        else:
            _send(connection, {"refusal": asdict(outcome) if outcome else None})


def main(file_descriptor: int, memory_bytes: int) -> None:
    # Here: whoever asks needs no torch.
    from deepcolor.program import import_pytorch, keep_freed_memory

    import_pytorch()
    import torch
    from aws_lambda_powertools import Logger

    from functions.colorize.painter import Painter

    keep_freed_memory()
    faulthandler.enable()  # says where, should a decoder crash
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # who asked decides when to end
    if sys.platform == "linux":
        # Ends with who asked, and before it where memory gives out.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        Path("/proc/self/oom_score_adj").write_text("1000")
    if not torch.cuda.is_available():  # CUDA maps far more than it uses
        _limit_memory(memory_bytes)
    most = torch.get_num_threads()
    serve(
        Connection(file_descriptor),
        Painter(Logger(service="colorize")),
        lambda threads: torch.set_num_threads(min(threads, most)),
    )


def _limit_memory(limit_bytes: int) -> None:
    """From here on an allocation too many is an error in Python, not the end of the process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in (limit_bytes, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
