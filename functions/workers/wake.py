"""How many workers the backlog asks for, and waking those that are missing."""

from __future__ import annotations

import functools
import math
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import boto3

from functions.contract.manifest import deployment_of
from functions.contract.patience import BRIEF
from functions.contract.settings import Settings
from functions.workers.register import Register, Slot

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

JOB_NAME = "deepcolor-colorize"
OVER = {"SUCCEEDED", "FAILED"}
ATTEMPTS = 20

# Longer than a Lambda function of ours may run, so that whoever took a slot and has submitted no
# job by then never will; and than Batch takes to list what it accepted.
SETTLED_SECONDS = 90.0


def workers_for(photographs: int, photographs_per_worker: int, max_workers: int) -> int:
    """How many workers a backlog asks for."""
    return min(max_workers, math.ceil(photographs / photographs_per_worker))


@dataclass(frozen=True)
class Fleet:
    """The photographs that wait or are in work, and the workers, as :meth:`wake` left them.

    ``failed`` are the jobs that were found to have failed since somebody last looked.
    """

    photographs: int
    running: int
    starting: int
    woken: int
    failed: int


@dataclass(frozen=True)
class BatchWaker:
    """Keeps as many Batch jobs alive as the backlog asks for, and never more than ``max_workers``.

    Batch itself knows no way to submit a job once only, and lists new jobs late. Hence the
    register: only who has taken a slot submits, and a slot is free again when Batch says that its
    job is over.
    """

    batch: BatchClient
    sqs: SQSClient
    s3: S3Client
    bucket: str
    work_queue_url: str
    job_queue: str
    job_definition: str
    max_workers: int
    photographs_per_worker: int

    def wake(self, just_sent: int = 0) -> Fleet:
        """Starts the workers that are missing.

        ``just_sent`` messages count as waiting even while SQS, whose counts lag behind, says none.
        Whoever finds the register changed at each of many attempts leaves the rest to the others.
        """
        photographs = max(self._backlog(), just_sent)
        wanted = workers_for(photographs, self.photographs_per_worker, self.max_workers)
        fleet = Fleet(photographs, running=0, starting=0, woken=0, failed=0)
        for _ in range(ATTEMPTS):
            register = Register.read(self.s3, self.bucket)
            statuses = self._statuses(register.slots)
            alive = tuple(slot for slot in register.slots if statuses[slot] not in OVER)
            running = sum(statuses[slot] == "RUNNING" for slot in alive)
            fleet = replace(fleet, running=running, starting=len(alive) - running)
            missing = tuple(
                Slot(f"{JOB_NAME}-{uuid.uuid4().hex}", time.time())
                for _ in range(wanted - len(alive))
            )
            if alive + missing == register.slots:
                break
            written = register.replace(self.s3, self.bucket, alive + missing)
            if written or self._has_taken(missing):
                self._submit(missing)
                failed = sum(status == "FAILED" for status in statuses.values())
                return replace(fleet, woken=len(missing), failed=failed)
        return fleet

    def _has_taken(self, slots: Sequence[Slot]) -> bool:
        """Whether new slots are in the register although another writer seemed to be faster.

        S3's answer to a write may be lost: boto's second try then finds what the first has written.
        """
        return bool(slots) and set(slots) <= set(Register.read(self.s3, self.bucket).slots)

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

    def _submit(self, slots: Sequence[Slot]) -> None:
        """Submits a job for each slot and notes its id in the register."""
        ids = {}
        deployment = str(deployment_of(self.job_definition))
        # Not our own revision: a deployment may have put another in its place already.
        latest = self.job_definition.rpartition("/")[2].partition(":")[0]
        for slot in slots:
            job = self.batch.submit_job(
                jobName=slot.job_name,
                jobQueue=self.job_queue,
                jobDefinition=latest,
                # Here, for a job definition can't name its own revision.
                containerOverrides={
                    "environment": [{"name": "DEEPCOLOR_DEPLOYMENT", "value": deployment}]
                },
            )
            ids[slot.job_name] = job["jobId"]
        for _ in range(ATTEMPTS if ids else 0):
            register = Register.read(self.s3, self.bucket)
            noted = tuple(
                replace(slot, job_id=ids.get(slot.job_name, slot.job_id)) for slot in register.slots
            )
            if register.replace(self.s3, self.bucket, noted):
                return

    def _statuses(self, slots: Sequence[Slot]) -> dict[Slot, str]:
        """What Batch says of each slot's job: its status, or that it is over when there is none.

        A young slot's job may not have been submitted yet, or not be known yet: it counts.
        """
        ids = [slot.job_id for slot in slots if slot.job_id]
        described = self.batch.describe_jobs(jobs=ids)["jobs"] if ids else []
        known = {job["jobId"]: str(job["status"]) for job in described}
        statuses = {}
        for slot in slots:
            status = known.get(slot.job_id or "") or self._status_by_name(slot.job_name)
            is_settled = time.time() > slot.taken + SETTLED_SECONDS
            statuses[slot] = status or ("FAILED" if is_settled else "SUBMITTED")
        return statuses

    def _status_by_name(self, job_name: str) -> str | None:
        """For a job whose id nobody could note, as when a function broke off in between."""
        named = self.batch.list_jobs(
            jobQueue=self.job_queue, filters=[{"name": "JOB_NAME", "values": [job_name]}]
        )["jobSummaryList"]
        return str(named[0]["status"]) if named else None


@functools.cache
def waker_from_environment() -> BatchWaker | None:
    """Wakes through the Batch queue that the environment names.

    ``None`` without one, as on the local stack, where a worker always stays.
    """
    job_queue = os.environ.get("DEEPCOLOR_BATCH_JOB_QUEUE")
    if not job_queue:
        return None
    settings = Settings.from_environment()
    return BatchWaker(
        batch=boto3.client("batch", config=BRIEF),
        sqs=boto3.client("sqs", config=BRIEF),
        s3=boto3.client("s3", config=BRIEF),
        bucket=settings.results_bucket,
        work_queue_url=settings.work_queue_url,
        job_queue=job_queue,
        job_definition=os.environ["DEEPCOLOR_BATCH_JOB_DEFINITION"],
        max_workers=int(os.environ["DEEPCOLOR_MAX_WORKERS"]),
        photographs_per_worker=int(os.environ["DEEPCOLOR_PHOTOGRAPHS_PER_WORKER"]),
    )
