"""What the workers' instances boot: Batch itself stays with the system of its first day."""

from __future__ import annotations

import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

MOST_MINUTES = 7200  # Batch's own limit; the template's JobTimeoutSeconds ends a worker long before


def renew(session: boto3.Session, job_queue: str) -> None:
    """Has new instances boot AWS's latest system where there is a later one; what runs finishes."""
    batch = session.client("batch")
    try:
        [queue] = batch.describe_job_queues(jobQueues=[job_queue])["jobQueues"]
        names = [entry["computeEnvironment"] for entry in queue["computeEnvironmentOrder"]]
        found = batch.describe_compute_environments(computeEnvironments=names)
        for environment in found["computeEnvironments"]:
            kinds = environment["computeResources"].get("ec2Configuration", [])
            if any(kind.get("batchImageStatus") == "UPDATE_AVAILABLE" for kind in kinds):
                batch.update_compute_environment(
                    computeEnvironment=environment["computeEnvironmentArn"],
                    computeResources={"updateToLatestImageVersion": True},
                    updatePolicy={
                        "terminateJobsOnUpdate": False,
                        "jobExecutionTimeoutMinutes": MOST_MINUTES,
                    },
                )
    except (BotoCoreError, ClientError) as error:
        print(f"New instances may not boot AWS's latest system: {error}", file=sys.stderr)
