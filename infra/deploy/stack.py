"""The CloudFormation stack: made and changed by SAM, looked at and deleted through boto3."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from infra.deploy.commands import run
from infra.deploy.errors import (
    NoSamError,
    NoStackError,
    NotDeletedError,
    OnlyDeletableError,
)

SAM = Path(sys.prefix) / "sam/bin/sam"
ONLY_DELETABLE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}
BUCKETS = {"UploadsBucket": "UploadsBucketName", "ResultsBucket": "ResultsBucketName"}


@dataclass(frozen=True)
class Stack:
    """One deployment, by its name."""

    session: boto3.Session
    name: str

    def outputs(self) -> dict[str, str]:
        """What the template puts out; raises :class:`NoStackError`."""
        described = self._describe()
        if described is None:
            raise NoStackError(self.name, str(self.session.region_name))
        return {item["OutputKey"]: item["OutputValue"] for item in described.get("Outputs", [])}

    def exists(self) -> bool:
        return self._describe() is not None

    def check(self) -> None:
        """Raises :class:`OnlyDeletableError` where, say, the first deployment failed."""
        described = self._describe()
        if described is not None and described["StackStatus"] in ONLY_DELETABLE:
            raise OnlyDeletableError(self.name, described["StackStatus"])

    def parameters(self) -> dict[str, str]:
        """Those that it was deployed with; none before it is."""
        described = self._describe() or {}
        return {
            item["ParameterKey"]: item["ParameterValue"] for item in described.get("Parameters", [])
        }

    def deploy(self, parameters: dict[str, str]) -> None:
        """Builds the functions and makes the stack, or changes it; what is not given stays."""
        if not SAM.exists():
            raise NoSamError(SAM)
        run(str(SAM), "build")
        run(
            str(SAM), "deploy", f"--stack-name={self.name}", f"--region={self.session.region_name}",
            "--no-confirm-changeset", "--no-fail-on-empty-changeset",
            # In quotes, without which SAM takes no empty value.
            "--parameter-overrides", *(f'{key}="{value}"' for key, value in parameters.items()),
        )  # fmt: skip

    def delete(self) -> None:
        """Deletes everything but buckets with something in them."""
        if self._deleted():
            return
        # Where the first try failed, CloudFormation takes a second that leaves out what stays.
        failed = self._not_deleted()
        if failed.keys() <= BUCKETS.keys() and self._deleted(RetainResources=list(failed)):
            return
        reasons = [f"{name}: {reason}" for name, reason in self._not_deleted().items()]
        raise NotDeletedError(self.name, reasons)

    def _describe(self) -> dict[str, Any] | None:
        try:
            found = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return None
            raise
        return dict(found[0]) if found else None

    def _deleted(self, **options: Any) -> bool:
        self._cloudformation.delete_stack(StackName=self.name, **options)
        try:
            self._cloudformation.get_waiter("stack_delete_complete").wait(
                StackName=self.name, WaiterConfig={"Delay": 5, "MaxAttempts": 360}
            )
        except WaiterError:
            return False
        return True

    def _not_deleted(self) -> dict[str, str]:
        """The resources that could not be deleted, by their names in the template, and why."""
        pages = self._cloudformation.get_paginator("list_stack_resources")
        return {
            resource["LogicalResourceId"]: resource.get("ResourceStatusReason", "")
            for page in pages.paginate(StackName=self.name)
            for resource in page["StackResourceSummaries"]
            if resource["ResourceStatus"] == "DELETE_FAILED"
        }

    @property
    def _cloudformation(self) -> Any:
        return self.session.client("cloudformation")
