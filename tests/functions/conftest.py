"""S3 and SQS on loopback, and buckets and queues of its own for every test."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aws_lambda_powertools import Logger
from PIL import Image

from deepcolor import Colorizer, registry
from functions.bury import app as bury
from functions.colorize.jobs import Jobs
from functions.colorize.painter import Painter
from functions.colorize.worker import Worker
from functions.contract.manifest import publish
from functions.contract.records import Record, Records
from functions.contract.settings import Settings
from functions.contract.work import from_message, to_message
from functions.dispatch import app as dispatch
from functions.workers.wake import waker_from_environment
from tests.servers import moto

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

numbers = itertools.count()


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a moto server."""
    with moto(tmp_path_factory.mktemp("moto")) as address:
        yield address


@dataclass(frozen=True)
class Cloud:
    """One deployment: two buckets, the work queue, and the uploads queue where S3 tells of them."""

    s3: S3Client
    sqs: SQSClient
    settings: Settings
    uploads_queue_url: str

    @property
    def records(self) -> Records:
        return Records(self.s3, self.settings.results_bucket)

    def upload(self, key: str, content: bytes, **metadata: str) -> None:
        self.s3.put_object(
            Bucket=self.settings.uploads_bucket, Key=key, Body=content, Metadata=metadata
        )

    def record(self, key: str) -> Record:
        record = self.records.get(key)
        assert record is not None, f"there is no record of {key}"
        return record

    def result(self, key: str) -> dict[str, Any]:
        found = self.s3.get_object(Bucket=self.settings.results_bucket, Key=key)
        return dict(found) | {"Body": found["Body"].read()}

    def results(self) -> list[str]:
        """The keys of all results, without manifest and records."""
        listed = self.s3.list_objects_v2(Bucket=self.settings.results_bucket)
        keys = [entry["Key"] for entry in listed.get("Contents", [])]
        return [key for key in keys if not key.startswith("records/") and key != "strategies.json"]

    def publish_manifest(self) -> None:
        publish(self.s3, self.settings.results_bucket, registry.manifest())

    def send(self, work: Record) -> None:
        self.sqs.send_message(QueueUrl=self.settings.work_queue_url, MessageBody=to_message(work))

    def send_again(self, work: Record) -> None:
        """Sends it as if a worker had received it and let go of it."""
        self.send(work)
        self.sqs.receive_message(QueueUrl=self.settings.work_queue_url, VisibilityTimeout=0)

    def alter(self, key: str, **changes: Any) -> None:
        """Has an order that waits ask for something else, in its record and its message."""
        altered = self.records.update(key, lambda record: replace(record, **changes))
        for work in self.take_work():
            self.send(altered if work.key == key else work)

    def receive(self, queue_url: str, wait_seconds: int = 0) -> list[dict[str, Any]]:
        reply = self.sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
        )
        return [dict(message) for message in reply.get("Messages", [])]

    def take_work(self) -> list[Record]:
        """What waits in the work queue, taken out of it."""
        taken = []
        while messages := self.receive(self.settings.work_queue_url):
            for message in messages:
                taken.append(from_message(message["Body"]))
                self.sqs.delete_message(
                    QueueUrl=self.settings.work_queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return taken

    def hide_for(self, seconds: int) -> None:
        """Sets the work queue's visibility timeout."""
        self.sqs.set_queue_attributes(
            QueueUrl=self.settings.work_queue_url, Attributes={"VisibilityTimeout": str(seconds)}
        )

    def messages(self) -> tuple[int, int]:
        """How many messages of work wait, and how many are hidden."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        counts = self.sqs.get_queue_attributes(
            QueueUrl=self.settings.work_queue_url, AttributeNames=list(names)
        )["Attributes"]
        return int(counts[names[0]]), int(counts[names[1]])


@pytest.fixture
def environment(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Buckets and queues of this test's own, as the environment names them."""
    number = next(numbers)
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DEEPCOLOR_UPLOADS_BUCKET": f"uploads-{number}",
        "DEEPCOLOR_RESULTS_BUCKET": f"results-{number}",
        "DEEPCOLOR_WORK_QUEUE_URL": f"{endpoint}/123456789012/work-{number}",
        "DEEPCOLOR_MAX_UPLOAD_BYTES": str(2**20),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DEEPCOLOR_BATCH_JOB_QUEUE", raising=False)
    return variables


@pytest.fixture
def cloud(environment: dict[str, str]) -> Iterator[Cloud]:
    caches = (dispatch.orders, bury.s3, waker_from_environment)
    for cache in caches:
        cache.cache_clear()
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    settings = Settings.from_environment()
    for bucket in (settings.uploads_bucket, settings.results_bucket):
        s3.create_bucket(Bucket=bucket)
    name = settings.work_queue_url.rpartition("/")[2]
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == settings.work_queue_url
    uploads_queue = sqs.create_queue(QueueName=f"uploads-of-{name}")["QueueUrl"]
    yield Cloud(s3, sqs, settings, uploads_queue)
    for cache in caches:
        cache.cache_clear()


@dataclass(frozen=True)
class Context:
    """The part of the Lambda context that Powertools reads."""

    function_name: str = "a-function"
    memory_limit_in_mb: int = 512
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:a-function"


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Callable[[Logger], Callable[[], list[Any]]]:
    """The lines that a function's logger writes from now on, as they would come to CloudWatch."""

    def listen(logger: Logger) -> Callable[[], list[Any]]:
        stream = io.StringIO()
        monkeypatch.setattr(logger.registered_handler, "stream", stream)
        return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]

    return listen


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], dict[str, Any]]:
    """An event of ``events/``, as Lambda gets it."""

    def read(name: str) -> dict[str, Any]:
        path = Path(__file__).parents[2] / "events" / f"{name}.json"
        event: dict[str, Any] = json.loads(path.read_text())
        return event

    return read


