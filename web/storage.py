"""The one S3 client of the application, and the origins at which a browser meets its buckets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREADS = 40  # as many as Starlette runs endpoints in


def s3_client() -> S3Client:
    """A client, safe to share among threads, whose presigned addresses are those of its region.

    By botocore's default they would be those of the global endpoint, which redirects, and a
    redirect ends an upload from another origin.
    """
    emulated = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    addressing_style: Literal["path", "virtual"] = "path" if emulated else "virtual"
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": addressing_style, "us_east_1_regional_endpoint": "regional"},
        max_pool_connections=THREADS,
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    return boto3.client("s3", config=config)


def browser_origins(s3: S3Client, buckets: Iterable[str]) -> list[str]:
    """Where presigned addresses may point: the endpoint itself, and each bucket as its host."""
    scheme, netloc, *_ = urlsplit(s3.meta.endpoint_url)
    return [f"{scheme}://{netloc}", *(f"{scheme}://{bucket}.{netloc}" for bucket in buckets)]
