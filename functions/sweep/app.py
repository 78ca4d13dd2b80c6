"""Lambda handler of a schedule: wakes the workers that are missing, and counts what it sees.

Dispatch wakes at once, but only when something is uploaded. A wake-up that failed, a worker that
fell ill over the last photographs or one that ended as they came: all that ends here.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import correlation_paths

from functions.telemetry import count, metrics_of
from functions.workers.wake import waker_from_environment

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="sweep")
metrics = metrics_of("sweep")


@logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Looks at the work queue and the workers; ``Unattended`` are photographs nobody works on."""
    waker = waker_from_environment()
    assert waker is not None, "DEEPCOLOR_BATCH_JOB_QUEUE names no queue to wake workers in"
    fleet = waker.wake()
    count(metrics, "Photographs", fleet.photographs)
    count(metrics, "Unattended", 0 if fleet.running else fleet.photographs)
    count(metrics, "Running", fleet.running)
    count(metrics, "Starting", fleet.starting)
    count(metrics, "Woken", fleet.woken)
    count(metrics, "WorkersFailed", fleet.failed)
    logger.info("looked", extra=asdict(fleet))
