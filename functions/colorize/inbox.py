"""The work queue as one worker sees it: the messages it has in hand, and nobody else sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.contract.work import BATCH

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        MessageTypeDef,
    )


class Inbox:
    """Receives messages until it is closed, keeps them hidden, deletes them or gives them back.

    ``in_hand`` are the receipts of those that were received and neither deleted nor left alone.
    """

    def __init__(
        self, sqs: SQSClient, queue_url: str, logger: Logger, is_closed: Callable[[], bool]
    ):
        self.sqs, self.queue_url, self.logger = sqs, queue_url, logger
        self.is_closed = is_closed
        self.in_hand: set[str] = set()

    def visibility_seconds(self) -> int:
        """How long the queue hides a message that was received, unless told otherwise."""
        reply = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["VisibilityTimeout"]
        )
        return int(reply["Attributes"]["VisibilityTimeout"])

    def receive(self, count: int, wait_seconds: int) -> list[MessageTypeDef]:
        """Up to ``count`` messages, as soon as there are any, and how often they were received."""
        if self.is_closed():
            return []
        reply = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        messages = reply.get("Messages", [])
        self.in_hand.update(message["ReceiptHandle"] for message in messages)
        return messages

    def delete(self, messages: Sequence[MessageTypeDef]) -> None:
        """Deletes a batch whose results and records are written; else it comes once more."""
        receipts = [message["ReceiptHandle"] for message in messages]
        try:
            self.sqs.delete_message_batch(
                QueueUrl=self.queue_url,
                Entries=[{"Id": str(i), "ReceiptHandle": one} for i, one in enumerate(receipts)],
            )
        except (BotoCoreError, ClientError) as error:
            self.logger.warning("done, but not deleted", extra={"error": str(error)})
        self.in_hand.difference_update(receipts)

    def give_back(self, messages: Iterable[MessageTypeDef]) -> None:
        """Makes messages that nobody worked on visible to other workers at once."""
        receipts = [message["ReceiptHandle"] for message in messages]
        self.in_hand.difference_update(receipts)
        self._hide(receipts, 0)

    def give_all_back(self) -> None:
        """Makes all messages in hand visible to other workers at once."""
        self._hide(list(self.in_hand), 0)

    def keep_hidden(self, seconds: int) -> None:
        """Hides the messages in hand for so long from now on."""
        self._hide(list(self.in_hand), seconds)

    def _hide(self, receipts: Sequence[str], seconds: int) -> None:
        """Sets how long messages stay hidden; if that fails, they come back in their time."""
        for begin in range(0, len(receipts), BATCH):
            entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
                {"Id": str(i), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for i, receipt in enumerate(receipts[begin : begin + BATCH])
            ]
            try:
                self.sqs.change_message_visibility_batch(QueueUrl=self.queue_url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                told = {"error": str(error), "seconds": seconds}
                self.logger.warning("visibility stayed as it was", extra=told)
