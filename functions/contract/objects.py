"""Objects in a bucket: whether one lies there, and writing one only if nobody else has since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

JSON = "application/json"

Head = Mapping[str, Any]
"""``ETag``, ``LastModified``, ``ContentLength`` and the like, as S3 heads an object."""


def is_absent(error: ClientError) -> bool:
    """Whether S3 says that no such object lies there.

    Its answer repeats the key, and can't be read where that has what XML lacks, U+FFFE or U+FFFF:
    then its status is all that is known.
    """
    return error.response["Error"]["Code"] in {"NoSuchKey", "404"}


def is_lost_race(error: ClientError) -> bool:
    """Whether another wrote first, is writing, or deleted the object since it was read."""
    code = error.response["Error"]["Code"]
    return code in {"PreconditionFailed", "ConditionalRequestConflict"} or is_absent(error)


def head_of(s3: S3Client, bucket: str, key: str) -> Head | None:
    """The head of the object that lies there; ``None`` where none does."""
    try:
        return s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise


def put_if_unchanged(
    s3: S3Client, bucket: str, key: str, body: bytes, read_etag: str | None, **options: Any
) -> str | None:
    """Puts an object over the one whose etag was read, or where there was none (``None``).

    Gives back the new etag, or ``None`` when another writer was faster and nothing was written.
    ``options`` as ``put_object`` takes them.
    """
    options |= {"IfMatch": read_etag} if read_etag else {"IfNoneMatch": "*"}
    try:
        return s3.put_object(Bucket=bucket, Key=key, Body=body, **options)["ETag"]
    except ClientError as error:
        if is_lost_race(error):
            return None
        raise
