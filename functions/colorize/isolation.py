"""A painter in a process of its own: what ends, hangs or fills that costs only its photograph."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from functions.colorize import painter_process
from functions.colorize.alarm import alarm
from functions.colorize.commission import (
    OUT_OF_MEMORY,
    Colored,
    Commission,
    Outcome,
    Refusal,
)
from functions.colorize.painter_process import Header, receive, send

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

LOAD_SECONDS = 1800  # fetching weights takes as long as the line is slow
END_SECONDS = 10
# What a process that others have worn out says of photographs that have nothing the matter with
# them: a decoder that gets no memory takes the file for damaged.
WEARY = {OUT_OF_MEMORY.code, "damaged_photograph"}


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
    """A painter in another process, which is started when needed, and anew when it died or failed.

    ``limit_seconds`` is the longest that one photograph may take, ``memory_bytes`` what the process
    may use. A photograph over which the process dies gets another chance in a new one: what killed
    it may have come from elsewhere. So does one for which the memory does not suffice, or seems
    not to, where others were colored before: not all that was taken for them is ever given back.
    All but :meth:`kill` is for one thread at a time.
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
        """As a painter does, in so many threads, or else as many as there are cores."""
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
                if refusal.code not in WEARY or not (tries_left and self.has_painted):
                    return refusal
                self.close()
        return CRASHED

    def kill(self) -> None:
        """Ends the process from whatever thread; who waits for its answer learns that it died."""
        if process := self.process:
            process.kill()

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
        has_overrun = threading.Event()

        def end() -> None:
            has_overrun.set()
            self.kill()

        try:
            # Not a wait for the answer: a process that is stopped takes no question either.
            with alarm(seconds, end):
                send(connection, question, content)
                answer, content = receive(connection)
        except (EOFError, OSError) as error:  # which it is in the middle of an answer
            exit_code = self._ended()
            if has_overrun.is_set():
                raise PainterOverranError(seconds) from error
            raise PainterDiedError(exit_code) from error
        if "failure" in answer:
            self.close()  # a GPU's error may stay in its process for good
            raise PainterFailedError(answer["failure"])
        return answer, content

    def start(self) -> Connection:
        """Starts the process, which any question does, too: what it imports takes a while."""
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = str(theirs.fileno()), str(self.memory_bytes)
            self.process = subprocess.Popen(
                [sys.executable, "-m", painter_process.__name__, *arguments],
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
