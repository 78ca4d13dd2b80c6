"""A shift: the photographs that a worker colors between two waits for messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.colorize.inbox import Inbox
from functions.contract.work import BATCH, from_message

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from functions.colorize.commission import Outcome
    from functions.colorize.jobs import Job, Jobs
    from functions.contract.records import Record

Painted = tuple["Job", "Outcome"] | None  # None where nothing was left to do

BREATH_SECONDS = 1  # that a worker with idle hands waits for messages while others are at work
FEW = BATCH // 2  # messages, so that the next are there before the last of them is colored
MOST_AHEAD_BYTES = 64 * 2**20  # of uploads that are fetched and that nobody colors yet


class Shift:
    """Colors photographs, while the next are fetched and the last are stored.

    One that takes long holds up no other: what is colored first is stored first. Messages go from
    ``received`` over ``fetching``, as long as the uploads there are not too much to hold, and
    ``coloring`` to ``storing`` and, a batch at a time, out of the queue. Once few are left in the
    first two more are ``coming``, until the queue has none and nothing is in hand, or something
    went wrong.
    ``transfers`` and ``painting`` are the threads that this happens on.
    """

    def __init__(
        self,
        inbox: Inbox,
        jobs: Jobs,
        transfers: ThreadPoolExecutor,
        painting: ThreadPoolExecutor,
        logger: Logger,
        is_stopped: Callable[[], bool],
    ):
        self.inbox, self.jobs, self.logger = inbox, jobs, logger
        self.transfers, self.painting = transfers, painting
        self.is_stopped = is_stopped
        self.received: deque[MessageTypeDef] = deque()
        self.fetching: deque[tuple[MessageTypeDef, int, Future[Job | None]]] = deque()
        self.ahead_bytes = 0  # of the uploads in fetching
        self.coloring: dict[Future[Painted], MessageTypeDef] = {}
        self.storing: deque[tuple[MessageTypeDef, Future[None]]] = deque()
        self.coming: Future[list[MessageTypeDef]] | None = None
        self.untouched: list[MessageTypeDef] = []
        self.has_more = self.went_well = True

    def work(self, messages: Iterable[MessageTypeDef], is_over: Callable[[], bool]) -> bool:
        """Gives back whether all went well; what did not comes again.

        Ends when ``is_stopped`` after what is being colored; asks for no more when ``is_over``.
        """
        self._take(messages)
        while (self.fetching or self.coloring) and not self.is_stopped():
            if self.went_well and not self.coming and not is_over():
                self._ask_for_more()
            self._color()
            self._wait()
            self._store_colored()
            if self.coming and (self.coming.done() or not (self.fetching or self.coloring)):
                self._take(self._arrived())
            if len(self.storing) >= BATCH:
                self._delete_stored()
        while self.coloring:
            wait(self.coloring, return_when=FIRST_COMPLETED)
            self._store_colored()
        self._give_back_the_rest()
        while self.storing:
            self._delete_stored(wait_for_all=True)
        return self.went_well

    def _take(self, messages: Iterable[MessageTypeDef]) -> None:
        self.received.extend(messages)
        self._fetch_ahead()

    def _fetch_ahead(self) -> None:
        """One upload at least, lest the hands wait, and as many as may be held."""
        while self.received and not (self.fetching and self.ahead_bytes > MOST_AHEAD_BYTES):
            message = self.received.popleft()
            work = _work(message)
            size = work.source.size if work else 0
            self.ahead_bytes += size
            fetch = self.transfers.submit(self._fetched, message, work)
            self.fetching.append((message, size, fetch))

    def _fetched(self, message: MessageTypeDef, work: Record | None) -> Job | None:
        work = work or from_message(message["Body"])  # which says what is wrong with it
        is_again = message.get("Attributes", {}).get("ApproximateReceiveCount") != "1"
        return self.jobs.fetch(work, is_again)

    def _ask_for_more(self) -> None:
        in_line = len(self.received) + len(self.fetching)
        has_idle_hands = len(self.coloring) < self.jobs.painter.hands
        if in_line <= FEW and (self.has_more or has_idle_hands):
            count, seconds = BATCH - in_line, 0 if self.has_more else BREATH_SECONDS
            self.coming = self.transfers.submit(self.inbox.receive, count, seconds)

    def _arrived(self) -> list[MessageTypeDef]:
        assert self.coming is not None
        try:
            messages = self.coming.result()
        except (BotoCoreError, ClientError):
            # The worker's next wait finds out whether that goes on; asked here it would not end.
            messages, self.went_well = [], False
        self.coming = None
        self.has_more = bool(messages)
        return messages

    def _color(self) -> None:
        """Sees that all hands have a photograph, and the first of them to be done the next."""
        while self.fetching and len(self.coloring) <= self.jobs.painter.hands:
            message, size, fetch = self.fetching.popleft()
            self.ahead_bytes -= size
            self.coloring[self.painting.submit(self._colored, fetch)] = message
            self._fetch_ahead()

    def _colored(self, fetch: Future[Job | None]) -> Painted:
        job = fetch.result()
        if self.is_stopped():
            raise CancelledError
        return (job, self.jobs.color(job)) if job else None

    def _wait(self) -> None:
        """Until a photograph is colored, or more have come."""
        begun: list[Future[Any]] = [*self.coloring, *([self.coming] if self.coming else [])]
        wait(begun, return_when=FIRST_COMPLETED)

    def _store_colored(self) -> None:
        for color in [color for color in self.coloring if color.done()]:
            self._store(self.coloring.pop(color), color)

    def _store(self, message: MessageTypeDef, color: Future[Painted]) -> None:
        try:
            colored = color.result()
        except CancelledError:
            self.untouched.append(message)
        except Exception:
            self._leave_for_another_try(message)
        else:
            self.storing.append((message, self.transfers.submit(self._stored, colored)))

    def _stored(self, colored: Painted) -> None:
        if colored is not None:
            self.jobs.store(*colored)

    def _delete_stored(self, wait_for_all: bool = False) -> None:
        """Deletes the oldest batch of messages in one request, once all of it is stored."""
        batch = list(islice(self.storing, BATCH))
        if not wait_for_all and not all(store.done() for _, store in batch):
            return
        stored = []
        for message, store in batch:
            self.storing.popleft()
            try:
                store.result()
            except Exception:
                self._leave_for_another_try(message)
            else:
                stored.append(message)
        if stored:
            self.transfers.submit(self.inbox.delete, stored)

    def _leave_for_another_try(self, message: MessageTypeDef) -> None:
        """The message comes again when its visibility timeout ends, and dies after a few times."""
        self.went_well = False
        self.inbox.in_hand.discard(message["ReceiptHandle"])
        self.logger.exception("left for another try", extra=_told(message))

    def _give_back_the_rest(self) -> None:
        """Nobody has begun to color these when the shift is stopped."""
        for message, _, fetch in self.fetching:
            fetch.cancel()
            self.untouched.append(message)
        self.untouched += self.received
        if self.coming:
            self.untouched += self._arrived()
        self.inbox.give_back(self.untouched)


def _work(message: MessageTypeDef) -> Record | None:
    """What a message asks for; ``None`` where it is no message of dispatch's."""
    try:
        return from_message(message["Body"])
    except ValueError:
        return None


def _told(message: MessageTypeDef) -> dict[str, str]:
    """What a log line says of a message."""
    work = _work(message)
    if work is None:
        return {"work": message["Body"]}
    return {"key": work.key, "correlation_id": work.correlation_id}
