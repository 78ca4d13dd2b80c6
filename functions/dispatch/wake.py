"""Waking workers: Batch jobs that drain the work queue and exit when it stays empty."""

from __future__ import annotations

import functools
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import boto3

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_batch.literals import JobStatusType
    from mypy_boto3_sqs import SQSClient

JOB_NAME = "deepcolor-colorize"
ALIVE: tuple[JobStatusType, ...] = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


class Waker(Protocol):
    """Sees to it that somebody colors what waits in the work queue."""

    def wake(self, just_sent: int = 0) -> int:
        """Starts the workers that are missing and gives back how many those were.

        ``just_sent`` messages count as waiting even while SQS, whose counts lag behind, says none.
        """


class NothingToWake:
    """Where a worker always stays, as on the local stack."""

    def wake(self, just_sent: int = 0) -> int:
        return 0


@dataclass(frozen=True)
class BatchWaker:
    """Keeps as many Batch jobs alive as the backlog asks for, up to ``max_workers``.

    Two dispatchers that look at the same moment may together submit more; the compute
    environment's own limit then holds the surplus back, and a job that starts on an empty queue
    soon exits.
    """

    batch: BatchClient
    sqs: SQSClient
    work_queue_url: str
    job_queue: str
    job_definition: str
    max_workers: int
    photographs_per_worker: int

    def wake(self, just_sent: int = 0) -> int:
        wanted = self._workers_for(max(self._backlog(), just_sent))
        missing = max(0, wanted - self._jobs_alive()) if wanted else 0
        for _ in range(missing):
            self.batch.submit_job(
                jobName=JOB_NAME, jobQueue=self.job_queue, jobDefinition=self.job_definition
            )
        return missing

    def _workers_for(self, photographs: int) -> int:
        return min(self.max_workers, math.ceil(photographs / self.photographs_per_worker))

    def _backlog(self) -> int:
        """The messages that wait or are being worked on."""
        attributes = self.sqs.get_queue_attributes(
            QueueUrl=self.work_queue_url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        return sum(int(count) for count in attributes.values())

    def _jobs_alive(self) -> int:
        pages = self.batch.get_paginator("list_jobs")
        return sum(
            len(page["jobSummaryList"])
            for status in ALIVE
            for page in pages.paginate(jobQueue=self.job_queue, jobStatus=status)
        )


@functools.cache
def waker_from_environment() -> Waker:
    """Wakes through the Batch queue that the environment names; without one, there is no need."""
    job_queue = os.environ.get("DEEPCOLOR_BATCH_JOB_QUEUE")
    if not job_queue:
        return NothingToWake()
    return BatchWaker(
        batch=boto3.client("batch"),
        sqs=boto3.client("sqs"),
        work_queue_url=os.environ["DEEPCOLOR_WORK_QUEUE_URL"],
        job_queue=job_queue,
        job_definition=os.environ["DEEPCOLOR_BATCH_JOB_DEFINITION"],
        max_workers=int(os.environ.get("DEEPCOLOR_MAX_WORKERS", "4")),
        photographs_per_worker=int(os.environ.get("DEEPCOLOR_PHOTOGRAPHS_PER_WORKER", "500")),
    )
