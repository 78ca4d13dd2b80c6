"""``sam deploy`` of the template, to MiniStack: what is wired there takes a photograph all the way.

Left out is what MiniStack does not make: AWS::Batch::* (so Worker=none, and the worker is started
here) and AWS::Budgets::Budget (so MonthlyBudget=0).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from deepcolor import registry
from functions.bury.app import GAVE_UP
from functions.contract.manifest import publish
from functions.contract.records import Record, Records, Status
from tests.infra.conftest import CREDENTIALS, REGION, Sam
from tests.infra.template import ROOT, counted_by_filters

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PATIENCE_SECONDS = 60
STACK = "deepcolor-test"
PICTURES = ROOT / "docs/pictures"


@dataclass(frozen=True)
class Deployment:
    """The stack as deployed: what it puts out, and where the emulator serves it."""

    address: str
    outputs: dict[str, str]

    def client(self, service: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.address,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    @property
    def s3(self) -> S3Client:
        client: S3Client = self.client("s3")
        return client

    @property
    def page(self) -> str:
        """Where MiniStack serves the HTTP API: AWS's host name would not lead here."""
        return f"{self.address}/_aws/execute-api/{self.outputs['PageApiId']}/$default"

    def upload(self, key: str) -> None:
        bucket = self.outputs["UploadsBucketName"]
        self.s3.put_object(Bucket=bucket, Key=key, Body=b"some bytes")

    def record(self, key: str) -> Record | None:
        return Records(self.s3, self.outputs["ResultsBucketName"]).get(key)


@pytest.fixture(scope="module")
def deployment(ministack: str, artifacts: Path, sam: Sam) -> Deployment:
    sam(
        "deploy",
        *("--config-file", ROOT / "samconfig.toml", "--template-file", artifacts / "template.yaml"),
        *("--stack-name", STACK, "--no-confirm-changeset", "--no-progressbar"),
        *("--parameter-overrides", "Worker=none", "MonthlyBudget=0"),
        AWS_ENDPOINT_URL=ministack,
        SAM_CLI_POLL_DELAY="0.5",
    )
    found = Deployment(ministack, {})
    [stack] = found.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    publish(found.s3, outputs["ResultsBucketName"], registry.manifest())
    return Deployment(ministack, outputs)


@dataclass
class Visitor:
    """A browser without the browser: it keeps the page's cookie."""

    page: str
    cookies: CookieJar

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(f"{self.page}{path}", data=data, headers=headers)
        # The page marks its cookie for TLS, which ends at AWS's gateway and is not there at all
        # on the emulator.
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        if cookie:
            request.add_header("Cookie", cookie)
        with urllib.request.urlopen(request, timeout=30) as reply:
            self.cookies.extract_cookies(reply, request)
            return json.load(reply)


def eventually(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)
    return found


def post_form(url: str, fields: dict[str, str], content: bytes) -> int:
    """A multipart form with a file at its end, as S3 takes an upload from a browser."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = "".join([*parts, file]).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with urllib.request.urlopen(urllib.request.Request(url, body, kind), timeout=30) as reply:
        status: int = reply.status
        return status


def drain(deployment: Deployment) -> list[dict[str, Any]]:
    """The worker itself empties the deployed work queue, as Batch would start it; gives its log."""
    environment = CREDENTIALS | {
        "AWS_ENDPOINT_URL": deployment.address,
        "DEEPCOLOR_UPLOADS_BUCKET": deployment.outputs["UploadsBucketName"],
        "DEEPCOLOR_RESULTS_BUCKET": deployment.outputs["ResultsBucketName"],
        "DEEPCOLOR_WORK_QUEUE_URL": deployment.outputs["WorkQueueUrl"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "functions.colorize", "--exit-when-idle", "1"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_photographs_go_through_what_was_deployed(deployment: Deployment) -> None:
    """One from the page and, beside it, one that a program just puts into the bucket."""
    photograph = min(PICTURES.glob("*.gray.jpg")).read_bytes()
    visitor = Visitor(deployment.page, CookieJar())
    assert [card["name"] for card in visitor.ask("/api/strategies")["strategies"] if card["ready"]]
    wish = {
        "filename": "grandma ü+%.jpg",
        "content_type": "image/jpeg",
        "size": len(photograph),
        "strategy": "colornet",
    }
    created = visitor.ask("/api/images", wish)
    upload = created["upload"]
    assert post_form(upload["url"], upload["fields"], photograph) in {200, 201, 204}
    others = "colornet/album/not a photograph.jpg"
    deployment.upload(others)
    # By the bucket's notification, the event source mapping and the deployed function.
    queued = eventually(lambda: deployment.record(upload["fields"]["key"]))
    assert (queued.status, queued.correlation_id) == (Status.QUEUED, created["id"])
    assert eventually(lambda: deployment.record(others)).status is Status.QUEUED
    log = drain(deployment)
    [image] = visitor.ask("/api/images")["images"]
    assert (image["id"], image["status"], image["error"]) == (created["id"], "done", None)
    with urllib.request.urlopen(image["colored_url"], timeout=30) as reply:
        assert reply.headers["Content-Type"] == "image/jpeg"
        assert reply.read(2) == b"\xff\xd8"
    assert Visitor(deployment.page, CookieJar()).ask("/api/images")["images"] == []
    failed = deployment.record(others)
    assert failed is not None
    assert failed.error is not None
    assert failed.error["code"] == "not_a_photograph"
    # What the template's filters make of the worker's log.
    counts = {"Colored": 1, "Failed": 1, "FailedByUs": 0, "TriedAgain": 0}
    assert counted_by_filters(log) == counts
    assert {line.get("correlation_id") for line in log if line["message"] == "done"} == {
        created["id"]
    }


def test_what_dies_in_the_work_queue_is_buried(deployment: Deployment) -> None:
    sqs = deployment.client("sqs")
    work_queue = deployment.outputs["WorkQueueUrl"]
    key = "colornet/album/poison.jpg"
    deployment.upload(key)
    eventually(lambda: deployment.record(key))
    for _ in range(6):  # one more than maxReceiveCount
        sqs.receive_message(QueueUrl=work_queue, VisibilityTimeout=0, WaitTimeSeconds=1)

    def buried() -> bool:
        record = deployment.record(key)
        return record is not None and record.error == GAVE_UP

    eventually(buried)
