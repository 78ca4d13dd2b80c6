"""The photographs, which are nobody's to delete but yours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef


def existing(s3: S3Client, names: Iterable[str]) -> set[str]:
    """Those of the buckets that there are."""
    return {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} & set(names)


def is_empty(s3: S3Client, bucket: str) -> bool:
    """Whether nothing is in a bucket, not even a version of something deleted, or it is gone."""
    try:
        listed = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    except s3.exceptions.NoSuchBucket:
        return True
    return not listed.get("Versions") and not listed.get("DeleteMarkers")


def empty(s3: S3Client, bucket: str) -> int:
    """Deletes everything in a bucket, every version of it, and gives back how much that was."""
    deleted = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        objects: list[ObjectIdentifierTypeDef] = [
            {"Key": item["Key"], "VersionId": item["VersionId"]}
            for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        if objects:
            reply = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            assert not reply.get("Errors"), reply["Errors"]
            deleted += len(objects)
    return deleted
