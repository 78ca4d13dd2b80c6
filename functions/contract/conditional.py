"""Writing an object only if nobody else has since it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Another wrote first, is writing, or deleted the object since it was read.
LOST_RACE = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}


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
        if error.response["Error"]["Code"] in LOST_RACE:
            return None
        raise
