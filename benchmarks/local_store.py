"""moto's S3 and SQS with deepcolor's buckets and queues, and nothing that works on them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from deepcolor.registry import manifest
from functions.contract.manifest import publish
from functions.contract.objects import head_of
from functions.contract.settings import Settings
from functions.dispatch.orders import Orders
from infra.local.cloud import RESULTS_BUCKET, UPLOADS_BUCKET, Cloud
from infra.local.ports import HOST, free_port, replies


@dataclass(frozen=True)
class Store:
    cloud: Cloud

    def __post_init__(self) -> None:
        self.cloud.create(["http://localhost"])
        publish(self.cloud.s3(), RESULTS_BUCKET, manifest())

    @property
    def environment(self) -> dict[str, str]:
        return self.cloud.environment()

    def upload(self, key: str, content: bytes) -> None:
        self.cloud.s3().put_object(Bucket=UPLOADS_BUCKET, Key=key, Body=content)

    def order(self, key: str) -> None:
        """What dispatch does with the upload's event."""
        limit = 2**30
        settings = Settings(UPLOADS_BUCKET, RESULTS_BUCKET, self.cloud.queue_url("work"), limit)
        logger = Logger(service="benchmark", level="ERROR")
        orders = Orders(self.cloud.s3(), self.cloud.sqs(), settings, logger)
        _, record = orders.open(key)
        assert record is not None
        orders.send([record])

    def has_result(self, key: str) -> bool:
        return head_of(self.cloud.s3(), RESULTS_BUCKET, key) is not None


@contextmanager
def running_store() -> Iterator[Store]:
    port = free_port(None, near=9300)
    server = subprocess.Popen(
        [sys.executable, "-m", "infra.local.object_store", HOST, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        endpoint = f"http://{HOST}:{port}"
        await_reply(f"{endpoint}/moto-api/")
        yield Store(Cloud(endpoint))
    finally:
        server.terminate()
        server.wait()


def await_reply(url: str) -> None:
    for _ in range(1200):
        if replies(url):
            return
        time.sleep(0.05)
    raise TimeoutError(url)
