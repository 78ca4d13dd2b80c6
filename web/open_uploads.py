"""A bound on the uploads that a visitor has begun and not finished."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock

from web.problems import Problem

LIMIT = 100
REMEMBERED_VISITORS = 1000
LOOK_AGAIN_SECONDS = 5


@dataclass
class _Begun:
    """One visitor's: until when, in seconds of the monotonic clock, each key may be uploaded."""

    until: dict[str, float] = field(default_factory=dict)
    looked: float = float("-inf")

    def takes(self, key: str, lasting_seconds: float) -> bool:
        """Counts one more, unless there are too many."""
        now = time.monotonic()
        self.until = {each: until for each, until in self.until.items() if until > now}
        if len(self.until) >= LIMIT:
            return False
        self.until[key] = now + lasting_seconds
        return True


@dataclass(frozen=True)
class OpenUploads:
    """Counts in this process's memory, so that beginning an upload costs no request to S3.

    It keeps a hasty or broken page in bounds, not a determined visitor: that is the gateway's
    part. ``arrived`` tells which of some keys have been uploaded, and is asked only when the
    count is full.
    """

    arrived: Callable[[list[str]], list[str]]
    lasting_seconds: float
    visitors: OrderedDict[str, _Begun] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def begin(self, visitor: str, key: str) -> None:
        """Counts one more; raises :class:`Problem` when the visitor has too many open."""
        with self.lock:
            begun = self._of(visitor)
            if begun.takes(key, self.lasting_seconds):
                return
            now = time.monotonic()
            looks = now > begun.looked + LOOK_AGAIN_SECONDS
            if looks:
                begun.looked = now
            keys = list(begun.until)
        if looks:
            there = self.arrived(keys)
            with self.lock:
                for finished in there:
                    begun.until.pop(finished, None)
                if begun.takes(key, self.lasting_seconds):
                    return
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too-many-open-uploads",
            f"{LIMIT} uploads have begun and not arrived. Let some finish, then try again.",
            retry_seconds=LOOK_AGAIN_SECONDS,
        )

    def end(self, visitor: str, key: str) -> None:
        """Counts the upload no longer, whether it arrived or not."""
        with self.lock:
            if visitor in self.visitors:
                self.visitors[visitor].until.pop(key, None)

    def _of(self, visitor: str) -> _Begun:
        begun = self.visitors.setdefault(visitor, _Begun())
        self.visitors.move_to_end(visitor)
        if len(self.visitors) > REMEMBERED_VISITORS:
            self.visitors.popitem(last=False)
        return begun
