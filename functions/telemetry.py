"""The metrics of the Lambda functions, which Powertools prints into their logs."""

from __future__ import annotations

import os

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit


def metrics_of(service: str) -> Metrics:
    """Counts in the namespace of the deployment, so that two of them don't add up as one."""
    return Metrics(
        namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "deepcolor"), service=service
    )


def count(metrics: Metrics, name: str, value: int = 1) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
