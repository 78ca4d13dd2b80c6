"""Lambda handler of the uploads queue: reads S3's events, opens orders, wakes workers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger

from functions.contract.patience import BRIEF
from functions.contract.records import Record
from functions.contract.settings import Settings
from functions.dispatch.orders import Orders, Outcome
from functions.messages import created_keys, take_each
from functions.telemetry import count, metrics_of
from functions.workers.wake import waker_from_environment

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="dispatch")
metrics = metrics_of("dispatch")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Takes a batch of SQS messages with S3 events; gives back those to be tried again."""
    queued: list[Record] = []

    def take(record: SQSRecord) -> None:
        for key in created_keys(record.json_body):
            outcome, order = orders().open(key)
            if outcome is Outcome.QUEUED and order is not None:
                queued.append(order)
            count(metrics, outcome.value)

    response = take_each(event, context, take, logger, metrics)
    if queued:
        orders().send(queued)  # if that fails, all of the batch comes again and is sent then
        wake(len(queued))
    return response


def wake(queued: int) -> None:
    """Sees to workers for what was queued. If that fails the messages must not come again: they
    are taken, and sweep soon tries to wake, too.
    """
    waker = waker_from_environment()
    if waker is None:
        return
    try:
        fleet = waker.wake(just_sent=queued)
    except Exception:
        count(metrics, "WakeFailed")
        logger.exception("nobody could be woken")
    else:
        count(metrics, "Woken", fleet.woken)
        # Who first sees that a worker failed is the only one to be told.
        count(metrics, "WorkersFailed", fleet.failed)


@functools.cache
def orders() -> Orders:
    settings = Settings.from_environment()
    return Orders(
        boto3.client("s3", config=BRIEF), boto3.client("sqs", config=BRIEF), settings, logger
    )
