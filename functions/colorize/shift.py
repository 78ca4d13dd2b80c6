"""A shift: the photographs that a worker colors between two waits for messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.colorize.inbox import BATCH, Inbox
from functions.contract.work import Work

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from functions.colorize.commission import Outcome
    from functions.colorize.jobs import Job, Jobs

FEW = BATCH // 2  # messages, so that the next are there before the last of them is colored


class Shift:
    """Colors photographs one by one, while the next are fetched and the last are stored.

    Messages go from ``fetching`` to ``storing`` and, a batch at a time, out of the queue. Once few
    are left in ``fetching`` more are ``coming``, until the queue has none or something went wrong.
    """

    def __init__(self, inbox: Inbox, jobs: Jobs, transfers: ThreadPoolExecutor, logger: Logger):
        self.inbox, self.jobs, self.transfers, self.logger = inbox, jobs, transfers, logger
        self.fetching: deque[tuple[MessageTypeDef, Future[Job | None]]] = deque()
        self.storing: deque[tuple[MessageTypeDef, Future[None]]] = deque()
        self.coming: Future[list[MessageTypeDef]] | None = None
        self.has_more = self.went_well = True

    def work(
        self,
        messages: Iterable[MessageTypeDef],
        is_stopped: Callable[[], bool],
        is_over: Callable[[], bool],
    ) -> bool:
        """Gives back whether all went well; what did not comes again.

        Ends when ``is_stopped`` after the photograph in work; asks for no more when ``is_over``.
        """
        self._fetch(messages)
        while self.fetching and not is_stopped():
            if self.has_more and self.went_well and not self.coming and not is_over():
                self._ask_for_more()
            self._color(*self.fetching.popleft())
            if self.coming and (self.coming.done() or not self.fetching):
                self._fetch(self._arrived())
            if len(self.storing) >= BATCH:
                self._delete_stored()
        self._give_back_the_rest()
        while self.storing:
            self._delete_stored(wait=True)
        return self.went_well

    def _fetch(self, messages: Iterable[MessageTypeDef]) -> None:
        for message in messages:
            self.fetching.append((message, self.transfers.submit(self._fetched, message)))

    def _fetched(self, message: MessageTypeDef) -> Job | None:
        return self.jobs.fetch(Work.from_json(message["Body"]))

    def _ask_for_more(self) -> None:
        if len(self.fetching) <= FEW:
            count = BATCH - len(self.fetching)
            self.coming = self.transfers.submit(self.inbox.receive, count, 0)

    def _arrived(self) -> list[MessageTypeDef]:
        assert self.coming is not None
        try:
            messages = self.coming.result()
        except (BotoCoreError, ClientError):
            messages = []  # the worker's next wait finds out whether that goes on
        self.coming = None
        self.has_more = bool(messages)
        return messages

    def _color(self, message: MessageTypeDef, fetch: Future[Job | None]) -> None:
        try:
            job = fetch.result()
            outcome = self.jobs.color(job) if job else None
        except Exception:
            self._leave_for_another_try(message)
        else:
            self.storing.append((message, self.transfers.submit(self._store, job, outcome)))

    def _store(self, job: Job | None, outcome: Outcome | None) -> None:
        if job is not None and outcome is not None:
            self.jobs.store(job, outcome)

    def _delete_stored(self, wait: bool = False) -> None:
        """Deletes the oldest batch of messages in one request, once all of it is stored."""
        batch = list(islice(self.storing, BATCH))
        if not wait and not all(store.done() for _, store in batch):
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
        self.logger.exception("left for another try", extra=_told(message["Body"]))

    def _give_back_the_rest(self) -> None:
        """Nobody has worked on what is still to be colored when the shift is stopped."""
        for _, fetch in self.fetching:
            fetch.cancel()
        rest = [message for message, _ in self.fetching]
        if self.coming:
            rest += self._arrived()
        self.inbox.give_back(rest)


def _told(body: str) -> dict[str, str]:
    """What a log line says of a message."""
    try:
        work = Work.from_json(body)
    except (TypeError, ValueError):
        return {"work": body}
    return {"key": work.key, "correlation_id": work.correlation_id}
