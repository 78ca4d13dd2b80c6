"""What each role of the template lets its code do, and what not, as moto judges policies.

moto knows the resources of S3 and SQS. Of Batch it knows none, and calls its actions by lower case:
there the policies say so too, with "*" for SubmitJob's queue and definition.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from PIL import Image
from starlette.testclient import TestClient

from deepcolor import Colorizer, registry
from functions.bury import app as bury
from functions.colorize.jobs import Jobs
from functions.colorize.worker import Worker
from functions.contract.manifest import publish
from functions.contract.records import Record, Records, Status
from functions.contract.settings import Settings
from functions.dispatch import app as dispatch
from functions.sweep import app as sweep
from functions.workers.wake import waker_from_environment
from infra.local.event_source import Context
from tests.functions.conftest import OneHand
from tests.functions.moto_batch import register_job_definition
from tests.infra.conftest import CREDENTIALS, REGION
from tests.infra.template import as_list, of_type, statements
from tests.servers import moto

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "123456789012"
UPLOADS, RESULTS = "uploads", "results"
PHOTO = "colornet/album/photo.jpg"
BATCHED = {"sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}
CONTEXT = Context("a-function")
ROLES = of_type("AWS::IAM::Role")


@dataclass(frozen=True)
class Account:
    """A moto that asks for permission, the template's roles in it, and one who may do all."""

    address: str
    admin: Mapping[str, str]
    environment: Mapping[str, str]

    def client(self, service: Any) -> Any:
        return boto3.Session(**self.admin, region_name=REGION).client(
            service, endpoint_url=self.address
        )

    def session(self, role: str) -> boto3.Session:
        """As who may do what that role may."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        assumed = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return boto3.Session(
            aws_access_key_id=assumed["AccessKeyId"],
            aws_secret_access_key=assumed["SecretAccessKey"],
            aws_session_token=assumed["SessionToken"],
            region_name=REGION,
        )

    @property
    def records(self) -> Records:
        return Records(self.client("s3"), RESULTS)

    def record(self, key: str) -> Record:
        record = self.records.get(key)
        assert record is not None, key
        return record

    def empty_work_queue(self) -> None:
        sqs, queue = self.client("sqs"), self.environment["DEEPCOLOR_WORK_QUEUE_URL"]
        while messages := sqs.receive_message(QueueUrl=queue).get("Messages"):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])

    def upload(self, key: str, content: bytes = b"some bytes", **metadata: str) -> None:
        self.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=content, Metadata=metadata)


def resolved(value: Any, arns: Mapping[str, str]) -> Any:
    """A policy with the ARNs in place of the intrinsics."""
    if isinstance(value, list):
        return [resolved(one, arns) for one in value]
    if not isinstance(value, dict):
        return value
    if "Fn::GetAtt" in value or "Ref" in value:
        return arns[value.get("Ref") or value["Fn::GetAtt"].removesuffix(".Arn")]
    if "Fn::Sub" in value:
        return re.sub(r"\$\{(.+?)(\.Arn)?\}", lambda found: arns[found[1]], value["Fn::Sub"])
    return {key: resolved(one, arns) for key, one in value.items()}


def as_moto_knows_it(statement: dict[str, Any]) -> dict[str, Any]:
    actions = [
        action.lower() if action.startswith("batch:") else action
        for action in as_list(statement["Action"])
    ]
    if "s3:ListBucket" in actions:
        actions.append("s3:HeadBucket")  # which on AWS is no action, but needs ListBucket
    # On AWS a batch needs what one message needs.
    actions += [f"{action}Batch" for action in actions if action in BATCHED]
    return statement | {"Action": actions}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with moto(tmp_path_factory.mktemp("moto")) as address:
        keys = {
            "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        account = Account(address, keys, {})
        _post(f"{address}/moto-api/config", json.dumps({"batch": {"use_docker": False}}))
        environment = _furnish(account)
        admin = _make_admin(account)
        _post(f"{address}/moto-api/reset-auth", "0")
        yield Account(address, admin, environment)


def policy(statements: list[Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _post(url: str, body: str) -> None:
    kind = {"Content-Type": "text/plain"}  # or moto's server reads it as a form
    urllib.request.urlopen(urllib.request.Request(url, body.encode(), kind)).close()


def _make_admin(account: Account) -> dict[str, str]:
    iam = account.client("iam")
    iam.create_user(UserName="admin")
    everything = policy([{"Effect": "Allow", "Action": "*", "Resource": "*"}])
    iam.put_user_policy(UserName="admin", PolicyName="all", PolicyDocument=everything)
    key = iam.create_access_key(UserName="admin")["AccessKey"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


def _furnish(account: Account) -> dict[str, str]:
    """Buckets, queues, a Batch queue and the template's roles; gives the functions' environment."""
    s3, sqs, batch, iam = (account.client(name) for name in ("s3", "sqs", "batch", "iam"))
    for bucket in (UPLOADS, RESULTS):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    arns = {name: f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}" for name in of_type("AWS::SQS::Queue")}
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in arns}
    arns |= {"UploadsBucket": f"arn:aws:s3:::{UPLOADS}", "ResultsBucket": f"arn:aws:s3:::{RESULTS}"}
    arns |= dict.fromkeys(of_type("AWS::Logs::LogGroup"), "arn:aws:logs:::a-log-group")
    arns |= {"JobQueue": "*"}
    arns |= {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
    arns |= {"AWS::StackName": "deepcolor"}
    trust = policy([{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}])
    for name, role in ROLES.items():
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        own = [as_moto_knows_it(resolved(statement, arns)) for statement in statements(role)]
        if own:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(own))
    instances = batch.create_compute_environment(
        computeEnvironmentName="instances",
        type="UNMANAGED",
        state="ENABLED",
        serviceRole=f"arn:aws:iam::{ACCOUNT}:role/InstanceRole",
    )["computeEnvironmentArn"]
    jobs = batch.create_job_queue(
        jobQueueName="workers",
        priority=1,
        state="ENABLED",
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": instances}],
    )["jobQueueArn"]
    definition = register_job_definition(batch)
    publish(s3, RESULTS, registry.manifest())
    return {
        "AWS_ENDPOINT_URL": account.address,
        "AWS_DEFAULT_REGION": REGION,
        "DEEPCOLOR_UPLOADS_BUCKET": UPLOADS,
        "DEEPCOLOR_RESULTS_BUCKET": RESULTS,
        "DEEPCOLOR_WORK_QUEUE_URL": urls["WorkQueue"],
        "DEEPCOLOR_BATCH_JOB_QUEUE": jobs,
        "DEEPCOLOR_BATCH_JOB_DEFINITION": definition,
        "DEEPCOLOR_MAX_WORKERS": "4",
        "DEEPCOLOR_PHOTOGRAPHS_PER_WORKER": "3",
        "DEEPCOLOR_WEB_SECRET": "of this test",
    }


As = Callable[[str], "contextlib.AbstractContextManager[None]"]


@pytest.fixture
def as_role(account: Account, monkeypatch: pytest.MonkeyPatch) -> As:
    """Has the code that runs in the block be who it is on AWS."""
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)

    @contextlib.contextmanager
    def be(role: str) -> Iterator[None]:
        caches = (dispatch.orders, bury.s3, waker_from_environment)
        for cache in caches:
            cache.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(boto3, "DEFAULT_SESSION", account.session(role))
            yield
        for cache in caches:
            cache.cache_clear()

    return be


def message(body: Mapping[str, Any]) -> dict[str, Any]:
    record = {"messageId": "message-1", "body": json.dumps(body), "attributes": {}}
    return {"Records": [record]}


def created(*keys: str) -> dict[str, Any]:
    records = [
        {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}, "bucket": {}}}
        for key in keys
    ]
    return message({"Records": records})


# ---- What the code does is allowed


def test_dispatch_may_look_record_queue_and_wake(account: Account, as_role: As) -> None:
    account.upload(PHOTO)
    account.upload("strategies.json")
    with as_role("DispatchRole"):
        event = created(PHOTO, "gone.jpg", "strategies.json")
        assert dispatch.handler(event, CONTEXT) == {"batchItemFailures": []}
    assert account.record(PHOTO).status is Status.QUEUED
    assert account.record("strategies.json").status is Status.FAILED
    jobs = account.client("batch").list_jobs(
        jobQueue=account.environment["DEEPCOLOR_BATCH_JOB_QUEUE"], jobStatus="SUCCEEDED"
    )["jobSummaryList"]
    assert len(jobs) == 1


def test_sweep_may_look_and_wake(account: Account, as_role: As) -> None:
    account.empty_work_queue()
    account.client("sqs").send_message(
        QueueUrl=account.environment["DEEPCOLOR_WORK_QUEUE_URL"],
        MessageBody="any work",
    )
    with as_role("SweepRole"):
        sweep.handler({"id": "an-event"}, CONTEXT)
        waker = waker_from_environment()
        assert waker is not None
        # For a job whose id nobody could note.
        assert waker._status_by_name("no-such-job") is None
    register = account.client("s3").get_object(Bucket=RESULTS, Key="workers.json")
    assert len(json.loads(register["Body"].read())) == 1


def test_bury_may_record_what_was_given_up(account: Account, as_role: As) -> None:
    account.upload("dead.jpg")
    with as_role("BuryRole"):
        assert bury.handler(created("dead.jpg", "gone.jpg"), CONTEXT) == {"batchItemFailures": []}
    record = account.record("dead.jpg")
    assert record.status is Status.FAILED
    work = account.records.update("work.jpg", lambda _: _running(record, "work.jpg"))
    with as_role("BuryRole"):
        bury.handler(message(work.to_fields()), CONTEXT)
    assert account.record("work.jpg").status is Status.FAILED


def _running(like: Record, key: str) -> Record:
    return Record(key, 1, Status.RUNNING, "colornet", like.source, "c")


def test_the_worker_may_take_color_store_and_clear_up(
    account: Account,
    as_role: As,
    colornet: Colorizer,
    landscape: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("functions.colorize.worker.LONG_POLL_SECONDS", 0)
    file = io.BytesIO()
    landscape.save(file, "JPEG")
    keys = ["colornet/kept.jpg", "colornet/deleted meanwhile.jpg"]
    account.empty_work_queue()
    for key in keys:
        account.upload(key, file.getvalue())
    with as_role("DispatchRole"):
        dispatch.handler(created(*keys), CONTEXT)
    with as_role("WorkerRole"):
        settings, logger = Settings.from_environment(), Logger(service="colorize")
        colorizers = {"colornet": _deleting(colornet, account, keys[1])}
        jobs = Jobs(boto3.client("s3"), settings, logger, OneHand(logger, colorizers))
        worker = Worker(boto3.client("sqs"), settings.work_queue_url, jobs, logger)
        worker.run(idle_seconds=0)
        worker.stopping.set()
    assert account.record(keys[0]).status is Status.DONE
    listed = account.client("s3").list_objects_v2(Bucket=RESULTS, Prefix="colornet/")
    assert [entry["Key"] for entry in listed["Contents"]] == [keys[0]]
    queue = account.client("sqs").get_queue_attributes(
        QueueUrl=account.environment["DEEPCOLOR_WORK_QUEUE_URL"], AttributeNames=["All"]
    )["Attributes"]
    assert queue["ApproximateNumberOfMessages"] == "0"
    assert queue["ApproximateNumberOfMessagesNotVisible"] == "0"


def _deleting(colornet: Colorizer, account: Account, key: str) -> Any:
    """A colorizer during whose work a visitor deletes a photograph."""

    class Deleting:
        card = colornet.card

        def __call__(self, image: Image.Image) -> None:
            """The worker's warming up."""

        def file(self, *arguments: Any, **options: Any) -> Any:
            account.client("s3").delete_object(Bucket=RESULTS, Key=f"records/{key}.json")
            return colornet.file(*arguments, **options)

    return Deleting()


