"""Feeds a Lambda handler from SQS queues, as an event source mapping does.

``python -m infra.local.event_source functions.dispatch.app:handler QUEUE_URL [QUEUE_URL ...]``
"""

from __future__ import annotations

import importlib
import signal
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3

from functions.contract.work import BATCH
from infra.local.cloud import ACCOUNT, REGION

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LONG_POLL_SECONDS = 5

Handler = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True)
class Context:
    """The part of the Lambda context that Powertools reads."""

    function_name: str
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"


def deliver(sqs: SQSClient, queue_url: str, handler: Handler, wait_seconds: int) -> None:
    """Hands one batch to the handler and deletes the messages that it did not report as failed."""
    reply = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=BATCH,
        WaitTimeSeconds=wait_seconds,
        MessageSystemAttributeNames=["All"],
    )
    messages = reply.get("Messages", [])
    if not messages:
        return
    event = {"Records": [_record(message, queue_url) for message in messages]}
    try:
        response = handler(event, Context(handler.__module__))
    except Exception as error:
        # As on Lambda: an invocation that raises leaves its whole batch to come again.
        print(f"{handler.__module__}: {error!r}", file=sys.stderr, flush=True)
        return
    failed = {item["itemIdentifier"] for item in response["batchItemFailures"]}
    # Once each: a batch may hold a message twice.
    taken = {one["ReceiptHandle"]: None for one in messages if one["MessageId"] not in failed}
    if taken:
        sqs.delete_message_batch(
            QueueUrl=queue_url,
            Entries=[{"Id": str(i), "ReceiptHandle": one} for i, one in enumerate(taken)],
        )


def _record(message: MessageTypeDef, queue_url: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_url.rpartition('/')[2]}",
        "awsRegion": REGION,
    }


def main(target: str, queue_urls: list[str]) -> None:
    module, _, name = target.partition(":")
    handler: Handler = getattr(importlib.import_module(module), name)
    sqs = boto3.client("sqs")
    wait_seconds = LONG_POLL_SECONDS if len(queue_urls) == 1 else 1
    while True:
        for queue_url in queue_urls:
            deliver(sqs, queue_url, handler, wait_seconds)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main(sys.argv[1], sys.argv[2:])
