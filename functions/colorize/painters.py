"""Several painters, for while one decodes or encodes its photograph another's network can run."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from functions.colorize.commission import Commission, Outcome, Refusal
from functions.colorize.isolation import IsolatedPainter, PainterError

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

MOST_HANDS = 4
SHARE_OF_MEMORY = 0.8
LEAST_BYTES = 5 * 2**29  # 2.5 GiB: PyTorch, a network and a JPEG of 200 megapixels; WebP takes more


class Painters:
    """As many as there are cores and memory for, each in a process of its own.

    ``hands`` is how many there may be. The first starts at once, each other when for the first
    time all before it have a photograph in hand. A photograph that is alone gets all cores, several
    share them.
    """

    def __init__(self, logger: Logger, limit_seconds: float):
        memory_bytes = int(SHARE_OF_MEMORY * _memory_bytes())
        self.cores = os.cpu_count() or 1
        self.hands = max(1, min(MOST_HANDS, self.cores, memory_bytes // LEAST_BYTES))
        self.logger = logger
        self.hired = [IsolatedPainter(logger, limit_seconds, memory_bytes // self.hands)]
        self.idle = queue.LifoQueue[IsolatedPainter]()  # the one that worked last is warm
        self.idle.put(self.hired[0])
        self.at_work = 0
        self.is_closed = False
        self.lock = threading.Lock()

    def start(self) -> None:
        """Starts the first one's process, which its first photograph would do, too."""
        self.hired[0].start()

    def load(self, strategy: str) -> Refusal | None:
        with self._one() as (painter, _):
            return painter.load(strategy)

    def paint(self, commission: Commission) -> Outcome:
        self._see_to_hands(commission.strategy)
        with self._one() as (painter, threads):
            return painter.paint(commission, threads)

    def close(self) -> None:
        """Ends all processes, whatever they are doing."""
        self.kill()
        for painter in self.hired:
            if process := painter.process:
                process.wait()

    def kill(self) -> None:
        """The same without waiting for their end."""
        self.is_closed = True
        for painter in self.hired:
            painter.kill()

    @contextmanager
    def _one(self) -> Iterator[tuple[IsolatedPainter, int]]:
        """A painter, as soon as one is idle, and how many threads it may use."""
        painter = self.idle.get()
        with self.lock:
            self.at_work += 1
            threads = max(1, self.cores // self.at_work)
        try:
            yield painter, threads
        finally:
            with self.lock:
                self.at_work -= 1
            self.idle.put(painter)

    def _see_to_hands(self, strategy: str) -> None:
        """Where all are at work, starts another, who is idle once the strategy is loaded."""
        with self.lock:
            if self.at_work < len(self.hired) or len(self.hired) == self.hands:
                return
            first = self.hired[0]
            painter = IsolatedPainter(self.logger, first.limit_seconds, first.memory_bytes)
            # Here, and not there: the process ends with the thread that starts it.
            painter.start()
            self.hired.append(painter)
        threading.Thread(target=self._get_ready, args=(painter, strategy), daemon=True).start()

    def _get_ready(self, painter: IsolatedPainter, strategy: str) -> None:
        try:
            painter.load(strategy)
        except PainterError as error:
            painter.close()
            with self.lock:
                self.hired.remove(painter)  # so that another may be hired in its place
            if not self.is_closed:
                self.logger.warning("one painter fewer", extra={"error": str(error)})
        else:
            self.idle.put(painter)


def _memory_bytes() -> int:
    """What this machine has, or its container may use."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # no such control group, or no limit
            limits.append(int(Path(path).read_text()))
    return min(limits)