def test_dispatch_may_delete_what_a_visitor_deleted_on_its_way(
    account: Account, as_role: As
) -> None:
    key = f"web/{'0' * 26}/{'1' * 26}/grandma.jpg"
    account.upload(key)
    with as_role("DispatchRole"):
        dispatch.handler(created(key), CONTEXT)
    left = account.client("s3").list_objects_v2(Bucket=UPLOADS, Prefix="web/")
    assert left["KeyCount"] == 0
    records = account.client("s3").list_objects_v2(Bucket=RESULTS, Prefix="records/web/")
    assert records["KeyCount"] == 0


def test_the_page_may_show_recolor_and_delete(account: Account, as_role: As) -> None:
    with as_role("WebRole"):
        from web.app import create_app

        visitor = TestClient(create_app(), base_url="https://page.example")
        assert visitor.get("/").status_code == 200
        wish = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 10}
        made = visitor.post("/api/images", json=wish | {"strategy": "colornet"})
        assert made.status_code == 201, made.text
        image, fields = made.json()["id"], made.json()["upload"]["fields"]
        assert visitor.get(f"/api/images/{image}").json()["status"] == "waiting"
        account.upload(fields["key"])
        recolored = visitor.post(
            f"/api/images/{image}/recolor",
            json={"strategy": "colornet", "knobs": {"saturation": 2}},
        )
        assert recolored.is_success, recolored.text
        [shown] = visitor.get("/api/images").json()["images"]
        assert shown["id"] == image
        assert visitor.delete(f"/api/images/{image}").status_code == 204
    left = account.client("s3").list_objects_v2(Bucket=UPLOADS, Prefix="web/")
    assert left["KeyCount"] == 0


