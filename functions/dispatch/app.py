"""Lambda handler of the uploads queue: reads S3's events, opens orders, wakes a worker."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes import S3Event
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.contract.settings import Settings
from functions.dispatch.orders import Orders
from functions.dispatch.wake import waker_from_environment

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="dispatch")
metrics = Metrics(namespace="deepcolor", service="dispatch")
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Takes a batch of SQS messages with S3 events; gives back those to be tried again."""
    metrics.add_metric(name="Messages", unit=MetricUnit.Count, value=len(event["Records"]))
    response = process_partial_response(
        event=event, record_handler=take, processor=processor, context=context
    )
    for _, failure, _ in processor.exceptions:
        logger.error("left for another try", exc_info=failure)
    waker_from_environment().wake(just_sent=len(event["Records"]))
    return response


def take(record: SQSRecord) -> None:
    """Opens an order for each object that the message says was created."""
    body = record.json_body
    if body.get("Event") == "s3:TestEvent":
        return
    for event in S3Event(body).records:
        if not event.event_name.startswith("ObjectCreated:"):
            continue
        key = unquote_plus(event.s3.get_object.key)
        outcome = orders().open(key)
        metrics.add_metric(name=outcome.value, unit=MetricUnit.Count, value=1)
        logger.info("upload", extra={"key": key, "outcome": outcome.value})


@functools.cache
def orders() -> Orders:
    settings = Settings.from_environment()
    return Orders(boto3.client("s3"), boto3.client("sqs"), settings)
