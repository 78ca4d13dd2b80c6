"""The worker's loop: receive a batch, color it while its messages are hidden, delete them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from functions.contract.work import Work

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        MessageTypeDef,
    )

    from functions.colorize.commission import Outcome
    from functions.colorize.jobs import Job, Jobs

BATCH = 10
LONG_POLL_SECONDS = 5
BEATS = 4  # within the queue's visibility timeout
TRANSFERS = 4
PATIENCE_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 30.0

Answer = TypeVar("Answer")


class StoppedWhileWaiting(BaseException):
    """Breaks off a long poll; no ``Exception``, so that nothing on the way takes it for a fault."""


class Worker:
    """Drains one queue; :meth:`stop`, from a signal handler, ends it between two photographs."""

    def __init__(self, sqs: SQSClient, queue_url: str, jobs: Jobs, logger: Logger):
        self.sqs, self.queue_url, self.jobs, self.logger = sqs, queue_url, jobs, logger
        self.visibility_seconds = 0
        self.in_hand: set[str] = set()
        self.stopping = threading.Event()
        self.waiting = False

    def run(self, idle_seconds: float | None = None, most_seconds: float | None = None) -> None:
        """Works until stopped, until the queue stayed empty for ``idle_seconds``, or for
        ``most_seconds`` and what it then has in hand.

        Receives nothing before it has seen that it can work; raises as :meth:`Jobs.get_ready`
        does, and what AWS answers that stays out of reach.
        """
        self.visibility_seconds = self._visibility_seconds()
        self.jobs.get_ready()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        self.logger.info("ready")
        begin = last_work = time.monotonic()
        with ThreadPoolExecutor(TRANSFERS, thread_name_prefix="transfer") as transfers:
            while not self.stopping.is_set():
                if most_seconds is not None and time.monotonic() - begin > most_seconds:
                    break
                messages = self._patiently(self._receive)
                if messages:
                    if not self._work_on(messages, transfers):
                        # Receiving while S3 is out of reach would only use up the messages' tries.
                        self._patiently(self.jobs.look)
                    last_work = time.monotonic()
                elif idle_seconds is not None and time.monotonic() - last_work > idle_seconds:
                    break
                else:
                    self._patiently(self.jobs.publish_manifest)
        self.logger.info("leaving")

    def stop(self) -> None:
        """Ends the loop: at once while waiting for messages, else after the photograph in work."""
        self.stopping.set()
        if self.waiting:
            self.waiting = False
            raise StoppedWhileWaiting

    def release(self) -> None:
        """Makes all messages in hand visible to other workers at once."""
        self._hide(self.in_hand, 0)

    def _visibility_seconds(self) -> int:
        """How long the queue hides a message that was received, unless told otherwise."""
        reply = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["VisibilityTimeout"]
        )
        return int(reply["Attributes"]["VisibilityTimeout"])

    def _patiently(self, call: Callable[[], Answer]) -> Answer | None:
        """What ``call`` gives, once AWS is within reach; ``None`` when stopped before.

        Raises what it ran into last when that goes on for too long.
        """
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, 1.0
        while not self.stopping.is_set():
            try:
                return call()
            except (BotoCoreError, ClientError) as error:
                if time.monotonic() > deadline:
                    raise
                self.logger.warning("out of reach", extra={"error": str(error)})
            self.stopping.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return None

    def _receive(self) -> list[MessageTypeDef]:
        try:
            self.waiting = not self.stopping.is_set()
            if not self.waiting:
                return []
            try:
                reply = self.sqs.receive_message(
                    QueueUrl=self.queue_url,
                    MaxNumberOfMessages=BATCH,
                    WaitTimeSeconds=LONG_POLL_SECONDS,
                )
            finally:
                self.waiting = False
        except StoppedWhileWaiting:
            return []
        return reply.get("Messages", [])

    def _work_on(self, messages: Sequence[MessageTypeDef], transfers: ThreadPoolExecutor) -> bool:
        """Colors a batch one by one, while the next are fetched and the last are stored.

        Gives back whether all went well; what did not comes again.
        """
        self.in_hand.update(message["ReceiptHandle"] for message in messages)
        fetches = [transfers.submit(self._fetch, message) for message in messages]
        stores: list[tuple[MessageTypeDef, Future[None]]] = []
        for i, (message, fetch) in enumerate(zip(messages, fetches, strict=True)):
            if self.stopping.is_set():
                self._give_back(messages[i:], fetches[i:])
                break
            try:
                job = fetch.result()
                outcome = self.jobs.color(job) if job else None
            except Exception:
                self._leave_for_another_try(message)
            else:
                stores.append((message, transfers.submit(self._store, job, outcome)))
        stored = [message for message, store in stores if self._is_stored(message, store)]
        self._delete(stored)
        return len(stored) == len(stores) == len(messages)

    def _fetch(self, message: MessageTypeDef) -> Job | None:
        return self.jobs.fetch(Work.from_json(message["Body"]))

    def _store(self, job: Job | None, outcome: Outcome | None) -> None:
        if job is not None and outcome is not None:
            self.jobs.store(job, outcome)

    def _is_stored(self, message: MessageTypeDef, store: Future[None]) -> bool:
        try:
            store.result()
        except Exception:
            self._leave_for_another_try(message)
            return False
        return True

    def _delete(self, messages: Sequence[MessageTypeDef]) -> None:
        """Deletes messages whose results and records are written; else they come once more."""
        if not messages:
            return
        receipts = [message["ReceiptHandle"] for message in messages]
        try:
            self.sqs.delete_message_batch(
                QueueUrl=self.queue_url,
                Entries=[{"Id": str(i), "ReceiptHandle": one} for i, one in enumerate(receipts)],
            )
        except (BotoCoreError, ClientError) as error:
            self.logger.warning("done, but not deleted", extra={"error": str(error)})
        self.in_hand.difference_update(receipts)

    def _leave_for_another_try(self, message: MessageTypeDef) -> None:
        """The message comes again when its visibility timeout ends, and dies after a few times."""
        self.in_hand.discard(message["ReceiptHandle"])
        self.logger.exception("left for another try", extra=_told(message["Body"]))

    def _give_back(
        self, messages: Sequence[MessageTypeDef], fetches: Sequence[Future[Job | None]]
    ) -> None:
        """Makes messages that nobody worked on visible to other workers at once."""
        for fetch in fetches:
            fetch.cancel()
        receipts = [message["ReceiptHandle"] for message in messages]
        self.in_hand.difference_update(receipts)
        self._hide(receipts, 0)

    def _hide(self, receipts: Iterable[str], seconds: int) -> None:
        """Hides messages for so long from now on; if that fails, they come back in their time."""
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(i), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for i, receipt in enumerate(list(receipts))
        ]
        if not entries:
            return
        try:
            self.sqs.change_message_visibility_batch(QueueUrl=self.queue_url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            told = {"error": str(error), "seconds": seconds}
            self.logger.warning("visibility stayed as it was", extra=told)

    def _beat(self) -> None:
        """Keeps the messages in hand hidden for as long as they are."""
        while not self.stopping.wait(self.visibility_seconds / BEATS):
            self._hide(self.in_hand, self.visibility_seconds)


def _told(body: str) -> dict[str, str]:
    """What a log line says of a message."""
    try:
        work = Work.from_json(body)
    except (TypeError, ValueError):
        return {"work": body}
    return {"key": work.key, "correlation_id": work.correlation_id}
