"""The worker's loop: receive a batch, color it while its messages are hidden, delete them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from functions.contract.work import Work

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from functions.colorize.jobs import Job, Jobs, Outcome

BATCH = 10
LONG_POLL_SECONDS = 5
VISIBILITY_SECONDS = 120
HEARTBEAT_SECONDS = VISIBILITY_SECONDS / 4
TRANSFERS = 4


class StoppedWhileWaiting(BaseException):
    """Breaks off a long poll; no ``Exception``, so that nothing on the way takes it for a fault."""


class Worker:
    """Drains one queue; :meth:`stop`, from a signal handler, ends it between two photographs."""

    def __init__(self, sqs: SQSClient, queue_url: str, jobs: Jobs, logger: Logger):
        self.sqs, self.queue_url, self.jobs, self.logger = sqs, queue_url, jobs, logger
        self.in_hand: set[str] = set()
        self.stopping = threading.Event()
        self.waiting = False

    def run(self, idle_seconds: float | None = None) -> None:
        """Works until stopped, or until the queue stayed empty for ``idle_seconds``."""
        self.jobs.publish_manifest()
        self.jobs.warm_up()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        self.logger.info("ready")
        last_work = time.monotonic()
        with ThreadPoolExecutor(TRANSFERS, thread_name_prefix="transfer") as transfers:
            while not self.stopping.is_set():
                messages = self._receive()
                if messages:
                    self._work_on(messages, transfers)
                    last_work = time.monotonic()
                elif idle_seconds is not None and time.monotonic() - last_work > idle_seconds:
                    break
                else:
                    self.jobs.publish_manifest()
        self.logger.info("leaving")

    def stop(self) -> None:
        """Ends the loop: at once while waiting for messages, else after the photograph in work."""
        self.stopping.set()
        if self.waiting:
            self.waiting = False
            raise StoppedWhileWaiting

    def _receive(self) -> list[MessageTypeDef]:
        try:
            self.waiting = not self.stopping.is_set()
            if not self.waiting:
                return []
            reply = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=LONG_POLL_SECONDS,
                VisibilityTimeout=VISIBILITY_SECONDS,
            )
            self.waiting = False
        except StoppedWhileWaiting:
            return []
        return reply.get("Messages", [])

    def _work_on(self, messages: list[MessageTypeDef], transfers: ThreadPoolExecutor) -> None:
        """Colors a batch one by one, while the next are fetched and the last are stored."""
        self.in_hand.update(message["ReceiptHandle"] for message in messages)
        fetches = [(message, transfers.submit(self._fetch, message)) for message in messages]
        stores: list[Future[None]] = []
        for message, fetch in fetches:
            if self.stopping.is_set():
                fetch.cancel()
                self._give_back(message)
                continue
            try:
                job = fetch.result()
                outcome = self.jobs.color(job) if job else None
            except Exception:
                self._leave_for_another_try(message)
            else:
                stores.append(transfers.submit(self._settle, message, job, outcome))
        for store in stores:
            store.result()

    def _fetch(self, message: MessageTypeDef) -> Job | None:
        return self.jobs.fetch(Work.from_json(message["Body"]))

    def _settle(self, message: MessageTypeDef, job: Job | None, outcome: Outcome | None) -> None:
        """Writes the result, then the record, and only then deletes the message."""
        try:
            if job is not None and outcome is not None:
                self.jobs.store(job, outcome)
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            self.in_hand.discard(message["ReceiptHandle"])
        except Exception:
            self._leave_for_another_try(message)

    def _leave_for_another_try(self, message: MessageTypeDef) -> None:
        """The message comes again when its visibility timeout ends, and dies after a few times."""
        self.in_hand.discard(message["ReceiptHandle"])
        self.logger.exception("left for another try", extra={"work": message["Body"]})

    def _give_back(self, message: MessageTypeDef) -> None:
        """Makes an untouched message visible to other workers at once."""
        self.in_hand.discard(message["ReceiptHandle"])
        self.sqs.change_message_visibility(
            QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )

    def _beat(self) -> None:
        """Keeps the messages in hand hidden for as long as they are."""
        while not self.stopping.wait(HEARTBEAT_SECONDS):
            for receipt in list(self.in_hand):
                try:
                    self.sqs.change_message_visibility(
                        QueueUrl=self.queue_url,
                        ReceiptHandle=receipt,
                        VisibilityTimeout=VISIBILITY_SECONDS,
                    )
                except Exception:
                    self.logger.exception("a message could not be kept hidden")
