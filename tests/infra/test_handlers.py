"""Each function as it is uploaded, under Lambda's own runtime client and emulator."""

from __future__ import annotations

import contextlib
import itertools
import json
import platform
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from deepcolor import registry
from functions.contract.manifest import publish
from functions.contract.records import Record, Records, Status
from functions.contract.work import from_message
from tests.functions.moto_batch import register_job_definition
from tests.infra.conftest import CREDENTIALS, REGION
from tests.infra.template import ROOT, TEMPLATE, of_type
from tests.servers import free_port, serving

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

FUNCTIONS = of_type("AWS::Serverless::Function")
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}
PHOTO = "colornet/album/photo.jpg"
numbers = itertools.count()


def event(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return read


@dataclass(frozen=True)
class Cloud:
    """Two buckets, the work queue, and how a function is told of them."""

    s3: S3Client
    sqs: SQSClient
    batch: BatchClient
    environment: dict[str, str]

    @property
    def uploads(self) -> str:
        return self.environment["DEEPCOLOR_UPLOADS_BUCKET"]

    @property
    def results(self) -> str:
        return self.environment["DEEPCOLOR_RESULTS_BUCKET"]

    @property
    def records(self) -> Records:
        return Records(self.s3, self.results)

    def upload(self, *keys: str) -> None:
        for key in keys:
            self.s3.put_object(Bucket=self.uploads, Key=key, Body=b"some bytes")

    def record(self, key: str) -> Record:
        record = self.records.get(key)
        assert record is not None, key
        return record

    def work(self) -> list[Record]:
        """What waits in the work queue, taken out of it."""
        queue = self.environment["DEEPCOLOR_WORK_QUEUE_URL"]
        taken = []
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                taken.append(from_message(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def jobs(self) -> list[str]:
        """The ids of the jobs in this cloud's Batch queue."""
        listed = self.batch.list_jobs(
            jobQueue=self.environment["DEEPCOLOR_BATCH_JOB_QUEUE"],
            filters=[{"name": "JOB_NAME", "values": ["*"]}],
        )
        return [job["jobId"] for job in listed["jobSummaryList"]]


@pytest.fixture(scope="module")
def job_definition(moto: str) -> str:
    config = json.dumps({"batch": {"use_docker": False}}).encode()
    request = urllib.request.Request(f"{moto}/moto-api/config", data=config)
    urllib.request.urlopen(request).close()
    batch = _client("batch", moto)
    return register_job_definition(batch)


def _client(service: Any, address: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture
def cloud(moto: str, job_definition: str) -> Cloud:
    number = next(numbers)
    s3, sqs = _client("s3", moto), _client("sqs", moto)
    batch, iam = _client("batch", moto), _client("iam", moto)
    for bucket in ("uploads", "results"):
        s3.create_bucket(
            Bucket=f"handlers-{bucket}-{number}",
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
    work = sqs.create_queue(QueueName=f"handlers-work-{number}")["QueueUrl"]
    role = iam.create_role(RoleName=f"batch-{number}", AssumeRolePolicyDocument="{}")
    instances = batch.create_compute_environment(
        computeEnvironmentName=f"instances-{number}",
        type="UNMANAGED",
        state="ENABLED",
        serviceRole=role["Role"]["Arn"],
    )["computeEnvironmentArn"]
    jobs = batch.create_job_queue(
        jobQueueName=f"workers-{number}",
        priority=1,
        state="ENABLED",
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": instances}],
    )["jobQueueArn"]
    publish(s3, f"handlers-results-{number}", registry.manifest())
    return Cloud(
        s3,
        sqs,
        batch,
        {
            "AWS_ENDPOINT_URL": moto,
            "DEEPCOLOR_UPLOADS_BUCKET": f"handlers-uploads-{number}",
            "DEEPCOLOR_RESULTS_BUCKET": f"handlers-results-{number}",
            "DEEPCOLOR_WORK_QUEUE_URL": work,
            "DEEPCOLOR_BATCH_JOB_QUEUE": jobs,
            "DEEPCOLOR_BATCH_JOB_DEFINITION": job_definition,
            "DEEPCOLOR_MAX_WORKERS": "4",
            "DEEPCOLOR_PHOTOGRAPHS_PER_WORKER": "3",
            "DEEPCOLOR_WEB_SECRET": "of this test",
            "POWERTOOLS_METRICS_NAMESPACE": "deepcolor/tests",
        },
    )


@dataclass(frozen=True)
class Invoked:
    """A function that runs, and what it has printed so far."""

    address: str
    log: Path

    def __call__(self, payload: dict[str, Any]) -> Any:
        url = f"{self.address}/2015-03-31/functions/function/invocations"
        request = urllib.request.Request(url, data=json.dumps(payload).encode())
        with urllib.request.urlopen(request, timeout=60) as reply:
            answer = json.load(reply)
        assert not (isinstance(answer, dict) and "errorType" in answer), answer
        return answer

    def lines(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def counted(self) -> dict[str, float]:
        """The sums of the metrics."""
        sums: dict[str, float] = {}
        for blob in (line for line in self.lines() if "_aws" in line):
            [metrics] = blob["_aws"]["CloudWatchMetrics"]
            assert metrics["Namespace"] == "deepcolor/tests"
            for metric in metrics["Metrics"]:
                sums[metric["Name"]] = sums.get(metric["Name"], 0) + sum(blob[metric["Name"]])
        return {name: value for name, value in sums.items() if value}


Start = Callable[[str], Invoked]


@pytest.fixture
def start(cloud: Cloud, artifacts: Path, tmp_path: Path, sam_packages: Path) -> Iterator[Start]:
    """Starts a function of the template, as ``sam build`` made it."""
    pytest.importorskip("awslambdaric", reason="Lambda's runtime client runs on Linux only")
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    emulator = sam_packages / f"samcli/local/rapid/aws-lambda-rie-{machine}"
    assert emulator.exists(), emulator
    with contextlib.ExitStack() as running:

        def one(name: str) -> Invoked:
            port = free_port()
            environment = {
                **CREDENTIALS,
                **cloud.environment,
                "PYTHONPATH": str(artifacts / name),
                "AWS_LAMBDA_FUNCTION_NAME": name,
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TEMPLATE["Globals"]["Function"]["Timeout"]),
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
            }
            command = [
                emulator,
                *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
                *("--runtime-api-address", f"127.0.0.1:{free_port()}"),
                *(sys.executable, "-m", "awslambdaric", FUNCTIONS[name]["Handler"]),
            ]
            log = tmp_path / f"{name}.log"
            address = running.enter_context(
                serving(command, port, log, environment, artifacts / name)
            )
            return Invoked(address, log)

        yield one


@pytest.fixture(scope="module")
def sam_packages() -> Path:
    python = Path(sys.prefix) / "sam/bin/python"
    if not python.exists():
        pytest.skip(f"SAM's command line, which brings the emulator, is not there: {python}")
    code = "import samcli; print(samcli.__path__[0])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).parent


ODD_KEYS = [
    "album/my photo (1).jpg",
    "album/a+b.jpg",
    "album/100%.jpg",
    "Müller/Straße.jpg",
    "📷/😀.jpg",
    "album/a%20b.jpg",
]
LONGEST_KEY = f"album/{'ü' * 100}{'😀' * 200}{'x' * 14}.jpg"


def test_dispatch(start: Start, cloud: Cloud) -> None:
    """One function takes event after event, as a warm one does."""
    assert len(LONGEST_KEY.encode()) == 1024
    dispatch = start("DispatchFunction")
    uploads = {
        "aws_put": [PHOTO],
        "aws_odd_keys": ODD_KEYS,
        "aws_multipart": ["album/big.tif"],
        "aws_longest_key": [LONGEST_KEY],
        "aws_several_records": ["album/first.jpg", "album/second one.jpg"],
        "moto_put": ["colornet/album/a b+c%d.jpg", "Müller/😀.jpg"],
    }
    for name, keys in uploads.items():
        cloud.upload(*keys)
        assert dispatch(event(name)) == NOTHING_FAILED, name
        assert sorted(work.key for work in cloud.work()) == sorted(keys), name
        for key in keys:
            record = cloud.record(key)
            assert (record.status, record.order) == (Status.QUEUED, 1), key
    for name in ("aws_test_event", "moto_test_event", "aws_not_created"):
        assert dispatch(event(name)) == NOTHING_FAILED, name
    assert cloud.work() == []
    sent = sum(len(keys) for keys in uploads.values())
    counted = dispatch.counted()
    assert counted.pop("Messages") == 17
    assert counted.pop("Woken") == len(cloud.jobs()) > 0
    assert counted == {"Queued": sent, "Ignored": 1}


def test_dispatch_leaves_only_what_makes_no_sense(start: Start, cloud: Cloud) -> None:
    cloud.upload(PHOTO)
    dispatch, messages = start("DispatchFunction"), event("not_an_event")
    failed = [message["messageId"] for message in messages["Records"][:2]]
    items = [{"itemIdentifier": message} for message in failed]
    assert dispatch(messages) == {"batchItemFailures": items}
    assert [work.key for work in cloud.work()] == [PHOTO]
    assert dispatch.counted()["LeftForAnotherTry"] == 2
    left = [line for line in dispatch.lines() if line.get("message") == "left for another try"]
    assert [line["message_id"] for line in left] == failed


def test_bury(start: Start, cloud: Cloud) -> None:
    cloud.upload(PHOTO, "album/removed.jpg", "Müller/😀.jpg")
    bury = start("BuryFunction")
    assert bury(event("dead_uploads")) == NOTHING_FAILED
    record = cloud.record(PHOTO)
    assert (record.status, record.order) == (Status.FAILED, 1)
    assert cloud.records.get("album/removed.jpg") is None
    dead = event("dead_work")
    second = from_message(dead["Records"][1]["body"])
    cloud.records.add(second)
    assert bury(dead) == NOTHING_FAILED
    assert cloud.record(second.key).status is Status.FAILED
    assert bury.counted() == {"Messages": 4, "Buried": 2}
    given_up = [line for line in bury.lines() if line.get("message") == "gave up"]
    assert given_up[-1]["correlation_id"] == second.correlation_id


def test_sweep(start: Start, cloud: Cloud) -> None:
    sweep = start("SweepFunction")
    assert sweep(event("schedule")) is None
    assert cloud.jobs() == []
    for number in range(4):
        cloud.sqs.send_message(
            QueueUrl=cloud.environment["DEEPCOLOR_WORK_QUEUE_URL"], MessageBody=f"work {number}"
        )
    sweep(event("schedule"))
    assert len(cloud.jobs()) == 2
    assert sweep.counted() == {"Photographs": 4, "Unattended": 4, "Woken": 2}


def test_web(start: Start, cloud: Cloud) -> None:
    web = start("WebFunction")
    assert web(event("page_get"))["statusCode"] == 200
    assert json.loads(web(event("page_album"))["body"])["images"] == []
    created = web(event("page_post"))
    assert created["statusCode"] == 201, created
    upload = json.loads(created["body"])["upload"]
    assert upload["url"] == f"{cloud.environment['AWS_ENDPOINT_URL']}/{cloud.uploads}"
    [cookie] = created["cookies"]
    assert "Secure" in cookie
    asked = event("page_album") | {"cookies": [cookie.partition(";")[0]]}
    [image] = json.loads(web(asked)["body"])["images"]
    assert (image["filename"], image["status"]) == ("grandma.jpg", "waiting")