# ---- What it must not do is denied

FORBIDDEN: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "DispatchRole": [
        ("s3", "put_object", {"Bucket": UPLOADS, "Key": "a.jpg", "Body": b""}),
        ("s3", "delete_object", {"Bucket": UPLOADS, "Key": "a.jpg"}),
        ("s3", "put_object", {"Bucket": RESULTS, "Key": "a.jpg", "Body": b""}),
        ("s3", "put_object", {"Bucket": RESULTS, "Key": "strategies.json", "Body": b""}),
        ("s3", "put_object", {"Bucket": RESULTS, "Key": "visitors/v/note.json", "Body": b""}),
        ("s3", "delete_object", {"Bucket": RESULTS, "Key": "visitors/somebody/note.json"}),
        ("s3", "delete_object", {"Bucket": RESULTS, "Key": "records/a.jpg.json"}),
        ("s3", "delete_object", {"Bucket": RESULTS, "Key": "web/v/i/a.jpg"}),
        ("sqs", "receive_message", {"QueueUrl": "WorkQueue"}),
        ("sqs", "purge_queue", {"QueueUrl": "UploadsQueue"}),
        ("batch", "terminate_job", {"jobId": "a-job", "reason": "none"}),
    ],
    "SweepRole": [
        ("s3", "get_object", {"Bucket": UPLOADS, "Key": "a.jpg"}),
        ("s3", "get_object", {"Bucket": RESULTS, "Key": "records/a.jpg.json"}),
        ("s3", "delete_object", {"Bucket": RESULTS, "Key": "workers.json"}),
        ("sqs", "receive_message", {"QueueUrl": "WorkQueue"}),
        ("sqs", "send_message", {"QueueUrl": "WorkQueue", "MessageBody": "x"}),
        ("batch", "terminate_job", {"jobId": "a-job", "reason": "none"}),
    ],
    "BuryRole": [
        ("s3", "put_object", {"Bucket": UPLOADS, "Key": "a.jpg", "Body": b""}),
        ("s3", "put_object", {"Bucket": RESULTS, "Key": "a.jpg", "Body": b""}),
        ("s3", "delete_object", {"Bucket": RESULTS, "Key": "a.jpg"}),
        ("s3", "put_object", {"Bucket": RESULTS, "Key": "strategies.json", "Body": b""}),
        ("sqs", "receive_message", {"QueueUrl": "WorkQueue"}),
        ("sqs", "send_message", {"QueueUrl": "WorkQueue", "MessageBody": "x"}),
        ("batch", "submit_job", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d"}),
    ],
    "WebRole": [
        ("s3", "get_object", {"Bucket": UPLOADS, "Key": "colornet/somebody's.jpg"}),
        ("s3", "put_object", {"Bucket": UPLOADS, "Key": "colornet/a.jpg", "Body": b""}),
        ("s3", "delete_object", {"Bucket": UPLOADS, "Key": "colornet/a.jpg"}),
        ("s3", "get_object", {"Bucket": RESULTS, "Key": "colornet/a.jpg"}),
        ("s3", "get_object", {"Bucket": RESULTS, "Key": "records/colornet/a.jpg.json"}),
        ("s3", "put_object", {"Bucket": RESULTS, "Key": "web/v/i/a.jpg", "Body": b""}),
        ("s3", "put_object", {"Bucket": RESULTS, "Key": "records/web/v/i/a.jpg.json", "Body": b""}),
        ("s3", "put_object", {"Bucket": RESULTS, "Key": "strategies.json", "Body": b""}),
        ("s3", "get_object", {"Bucket": RESULTS, "Key": "workers.json"}),
        ("s3", "delete_bucket", {"Bucket": UPLOADS}),
        ("sqs", "send_message", {"QueueUrl": "WorkQueue", "MessageBody": "x"}),
        ("batch", "submit_job", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d"}),
        ("secretsmanager", "list_secrets", {}),
    ],
    "WorkerRole": [
        ("s3", "put_object", {"Bucket": UPLOADS, "Key": "a.jpg", "Body": b""}),
        ("s3", "delete_object", {"Bucket": UPLOADS, "Key": "a.jpg"}),
        ("s3", "get_object", {"Bucket": RESULTS, "Key": "visitors/somebody/note.json"}),
        ("s3", "delete_object", {"Bucket": RESULTS, "Key": "visitors/somebody/note.json"}),
        ("s3", "put_object", {"Bucket": RESULTS, "Key": "workers.json", "Body": b""}),
        ("sqs", "send_message", {"QueueUrl": "WorkQueue", "MessageBody": "x"}),
        ("sqs", "receive_message", {"QueueUrl": "UploadsQueue"}),
        ("sqs", "purge_queue", {"QueueUrl": "WorkQueue"}),
        ("batch", "submit_job", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d"}),
        ("ec2", "describe_instances", {}),
    ],
}


@pytest.mark.parametrize("role", FORBIDDEN)
def test_what_a_role_has_no_use_for_is_denied(account: Account, role: str) -> None:
    session = account.session(role)
    for service, call, given in FORBIDDEN[role]:
        arguments = dict(given)
        if "QueueUrl" in arguments:
            arguments["QueueUrl"] = f"{account.address}/{ACCOUNT}/{arguments['QueueUrl']}"
        client: Any = session.client(service, endpoint_url=account.address)
        with pytest.raises(ClientError) as refused:
            getattr(client, call)(**arguments)
        status = refused.value.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status == 403, (call, arguments, refused.value)


def test_every_role_of_the_code_is_judged() -> None:
    assert FORBIDDEN.keys() == ROLES.keys() - {"InstanceRole"}
