"""Whether this account can do what is about to be asked of it."""

from __future__ import annotations

import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.errors import (
    InstanceTypesError,
    NoCredentialsHereError,
    NoRegionError,
    QuotaError,
)

# All G and VT Spot Instance Requests; Running On-Demand G and VT instances. In vCPUs.
GPU_QUOTAS = ("L-3819A6DF", "L-DB2E81BA")
VCPUS_OF_A_WORKER = 4
CONCURRENCY_QUOTA = "L-B99A9384"  # Lambda, Concurrent executions
FUNCTIONS_AT_ONCE = 100  # a first visit to the page alone makes some thirty requests
GPU_TYPES = "g4dn.xlarge,g5.xlarge"  # the template's default

SPOT = "spot.amazonaws.com"


def identify(session: boto3.Session) -> str:
    """The account's number; raises when there is no region, or nobody to be."""
    if session.region_name is None:
        raise NoRegionError
    try:
        return str(session.client("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise NoCredentialsHereError(error) from error


def allow_spot(session: boto3.Session) -> None:
    """Makes the role by which AWS starts spot instances: a new account lacks it, and none start."""
    try:
        session.client("iam").create_service_linked_role(AWSServiceName=SPOT)
    except (BotoCoreError, ClientError) as error:
        if "has been taken" not in str(error):
            print(f"Spot instances may not start: {error}", file=sys.stderr)


def check_quotas(session: boto3.Session) -> None:
    """Raises :class:`QuotaError` where not one worker with a GPU could run."""
    quotas = session.client("service-quotas")
    try:
        spot, on_demand = (
            float(quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"])
            for code in GPU_QUOTAS
        )
    except (BotoCoreError, ClientError) as error:
        print(f"The quotas for G instances could not be read ({error}).", file=sys.stderr)
        return
    if max(spot, on_demand) < VCPUS_OF_A_WORKER:
        raise QuotaError(
            spot, on_demand, session.region_name, needed=VCPUS_OF_A_WORKER, quotas=GPU_QUOTAS
        )


def check_concurrency(session: boto3.Session) -> None:
    """Says so where Lambda runs too few functions at once for the page and the queues."""
    try:
        limit = session.client("lambda").get_account_settings()["AccountLimit"]
    except (BotoCoreError, ClientError) as error:
        print(f"The quota for functions could not be read ({error}).", file=sys.stderr)
        return
    if limit["ConcurrentExecutions"] < FUNCTIONS_AT_ONCE:
        print(
            f"This account may run {limit['ConcurrentExecutions']} functions at once in "
            f"{session.region_name}, and the page fails its visitors with so few: ask for "
            f"{FUNCTIONS_AT_ONCE} or more under Service Quotas, AWS Lambda, quota "
            f"{CONCURRENCY_QUOTA}.",
            file=sys.stderr,
        )


def check_types(session: boto3.Session, wished: list[str]) -> None:
    """Raises :class:`InstanceTypesError` where the region lacks one: Batch then takes none."""
    try:
        offered = session.client("ec2").describe_instance_type_offerings(
            LocationType="region", Filters=[{"Name": "instance-type", "Values": wished}]
        )["InstanceTypeOfferings"]
    except (BotoCoreError, ClientError) as error:
        print(f"The region's instance types could not be read ({error}).", file=sys.stderr)
        return
    missing = set(wished) - {offering["InstanceType"] for offering in offered}
    if missing:
        raise InstanceTypesError(sorted(missing), session.region_name, needed=VCPUS_OF_A_WORKER)
