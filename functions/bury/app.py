"""Lambda handler of both dead-letter queues: a failed record for each photograph given up."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger

from functions.contract import results
from functions.contract.objects import head_of
from functions.contract.patience import BRIEF
from functions.contract.records import Record, Records, Source, Status
from functions.contract.settings import Settings
from functions.contract.work import from_message
from functions.messages import created_keys, take_each
from functions.telemetry import count, metrics_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_s3 import S3Client

GAVE_UP = {
    "code": "gave_up",
    "message": "Coloring this photograph failed again and again; upload it once more, "
    "or ask whoever runs this service.",
}

logger = Logger(service="bury")
metrics = metrics_of("bury")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Takes dead messages of the uploads and the work queue; gives back those to be tried again."""
    return take_each(event, context, bury, logger, metrics)


def bury(record: SQSRecord) -> None:
    """Marks the photographs of one dead message as failed, unless they were finished after all."""
    body = record.json_body
    if "order" in body:
        _bury_work(from_message(record.body))
    else:
        for key in created_keys(body):
            _bury_upload(key)


def _bury_work(work: Record) -> None:
    record = records().get(work.key)
    if record is None or not record.is_of_order(work):
        return
    bucket = Settings.from_environment().results_bucket
    head = head_of(s3(), bucket, work.key)
    if head is not None and results.answers(head, results.question(record)):
        # The last of its workers died between the result and the record.
        records().put(results.done(record, head, {}))
        logger.info(
            "done after all", extra={"key": work.key, "correlation_id": record.correlation_id}
        )
    else:
        _fail(record)


def _bury_upload(key: str) -> None:
    """An upload that dispatch could not even open an order for."""
    bucket = Settings.from_environment().uploads_bucket

    def opened(current: Record | None) -> Record | None:
        # After the record was read: or an earlier look at the object could outdo a later one.
        head = head_of(s3(), bucket, key)
        if head is None:
            return current
        source = Source.of(head)
        if current is not None and current.source == source:
            return current
        return Record.opened(key, source, current)

    record = records().update(key, opened)
    if record is not None:
        _fail(record)


def _fail(record: Record) -> None:
    buried = record.moved(Status.FAILED, error=GAVE_UP)
    if records().put(buried) == buried:
        count(metrics, "Buried")
        logger.error("gave up", extra={"key": record.key, "correlation_id": record.correlation_id})


@functools.cache
def s3() -> S3Client:
    return boto3.client("s3", config=BRIEF)


def records() -> Records:
    return Records(s3(), Settings.from_environment().results_bucket)
