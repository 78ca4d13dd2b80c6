"""What goes wrong in a run, and when: drawn from a seed, and counted as it happens."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.chaos.proxy import Answer, Request, ResetError, error

FAULT_SHARE = 0.04  # of all requests
OUTAGE_SHARE = 0.08  # of these steps of each photograph's job
OUTAGE_STEPS = {"download", "result", "final"}
OUTAGE_REQUESTS = 5  # as often as boto3 tries
ECHO_SHARE = 0.1  # of all batches that a worker receives
SLOW_SECONDS = 0.3
DEAF = "worker-b"  # none of its heartbeats is heard
DISPATCHERS = ("dispatcher-a", "dispatcher-b")
WORKERS = ("worker-a", "worker-b")

Point = tuple[str, str]

WORKER_POINTS: tuple[Point, ...] = (
    ("receive", "after"),
    ("download", "after"),
    ("coloring", "after"),
    ("result", "before"),
    ("result", "after"),
    ("final", "before"),
    ("final", "after"),
    ("delete", "after"),
)
DISPATCHER_POINTS: tuple[Point, ...] = (
    ("receive", "after"),
    ("look", "after"),
    ("order", "after"),
    ("send", "after"),
)
BURIER_POINTS: tuple[Point, ...] = (("receive", "after"), ("final", "after"))
MEDDLING_POINTS: tuple[Point, ...] = (
    ("look", "after"),
    ("order", "after"),
    ("download", "before"),
    ("download", "after"),
    ("result", "before"),
    ("result", "after"),
    ("final", "after"),
)


@dataclass
class Kill:
    """Ends the first piece of a kind that comes to a point, once the run has come so far.

    ``how`` is kill or terminate, or painter for the process that a worker colors in. Dispatchers
    are far ahead of the workers: ``not_before`` counts the orders opened for the ones, and those
    that are over for the others.
    """

    kind: str
    point: Point
    how: str
    not_before: int


@dataclass
class Plan:
    """Listens to all pieces. ``end(piece, how)`` ends one, ``meddle[key]`` changes an upload."""

    seed: int
    end: Callable[[str, str], bool]
    is_armed: bool = False
    kills: list[Kill] = field(default_factory=list)
    meddle: dict[str, tuple[Point, Callable[[], None]]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    points: Counter[tuple[str, Point]] = field(default_factory=Counter)
    opened: set[tuple[str, int]] = field(default_factory=set)
    finals: Counter[tuple[str, int]] = field(default_factory=Counter)
    echoes: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {worker: [] for worker in WORKERS}
    )
    received_by: dict[str, str] = field(default_factory=dict)
    asked: Counter[tuple[str, ...]] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def before(self, request: Request) -> Answer | None:
        with self.lock:
            self.counts["requests"] += 1
            self._come_to(request, "before")
            fault = self._fault(request, "before")
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        elif fault == "reset":
            raise ResetError
        elif fault:
            return error(request, int(fault))
        return None

    def after(self, request: Request, answer: Answer) -> Answer:
        with self.lock:
            if answer.status == 200:
                self._note(request)
            if request.operation == "ReceiveMessage" and self.is_armed:
                answer = self._mixed(request, answer)
            if request.operation != "ReceiveMessage" or answer.fields.get("Messages"):
                self._come_to(request, "after")
            fault = self._fault(request, "after")
        if fault == "lost":
            raise ResetError
        if fault == "cut":
            raise ResetError(answer, len(answer.body) // 2)
        return answer

    def forget(self, piece: str) -> None:
        """A piece has ended, and holds no message any more."""
        with self.lock:
            self.received_by = {
                message: holder for message, holder in self.received_by.items() if holder != piece
            }

    def progress_of(self, kind: str) -> int:
        """How many orders are opened, for dispatchers, or have a final record."""
        with self.lock:
            return len(self.opened if kind == "dispatcher" else self.finals)

    def _note(self, request: Request) -> None:
        if request.operation == "PUT" and request.record_of is not None:
            record = request.fields
            order = (record["key"], record["order"])
            self.opened.add(order)
            if record["status"] in {"done", "failed"}:
                self.finals[order] += 1

    def _come_to(self, request: Request, phase: str) -> None:
        """Kills and meddles where that is planned at this point."""
        step = step_of(request)
        if step is None or not self.is_armed:
            return
        point, kind = (step, phase), request.piece.partition("-")[0]
        planned, change = self.meddle.get(request.record_of or request.key, (None, None))
        if planned == point and change is not None:
            del self.meddle[request.record_of or request.key]
            change()
            self.counts["meddled"] += 1
        for kill in self.kills:
            is_due = kill.not_before <= self.progress_of(kind)
            if (kill.kind, kill.point) == (kind, point) and is_due:
                if not self.end(request.piece, kill.how):
                    continue
                self.kills.remove(kill)
                self.points[kind, point] += 1
                self.counts[f"{kind}s ended by {kill.how}"] += 1
                if kill.how == "kill":
                    raise ResetError
                break

    def _fault(self, request: Request, phase: str) -> str | None:
        if not self.is_armed or request.operation == "Coloring":
            return None
        if request.operation == "ChangeMessageVisibilityBatch" and request.piece == DEAF:
            self.counts["heartbeats unheard"] += phase == "before"
            return "503" if phase == "before" else None
        asked = (request.piece, request.operation, request.place, request.key, phase)
        self.asked[asked] += 1
        if phase == "before" and self._is_out(request):
            return "503"
        chance = random.Random(f"{self.seed} {asked} {self.asked[asked]}")
        if chance.random() > FAULT_SHARE / 2:
            return None
        if phase == "before":
            fault = chance.choice(["500", "503", "slow", "reset"])
        else:
            fault = "cut" if request.operation == "GET" else "lost"
        self.counts["faults"] += 1
        self.counts[f"faults: {fault}"] += 1
        return fault

    def _is_out(self, request: Request) -> bool:
        """Whether a step of a worker's job fails for good this time, for all that boto3 tries."""
        step = step_of(request)
        if request.piece not in WORKERS or step not in OUTAGE_STEPS:
            return False
        asked = (request.piece, step, request.key)
        self.asked[asked] += 1
        number = self.asked[asked]
        if (
            random.Random(f"{self.seed} {asked}").random() > OUTAGE_SHARE
            or number > OUTAGE_REQUESTS
        ):
            return False
        self.counts["faults"] += 1
        self.counts["steps that failed for good"] += number == OUTAGE_REQUESTS
        return True

    def _mixed(self, request: Request, answer: Answer) -> Answer:
        """Repeats messages and shuffles them."""
        messages = answer.fields.get("Messages", [])
        chance = random.Random(f"{self.seed} {request.piece} {self.counts['batches']}")
        self.counts["batches"] += bool(messages)
        if request.piece in DISPATCHERS and messages:
            messages.append(chance.choice(messages))
            self.counts["events repeated"] += 1
            chance.shuffle(messages)
            messages = messages[:10]
        if request.piece in WORKERS:
            for message in messages:
                before = self.received_by.get(message["MessageId"], request.piece)
                self.counts["messages gone from one living worker to the other"] += (
                    before != request.piece
                )
                self.received_by[message["MessageId"]] = request.piece
            other = WORKERS[1 - WORKERS.index(request.piece)]
            if messages and chance.random() < ECHO_SHARE:
                self.echoes[other].append(chance.choice(messages))
            mine = self.echoes[request.piece]
            while mine and len(messages) < 10:
                messages.append(mine.pop())
                self.counts["messages given to both workers"] += 1
        return replace(answer, body=json.dumps({"Messages": messages} if messages else {}).encode())


def step_of(request: Request) -> str | None:
    """Where in its job a piece is that asks this."""
    is_put = request.operation == "PUT" and request.place == "deepcolor-results"
    if is_put and request.record_of is not None:
        status = request.fields["status"]
        return {"queued": "order", "running": "running"}.get(status, "final")
    if is_put:
        return "result" if request.key != "strategies.json" else None
    if request.place == "deepcolor-uploads":
        return {"HEAD": "look", "GET": "download"}.get(request.operation) if request.key else None
    return {
        "Coloring": "coloring",
        "ReceiveMessage": "receive",
        "SendMessageBatch": "send",
        "DeleteMessageBatch": "delete",
    }.get(request.operation)