@pytest.fixture(scope="session")
def gray_jpeg(landscape: Image.Image) -> bytes:
    file = io.BytesIO()
    landscape.save(file, "JPEG", quality=90)
    return file.getvalue()


class OneHand(Painter):
    """Colors in this very process, where a worker has painters in others."""

    hands = 1


@pytest.fixture
def jobs(cloud: Cloud, colornet: Colorizer) -> Jobs:
    """A worker's hands, with the network loaded already."""
    logger = Logger(service="colorize")
    return Jobs(cloud.s3, cloud.settings, logger, OneHand(logger, {"colornet": colornet}))


@pytest.fixture
def drain(
    cloud: Cloud, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Worker]]:
    """Runs a worker until the queue is empty."""
    monkeypatch.setattr("functions.colorize.worker.LONG_POLL_SECONDS", 0)
    workers: list[Worker] = []

    def run() -> Worker:
        worker = Worker(cloud.sqs, cloud.settings.work_queue_url, jobs, jobs.logger)
        workers.append(worker)
        worker.run(idle_seconds=0)
        return worker

    yield run
    for worker in workers:
        worker.stopping.set()


Place = Callable[..., Record]


@pytest.fixture
def place(cloud: Cloud) -> Place:
    """Uploads a photograph and orders it, as dispatch would; its message waits."""
    cloud.publish_manifest()
    orders = dispatch.orders()

    def order(key: str, content: bytes, **metadata: str) -> Record:
        cloud.upload(key, content, **metadata)
        _, record = orders.open(key)
        orders.send([record])
        return record

    return order


@pytest.fixture
def writes(cloud: Cloud) -> list[str]:
    """The keys of what is put into the results bucket by this test's own client."""
    seen: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        _, bucket, key = params["url"].partition(f"/{cloud.settings.results_bucket}/")
        if bucket:
            seen.append(key)

    cloud.s3.meta.events.register("before-call.s3.PutObject", note)
    return seen
