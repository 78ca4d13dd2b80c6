"""What is to be done should something take too long, which it hardly ever does.

One thread waits for all of it: :class:`threading.Timer` starts one each time and waits until it
runs, with the painter's core idle meanwhile, for a fiftieth of the time that a photograph takes.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@contextmanager
def alarm(seconds: float, action: Callable[[], None], wait_seconds: float = 0.0) -> Iterator[None]:
    """Has ``action`` done, on a thread of its own, if what is within takes longer than ``seconds``.

    If it has begun by the end, it is waited for so long.
    """
    ringing = _clock.set(seconds, action)
    try:
        yield
    finally:
        _clock.call_off(ringing)
        if ringing.thread is not None:
            ringing.thread.join(wait_seconds)


@dataclass(eq=False)
class _Alarm:
    due: float  # by the monotonic clock
    action: Callable[[], None]
    thread: threading.Thread | None = None  # once it rings

    def ring(self) -> None:
        self.thread = threading.Thread(target=self.action, name="alarm", daemon=True)
        self.thread.start()


class _Clock:
    def __init__(self) -> None:
        self.alarms: set[_Alarm] = set()
        self.changed = threading.Condition()
        self.thread: threading.Thread | None = None
        self.wakes_at = math.inf

    def set(self, seconds: float, action: Callable[[], None]) -> _Alarm:
        one = _Alarm(time.monotonic() + seconds, action)
        with self.changed:
            self.alarms.add(one)
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._run, name="clock", daemon=True)
                self.thread.start()
            elif one.due < self.wakes_at:
                self.changed.notify()
        return one

    def call_off(self, one: _Alarm) -> None:
        """Wakes nobody: the clock finds nothing to do then."""
        with self.changed:
            self.alarms.discard(one)

    def _run(self) -> None:
        with self.changed:
            while True:
                now = time.monotonic()
                for one in [one for one in self.alarms if one.due <= now]:
                    one.ring()
                    self.alarms.remove(one)
                self.wakes_at = min((one.due for one in self.alarms), default=math.inf)
                self.changed.wait(min(self.wakes_at - now, threading.TIMEOUT_MAX))


_clock = _Clock()
