from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from functions.dispatch.wake import (
    JOB_NAME,
    BatchWaker,
    NothingToWake,
    waker_from_environment,
)

NOT_YET_OVER = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")

ENVIRONMENT = [{"name": "DEEPCOLOR_RESULTS_BUCKET", "value": "results-of-this-test"}]


@pytest.fixture(autouse=True)
def _fresh_waker() -> Iterator[None]:
    waker_from_environment.cache_clear()
    yield
    waker_from_environment.cache_clear()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto's SQS, and its Batch that runs no containers: each job has SUCCEEDED at once."""
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws(config={"batch": {"use_docker": False}}):
        yield


@pytest.fixture
def waker(cloud: None, monkeypatch: pytest.MonkeyPatch) -> BatchWaker:
    """As dispatch gets it: at most 4 workers, one for 3 photographs."""
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
    definition = batch.register_job_definition(
        jobDefinitionName="colorize",
        type="container",
        containerProperties={
            "image": "worker",
            "resourceRequirements": [
                {"type": "VCPU", "value": "4"},
                {"type": "MEMORY", "value": "6400"},
            ],
            "environment": ENVIRONMENT,
        },
    )
    variables = {
        "DEEPCOLOR_WORK_QUEUE_URL": boto3.client("sqs").create_queue(QueueName="work")["QueueUrl"],
        "DEEPCOLOR_BATCH_JOB_QUEUE": queue["jobQueueArn"],
        "DEEPCOLOR_BATCH_JOB_DEFINITION": definition["jobDefinitionArn"],
        "DEEPCOLOR_MAX_WORKERS": "4",
        "DEEPCOLOR_PHOTOGRAPHS_PER_WORKER": "3",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    waker = waker_from_environment()
    assert isinstance(waker, BatchWaker)
    return waker


def send(waker: BatchWaker, messages: int) -> None:
    for number in range(messages):
        waker.sqs.send_message(QueueUrl=waker.work_queue_url, MessageBody=str(number))


def jobs(waker: BatchWaker) -> list[dict[str, Any]]:
    summaries = waker.batch.list_jobs(jobQueue=waker.job_queue, jobStatus="SUCCEEDED")
    ids = [job["jobId"] for job in summaries["jobSummaryList"]]
    return [dict(job) for job in waker.batch.describe_jobs(jobs=ids)["jobs"]] if ids else []


def test_without_batch_there_is_nothing_to_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPCOLOR_BATCH_JOB_QUEUE", raising=False)
    waker = waker_from_environment()
    assert isinstance(waker, NothingToWake)
    assert waker.wake(just_sent=10) == 0


@pytest.mark.parametrize(
    ("messages", "workers"),
    [(0, 0), (1, 1), (3, 1), (4, 2), (12, 4), (13, 4), (40, 4)],
)
def test_as_many_workers_as_the_backlog_asks_for(
    waker: BatchWaker, messages: int, workers: int
) -> None:
    send(waker, messages)
    assert waker.wake() == workers
    assert len(jobs(waker)) == workers


def test_a_job_runs_in_the_environment_of_its_definition(waker: BatchWaker) -> None:
    send(waker, 1)
    waker.wake()
    [job] = jobs(waker)
    assert job["jobName"] == JOB_NAME
    assert job["jobDefinition"] == waker.job_definition
    assert job["jobQueue"] == waker.job_queue
    variables = {entry["name"]: entry["value"] for entry in job["container"]["environment"]}
    assert variables.pop("AWS_BATCH_JOB_ID") == job["jobId"]
    assert variables == {entry["name"]: entry["value"] for entry in ENVIRONMENT}


def test_photographs_in_work_count_as_backlog(waker: BatchWaker) -> None:
    send(waker, 4)
    waker.sqs.receive_message(QueueUrl=waker.work_queue_url, MaxNumberOfMessages=10)
    assert waker.wake() == 2


def test_messages_just_sent_wake_although_sqs_counts_none_yet(waker: BatchWaker) -> None:
    assert waker.wake(just_sent=4) == 2


def test_messages_just_sent_are_not_counted_twice(waker: BatchWaker) -> None:
    send(waker, 3)
    assert waker.wake(just_sent=3) == 1


def test_finished_jobs_do_not_count_as_workers(waker: BatchWaker) -> None:
    send(waker, 1)
    assert (waker.wake(), waker.wake()) == (1, 1)
    assert len(jobs(waker)) == 2


def summaries(number: int) -> list[dict[str, Any]]:
    return [{"jobId": f"job-{n}", "jobName": JOB_NAME} for n in range(number)]


# moto's jobs are over before they can be counted, hence botocore's stub where some are alive.


@pytest.mark.parametrize("status", NOT_YET_OVER)
def test_jobs_not_yet_over_count_as_workers(waker: BatchWaker, status: str) -> None:
    send(waker, 40)
    batch = boto3.client("batch")
    with Stubber(batch) as stub:
        for asked in NOT_YET_OVER:
            stub.add_response(
                "list_jobs",
                {"jobSummaryList": summaries(3 if asked == status else 0)},
                {"jobQueue": waker.job_queue, "jobStatus": asked},
            )
        stub.add_response(
            "submit_job",
            {"jobId": "new", "jobName": JOB_NAME},
            {
                "jobName": JOB_NAME,
                "jobQueue": waker.job_queue,
                "jobDefinition": waker.job_definition,
            },
        )
        assert replace(waker, batch=batch).wake() == 1
        stub.assert_no_pending_responses()


def test_all_pages_of_jobs_are_counted_and_none_is_submitted_beyond_the_cap(
    waker: BatchWaker,
) -> None:
    send(waker, 40)
    batch = boto3.client("batch")
    with Stubber(batch) as stub:
        asked = {"jobQueue": waker.job_queue, "jobStatus": NOT_YET_OVER[0]}
        stub.add_response("list_jobs", {"jobSummaryList": summaries(3), "nextToken": "2"}, asked)
        stub.add_response("list_jobs", {"jobSummaryList": summaries(2)}, asked | {"nextToken": "2"})
        for status in NOT_YET_OVER[1:]:
            stub.add_response(
                "list_jobs",
                {"jobSummaryList": []},
                {"jobQueue": waker.job_queue, "jobStatus": status},
            )
        assert replace(waker, batch=batch).wake() == 0
        stub.assert_no_pending_responses()
