"""The fleet, event by event: uploads queue up, workers wake, work, are lost, idle and leave.

It follows the template and ``functions/workers/wake.py``: each dispatch and, once a minute, the
sweep wake as many workers as the backlog asks for, up to a cap; a worker is one Batch job on one
instance, takes batches of ten and leaves when the queue stayed empty. An instance that a job has
left stands for a while, is paid for, and takes the next job. A spot instance may be taken back: the
photographs it had not finished go back into the queue, and Batch tries the job again elsewhere.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from functions.contract.work import BATCH
from functions.workers.wake import workers_for
from infra.costs.arrivals import HOUR, Seconds
from infra.costs.figures import Chip, Figures

SWEEP_SECONDS = 60.0


@dataclass(frozen=True)
class Policy:
    """How many workers wake, and how long one waits for more: what the template has as defaults."""

    max_workers: int = 4
    photographs_per_worker: int = 500
    idle_seconds: float = 60.0


@dataclass(eq=False)
class Instance:
    """A machine that is paid for from ``begin`` to ``end``, in seconds since the trace began."""

    is_spot: bool
    begin: float
    end: float = math.inf


@dataclass(eq=False)
class Worker:
    """A Batch job. ``turn`` numbers what it does, so that events it has outlived are known."""

    instance: Instance | None = None
    turn: int = 0
    in_hand: list[int] = field(default_factory=list)
    last_work: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of a trace. ``done`` has the time of each upload's result."""

    uploaded: Seconds
    done: Seconds
    instances: list[Instance]
    compute_dollars: float
    request_dollars: float
    lost: int

    @property
    def waits(self) -> Seconds:
        return self.done - self.uploaded

    @property
    def dollars_per_thousand(self) -> float:
        return (self.compute_dollars + self.request_dollars) / len(self.done) * 1000

    @property
    def peak_fleet(self) -> int:
        return int(self.fleet()[1].max())

    def fleet(self) -> tuple[Seconds, Seconds]:
        """The moments at which the number of instances changes, and the number from then on."""
        begins = np.array([instance.begin for instance in self.instances])
        ends = np.array([instance.end for instance in self.instances])
        times = np.concatenate([begins, ends])
        # An end before a beginning of the same moment.
        changes = np.repeat([1, -1], len(begins))[
            order := np.lexsort((np.arange(times.size), times))
        ]
        return times[order], np.cumsum(changes).astype(np.float64)

    def backlog(self, times: Seconds) -> Seconds:
        """How many photographs had been uploaded and not colored at each of ``times``."""
        uploaded = np.searchsorted(self.uploaded, times, side="right")
        done = np.searchsorted(np.sort(self.done), times, side="right")
        return (uploaded - done).astype(np.float64)


def simulate(
    uploaded: Seconds, chip: Chip, figures: Figures, policy: Policy, seed: int = 1
) -> Outcome:
    """Runs a trace of uploads, in seconds and sorted, to its end: all colored, nothing running."""
    return _Simulation(uploaded, chip, figures, policy, seed).run()


