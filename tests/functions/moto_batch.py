"""A Batch that many can call at once, whose jobs run until the test ends them."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.batch_simple.models import BatchSimpleBackend, batch_simple_backends
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer

from functions.workers.wake import BatchWaker, waker_from_environment

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

REGION = "eu-west-3"


def register_job_definition(batch: BatchClient, **properties: Any) -> str:
    """A revision of the worker's definition with those properties of its container; its ARN."""
    container: Any = {
        "image": "worker",
        "resourceRequirements": [
            {"type": "VCPU", "value": "4"},
            {"type": "MEMORY", "value": "6400"},
        ],
    }
    definition = batch.register_job_definition(
        jobDefinitionName="colorize", type="container", containerProperties=container | properties
    )
    return definition["jobDefinitionArn"]


@dataclass(frozen=True)
class BatchQueue:
    """The jobs of one Batch queue."""

    client: BatchClient
    arn: str

    def jobs(self) -> list[dict[str, Any]]:
        """All that were ever submitted, in order."""
        summaries = self.client.list_jobs(
            jobQueue=self.arn, filters=[{"name": "JOB_NAME", "values": ["*"]}]
        )["jobSummaryList"]
        ids = [job["jobId"] for job in summaries]
        if not ids:
            return []
        jobs = self.client.describe_jobs(jobs=ids)["jobs"]
        return sorted((dict(job) for job in jobs), key=lambda job: job["createdAt"])

    def alive(self) -> list[dict[str, Any]]:
        return [job for job in self.jobs() if job["status"] not in {"SUCCEEDED", "FAILED"}]

    def put_into(self, status: str, *ids: str) -> None:
        """Puts jobs into a status, all of them if none is named."""
        jobs = batch_simple_backends["123456789012"][REGION]._jobs
        for job_id in ids or list(jobs):
            jobs[job_id].status = status


def _keeps_running(backend: Any, include_start_attempt: bool, job: Any) -> None:
    backend.backend._jobs[job.job_id] = job
    job.status = "RUNNING"
    job._start_attempt()


@pytest.fixture(scope="module")
def batch_endpoint() -> Iterator[str]:
    """moto's server over HTTP, in this process, for its jobs would else be over at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(default_user_config, "batch", {"use_docker": False})
        patch.setattr(BatchSimpleBackend, "_mark_job_as_finished", _keeps_running)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def worker_environment() -> list[dict[str, str]]:
    """That of the job definition."""
    return [{"name": "DEEPCOLOR_RESULTS_BUCKET", "value": "results-of-this-test"}]


@pytest.fixture
def waker(
    batch_endpoint: str,
    worker_environment: list[dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[BatchWaker]:
    """As dispatch gets it: at most 4 workers, one for 3 photographs."""
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        monkeypatch.delenv(name)
    variables = {
        "AWS_ENDPOINT_URL": batch_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    reset = urllib.request.Request(f"{batch_endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    role = boto3.client("iam").create_role(
        RoleName="batch", AssumeRolePolicyDocument=json.dumps({})
    )
    batch = boto3.client("batch")
    environment = batch.create_compute_environment(
        computeEnvironmentName="instances",
        type="UNMANAGED",
        state="ENABLED",
        serviceRole=role["Role"]["Arn"],
    )
    queue = batch.create_job_queue(
        jobQueueName="workers",
        priority=1,
        state="ENABLED",
        computeEnvironmentOrder=[
            {"order": 1, "computeEnvironment": environment["computeEnvironmentArn"]}
        ],
    )
    definition = register_job_definition(batch, environment=worker_environment)
    boto3.client("s3").create_bucket(
        Bucket="results", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    work_queue = boto3.client("sqs").create_queue(QueueName="work")["QueueUrl"]
    variables = {
        "DEEPCOLOR_RESULTS_BUCKET": "results",
        "DEEPCOLOR_WORK_QUEUE_URL": work_queue,
        "DEEPCOLOR_BATCH_JOB_QUEUE": queue["jobQueueArn"],
        "DEEPCOLOR_BATCH_JOB_DEFINITION": definition,
        "DEEPCOLOR_MAX_WORKERS": "4",
        "DEEPCOLOR_PHOTOGRAPHS_PER_WORKER": "3",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    waker_from_environment.cache_clear()
    waker = waker_from_environment()
    assert waker is not None
    yield waker
    waker_from_environment.cache_clear()


@pytest.fixture
def batch(waker: BatchWaker) -> BatchQueue:
    return BatchQueue(waker.batch, waker.job_queue)
