"""The worker's loop: receive messages, color while they are hidden, delete them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from functions.colorize.inbox import Inbox
from functions.colorize.shift import Shift
from functions.contract.work import BATCH

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from functions.colorize.jobs import Jobs

LONG_POLL_SECONDS = 2  # which a worker that is told to leave waits out, too
BEATS = 4  # within the queue's visibility timeout
TRANSFERS = 4
PATIENCE_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 30.0

Answer = TypeVar("Answer")


class Worker:
    """Drains one queue; :meth:`stop`, from a signal handler, ends it between photographs."""

    def __init__(self, sqs: SQSClient, queue_url: str, jobs: Jobs, logger: Logger):
        self.inbox = Inbox(sqs, queue_url, logger, jobs.has_successors)
        self.jobs, self.logger = jobs, logger
        self.stopping = threading.Event()

    def run(self, idle_seconds: float | None = None, most_seconds: float | None = None) -> None:
        """Works until stopped, until the queue stayed empty for ``idle_seconds``, for
        ``most_seconds`` and what it then has in hand, or until a deployment has outdated it.

        Receives nothing before it has seen that it can work; raises as :meth:`Jobs.get_ready`
        does, and what AWS answers that stays out of reach.
        """
        visibility_seconds = self.inbox.visibility_seconds()
        self.jobs.get_ready()
        threading.Thread(
            target=self._beat, args=(visibility_seconds,), name="heartbeat", daemon=True
        ).start()
        self.logger.info("ready")
        begin = last_work = time.monotonic()

        def is_over() -> bool:
            if self.stopping.is_set() or self.jobs.is_outdated:
                return True
            return most_seconds is not None and time.monotonic() - begin > most_seconds

        with (
            ThreadPoolExecutor(TRANSFERS, thread_name_prefix="transfer") as transfers,
            ThreadPoolExecutor(self.jobs.painter.hands, thread_name_prefix="paint") as painting,
        ):
            while not is_over():
                messages = self._patiently(self._wait_for_messages)
                if messages:
                    shift = Shift(
                        self.inbox,
                        self.jobs,
                        transfers,
                        painting,
                        self.logger,
                        self.stopping.is_set,
                    )
                    if not shift.work(messages, is_over):
                        # Receiving while S3 is out of reach would only use up the messages' tries.
                        self._patiently(self.jobs.look)
                    last_work = time.monotonic()
                elif idle_seconds is not None and time.monotonic() - last_work > idle_seconds:
                    break
                else:
                    self._patiently(self.jobs.publish_manifest)
        self.logger.info("leaving")

    def stop(self) -> None:
        """Ends the loop after the photographs in work, or the wait for messages.

        That is not broken off: what comes at that moment would be hidden, and in nobody's hand.
        """
        self.stopping.set()

    def release(self) -> None:
        """Makes all messages in hand visible to other workers at once."""
        self.inbox.give_all_back()

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

    def _wait_for_messages(self) -> list[MessageTypeDef]:
        return self.inbox.receive(BATCH, LONG_POLL_SECONDS)

    def _beat(self, visibility_seconds: int) -> None:
        """Keeps the messages in hand hidden for as long as they are."""
        while not self.stopping.wait(visibility_seconds / BEATS):
            self.inbox.keep_hidden(visibility_seconds)