class _Simulation:
    def __init__(self, uploaded: Seconds, chip: Chip, figures: Figures, policy: Policy, seed: int):
        self.uploaded, self.chip, self.figures, self.policy = uploaded, chip, figures, policy
        self.random = np.random.default_rng(seed)
        # Dispatch in a row: each after the one before, and no faster than it can.
        pace = np.arange(len(uploaded)) / figures.dispatched_per_second
        self.queued = np.maximum.accumulate(uploaded + figures.times.dispatch - pace) + pace
        self.done = np.full(len(uploaded), np.nan)
        self.fresh = 0  # the next upload that nobody has taken
        self.returned: deque[int] = deque()
        self.finished = 0
        self.workers: set[Worker] = set()
        self.idle: deque[Worker] = deque()  # who waits for messages, the longest first
        self.is_expecting = False
        self.standing: list[Instance] = []
        self.instances: list[Instance] = []
        self.lost = 0
        self.events: list[tuple[float, int, Callable[[float], None]]] = []
        self.number = itertools.count()

    def run(self) -> Outcome:
        for second in np.unique(np.ceil(self.queued)):
            self._at(float(second), self._wake)
        self._at(float(self.queued[0]) + SWEEP_SECONDS, self._sweep)
        while self.events:
            now, _, event = heapq.heappop(self.events)
            event(now)
        return Outcome(
            self.uploaded,
            self.done,
            self.instances,
            sum(self._dollars(instance) for instance in self.instances),
            len(self.uploaded) * self.figures.dollars_per_photograph,
            self.lost,
        )

    def _at(self, time: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self.events, (time, next(self.number), event))

    def _then(self, worker: Worker, time: float, action: Callable[[Worker, float], None]) -> None:
        """Lets a worker act at a time, unless it does something else before."""
        worker.turn += 1
        turn = worker.turn
        self._at(time, lambda now: action(worker, now) if worker.turn == turn else None)

    def _dollars(self, instance: Instance) -> float:
        price = self.chip.spot if instance.is_spot else self.chip.on_demand
        hours = (instance.end - instance.begin) / HOUR
        return hours * (price + self.figures.dollars_per_instance_hour)

    # ---- Waking

    def _sweep(self, now: float) -> None:
        self._wake(now)
        if self.finished < len(self.done):
            # Through hours without uploads there is nothing to see.
            empty = self._waiting(now) == 0 and not self.workers
            later = float(self.queued[self.fresh]) if empty else now
            self._at(max(now, later) + SWEEP_SECONDS, self._sweep)

    def _wake(self, now: float) -> None:
        in_hand = sum(len(worker.in_hand) for worker in self.workers)
        wanted = workers_for(
            self._waiting(now) + in_hand,
            self.policy.photographs_per_worker,
            self.policy.max_workers,
        )
        for _ in range(wanted - len(self.workers)):
            worker = Worker()
            self.workers.add(worker)
            self._start(worker, now)

    def _start(self, worker: Worker, now: float) -> None:
        """On an instance that stands, or else on one to be had."""
        times = self.figures.times
        if self.standing:
            worker.instance = self.standing.pop()
            worker.instance.end = math.inf
            ready = now + times.restart
        else:
            begin = now + self.random.uniform(*times.acquire)
            is_spot = bool(self.random.random() < self.figures.spot_share)
            worker.instance = instance = Instance(is_spot, begin)
            self.instances.append(instance)
            if is_spot and self.figures.spot_losses_per_hour:
                lasts = self.random.exponential(HOUR / self.figures.spot_losses_per_hour)
                self._at(begin + lasts, lambda at: self._lose(instance, at))
            ready = begin + self.random.uniform(*times.start)
        worker.last_work = ready
        self._then(worker, ready, self._take)

    # ---- Working

    def _waiting(self, now: float) -> int:
        return (
            int(np.searchsorted(self.queued, now, side="right")) - self.fresh + len(self.returned)
        )

    def _take(self, worker: Worker, now: float) -> None:
        """A batch from the queue, or else the wait for one."""
        self._settle(worker, now)
        while self.returned and len(worker.in_hand) < BATCH:
            worker.in_hand.append(self.returned.popleft())
        while (
            len(worker.in_hand) < BATCH
            and self.fresh < len(self.queued)
            and self.queued[self.fresh] <= now
        ):
            worker.in_hand.append(self.fresh)
            self.fresh += 1
        if not worker.in_hand:
            self.idle.append(worker)
            deadline = worker.last_work + self.policy.idle_seconds
            self._then(worker, deadline, self._leave)
            self._expect()
            return
        each = 1 / self.chip.photographs_per_second
        for place, photograph in enumerate(worker.in_hand, start=1):
            self.done[photograph] = now + place * each
        worker.last_work = now + len(worker.in_hand) * each
        self._then(worker, worker.last_work, self._take)

    def _settle(self, worker: Worker, now: float) -> None:
        """Counts what is done of a batch and puts the rest back."""
        unfinished = [photograph for photograph in worker.in_hand if self.done[photograph] > now]
        self.finished += len(worker.in_hand) - len(unfinished)
        self.done[unfinished] = np.nan
        self.returned.extend(unfinished)
        worker.in_hand = []

    def _expect(self) -> None:
        """The next upload goes to whoever waits then."""
        if self.idle and not self.is_expecting and self.fresh < len(self.queued):
            self.is_expecting = True
            self._at(float(self.queued[self.fresh]), self._hand_out)

    def _hand_out(self, now: float) -> None:
        self.is_expecting = False
        while self.idle and self._waiting(now):
            self._take(self.idle.popleft(), now)
        self._expect()

    def _leave(self, worker: Worker, now: float) -> None:
        self.workers.remove(worker)
        self.idle.remove(worker)
        instance = worker.instance
        assert instance is not None
        self.standing.append(instance)
        instance.end = now + self.figures.times.linger
        self._at(instance.end, lambda at: self._end(instance, at))

    def _end(self, instance: Instance, now: float) -> None:
        if instance in self.standing and instance.end == now:
            self.standing.remove(instance)

    def _lose(self, instance: Instance, now: float) -> None:
        if instance.end <= now:
            return
        self.lost += 1
        instance.end = now
        if instance in self.standing:
            self.standing.remove(instance)
            return
        [worker] = [worker for worker in self.workers if worker.instance is instance]
        if worker in self.idle:
            self.idle.remove(worker)
        self._settle(worker, now)
        self._start(worker, now)
        self._hand_out(now)
