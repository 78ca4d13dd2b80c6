"""The frame of the Lambda functions that take messages from queues, a batch at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes import S3Event
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.telemetry import count

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext


def take_each(
    event: dict[str, Any],
    context: LambdaContext,
    take: Callable[[SQSRecord], None],
    logger: Logger,
    metrics: Metrics,
) -> PartialItemFailureResponse:
    """Has every message of the batch taken; gives back those to be tried again, for SQS.

    Powertools calls ``take(record=…)``.
    """
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    response = process_partial_response(
        event=event, record_handler=take, processor=processor, context=context
    )
    bodies = {message["messageId"]: message["body"] for message in event["Records"]}
    for (_, failure, _), item in zip(
        processor.exceptions, response["batchItemFailures"], strict=True
    ):
        message = item["itemIdentifier"]
        told = {"message_id": message, "keys": _keys(bodies[message])}
        logger.error("left for another try", exc_info=failure, extra=told)
    count(metrics, "Messages", len(event["Records"]))
    count(metrics, "LeftForAnotherTry", len(processor.exceptions))
    return response


def created_keys(body: dict[str, Any]) -> Iterator[str]:
    """The keys of the objects that a notification of S3 says were created.

    None in the ``s3:TestEvent`` that S3 sends when notifications are set up.
    """
    if body.get("Event") == "s3:TestEvent":
        return
    for event in S3Event(body).records:
        if event.event_name.startswith("ObjectCreated:"):
            yield unquote_plus(event.s3.get_object.key)


def _keys(text: str) -> list[str]:
    """Which photographs a message is about, as far as it can be read."""
    try:
        body = json.loads(text)
        return [body["key"]] if "order" in body else list(created_keys(body))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return []
