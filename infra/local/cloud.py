"""S3 and SQS on loopback: what the template makes on AWS, made in moto."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

UPLOADS_BUCKET = "deepcolor-uploads"
RESULTS_BUCKET = "deepcolor-results"
REGION = "us-east-1"
ACCOUNT = "123456789012"  # moto's
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
}
MAX_RECEIVES = 5


@dataclass(frozen=True)
class Cloud:
    """The buckets and queues behind one endpoint."""

    endpoint: str

    def environment(self) -> dict[str, str]:
        """What the functions, the worker and the page need to find everything."""
        return CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "DEEPCOLOR_UPLOADS_BUCKET": UPLOADS_BUCKET,
            "DEEPCOLOR_RESULTS_BUCKET": RESULTS_BUCKET,
            "DEEPCOLOR_WORK_QUEUE_URL": self.queue_url("work"),
        }

    def queue_url(self, name: str) -> str:
        """The URL of one of the queues: uploads, uploads-dead, work, work-dead."""
        return f"{self.endpoint}/{ACCOUNT}/deepcolor-{name}"

    def s3(self) -> S3Client:
        return self._session().client("s3", endpoint_url=self.endpoint)

    def sqs(self) -> SQSClient:
        return self._session().client("sqs", endpoint_url=self.endpoint)

    def create(self, page_origins: list[str]) -> None:
        """Makes the buckets and the queues; no event flows before :meth:`connect`."""
        s3, sqs = self.s3(), self.sqs()
        for bucket in (UPLOADS_BUCKET, RESULTS_BUCKET):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_cors(
                Bucket=bucket,
                CORSConfiguration={
                    "CORSRules": [
                        {
                            "AllowedOrigins": page_origins,
                            "AllowedMethods": ["GET", "POST"],
                            "AllowedHeaders": ["*"],
                            "ExposeHeaders": ["ETag"],
                        }
                    ]
                },
            )
        for name in ("uploads", "work"):
            dead = sqs.create_queue(QueueName=f"deepcolor-{name}-dead")["QueueUrl"]
            redrive = {"deadLetterTargetArn": _arn(dead), "maxReceiveCount": MAX_RECEIVES}
            sqs.create_queue(
                QueueName=f"deepcolor-{name}",
                Attributes={"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "30"},
            )

    def connect(self) -> None:
        """From now on an upload is an event in the uploads queue."""
        self.s3().put_bucket_notification_configuration(
            Bucket=UPLOADS_BUCKET,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "QueueArn": _arn(self.queue_url("uploads")),
                        "Events": ["s3:ObjectCreated:*"],
                    }
                ]
            },
        )

    def _session(self) -> boto3.Session:
        return boto3.Session(
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )


def _arn(queue_url: str) -> str:
    account, name = queue_url.rsplit("/", 2)[1:]
    return f"arn:aws:sqs:{REGION}:{account}:{name}"
