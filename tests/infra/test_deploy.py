"""`make deploy` and `make destroy`, run as they are, against MiniStack, and why they would not run.

Without workers, for MiniStack has no AWS Batch; the worker's image is test_image.py's matter.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from functions.contract.manifest import publish
from infra.deploy import __main__ as command
from infra.deploy import buckets, image, instances
from infra.deploy.account import (
    GPU_TYPES,
    SPOT,
    allow_spot,
    check_concurrency,
    check_quotas,
    check_types,
)
from infra.deploy.errors import (
    InstanceTypesError,
    NoImageError,
    NotDeletedError,
    OnlyDeletableError,
    QuotaError,
)
from infra.deploy.stack import Stack
from infra.local.ports import free_port
from tests.infra.conftest import CREDENTIALS, REGION, Sam, tool
from tests.infra.template import ROOT, TEMPLATE
from tests.servers import serving

MINISTACK = ("ministack==1.5.33", "aws-sam-translator==1.115.0")
STACK = "deepcolor-try"


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("ministack"), free_port(None, near=14566)
    environment = CREDENTIALS | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
    }
    python = tool("ministack", *MINISTACK) / "python"
    with serving([python, "-m", "ministack"], port, folder / "log", environment, folder) as address:
        yield address


def deploy(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = clean | {"SAM_CLI_TELEMETRY": "0", "PYTHON": sys.executable} | variables
    return subprocess.run(
        [sys.executable, "-m", "infra.deploy", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def s3_at(address: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def names_in(address: str) -> list[str]:
    found = [bucket["Name"] for bucket in s3_at(address).list_buckets()["Buckets"]]
    return [name for name in found if name.startswith(STACK)]


def up(address: str, name: str, *options: str) -> str:
    """Deploys a stack, and gives back what was said."""
    always = ("--worker=none", "--parameter=MonthlyBudget=0", f"--stack-name={name}")
    done = deploy("up", *always, *options, **there(address))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def parameters_of(address: str, name: str) -> dict[str, str]:
    """What a stack was deployed with."""
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}


def there(address: str) -> dict[str, str]:
    return CREDENTIALS | {"AWS_ENDPOINT_URL": address, "SAM_CLI_POLL_DELAY": "0.5"}


def test_what_goes_up_comes_down(ministack: str, sam: Sam) -> None:
    up(ministack, STACK, "--parameter=AlarmEmail=me@example.org")
    assert parameters_of(ministack, STACK)["AlarmEmail"] == "me@example.org"
    up(ministack, STACK, "--parameter=AlarmEmail=")
    said = up(ministack, STACK)  # there is nothing to change
    assert parameters_of(ministack, STACK)["AlarmEmail"] == ""
    s3, [results, uploads] = s3_at(ministack), sorted(names_in(ministack))
    assert f"s3://{uploads}/" in said
    assert "execute-api" in said
    manifest = json.loads(s3.get_object(Bucket=results, Key="strategies.json")["Body"].read())
    assert "colornet" in {strategy["name"] for strategy in manifest["strategies"]}
    s3.put_object(Bucket=uploads, Key="album/photo.jpg", Body=b"a photograph")

    options = ("down", "--delete-photographs", f"--stack-name={STACK}")
    refused = deploy(*options, **there(ministack))  # nobody there to say yes
    assert (refused.returncode, refused.stderr) == (1, "Nothing was deleted.\n")
    assert s3.get_object(Bucket=uploads, Key="album/photo.jpg")["Body"].read() == b"a photograph"

    went_down = deploy(*options, "--yes", **there(ministack))
    assert went_down.returncode == 0, went_down.stdout + went_down.stderr
    assert names_in(ministack) == []
    assert "aws-sam-cli-managed-default" in went_down.stdout

    again = deploy(*options, "--yes", **there(ministack))
    assert again.returncode == 1
    assert again.stderr == f"There is no stack named {STACK} in {REGION}.\n"


def test_photographs_stay_unless_the_contrary_is_said(ministack: str, sam: Sam) -> None:
    name = f"{STACK}-kept"
    up(ministack, name)
    s3, [_, uploads] = s3_at(ministack), sorted(names_in(ministack))
    s3.put_object(Bucket=uploads, Key="album/photo.jpg", Body=b"a photograph")
    went_down = deploy("down", "--yes", f"--stack-name={name}", **there(ministack))
    assert went_down.returncode == 0, went_down.stdout + went_down.stderr
    assert f"aws s3 rb --force s3://{uploads}" in went_down.stdout
    assert s3.get_object(Bucket=uploads, Key="album/photo.jpg")["Body"].read() == b"a photograph"


def test_every_version_of_a_photograph_goes(moto: str) -> None:
    s3 = s3_at(moto)
    s3.create_bucket(Bucket="many", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert buckets.is_empty(s3, "many")
    s3.put_bucket_versioning(Bucket="many", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket="many", Key="photo.jpg", Body=b"a photograph")
    s3.delete_object(Bucket="many", Key="photo.jpg")
    assert not buckets.is_empty(s3, "many")
    assert buckets.empty(s3, "many") == 3
    assert buckets.is_empty(s3, "many")


@pytest.mark.parametrize("option", ["--delete-photographs", "--yes"])
@pytest.mark.parametrize(
    "outputs",
    [{}, {"UploadsBucketName": "deleted-by-hand", "ResultsBucketName": "deleted-by-hand-too"}],
    ids=["a first deployment that failed", "buckets that are gone"],
)
def test_a_stack_without_its_buckets_comes_down(
    outputs: dict[str, str], option: str, moto: str
) -> None:
    """As what they leave behind looks: moto's stacks do not fail."""
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=moto,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(template))
    options = ("down", "--yes", option, f"--stack-name={STACK}")
    went_down = deploy(*options, **CREDENTIALS, AWS_ENDPOINT_URL=moto)
    assert (went_down.returncode, went_down.stderr) == (0, "")
    assert f"Deleted: {STACK}." in went_down.stdout
    assert cloudformation.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"] == []


@pytest.mark.parametrize(
    ("options", "left"),
    [(["--delete-photographs"], []), ([], ["the-results"])],
    ids=["photographs too", "but photographs"],
)
def test_what_is_written_while_a_stack_goes_is_treated_like_the_rest(
    options: list[str],
    left: list[str],
    moto: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": moto}).items():
        monkeypatch.setenv(name, value)
    s3, stack = boto3.client("s3"), Stack(boto3.Session(), STACK)
    names = {"UploadsBucketName": "the-uploads", "ResultsBucketName": "the-results"}
    for name in names.values():
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def delete(_: Stack) -> None:
        s3.put_object(Bucket="the-results", Key="album/photo.jpg", Body=b"of a worker's")

    monkeypatch.setattr(Stack, "outputs", lambda _: names)
    monkeypatch.setattr(Stack, "delete", delete)
    command._down(
        stack, command.parser.parse_args(["down", "--yes", "--stack-name", STACK, *options])
    )
    there = buckets.existing(s3, names.values())
    assert sorted(there) == left
    told = [line for line in capsys.readouterr().out.splitlines() if "s3 rb --force" in line]
    assert len(told) == len(left)
    for name in left:
        buckets.empty(s3, name)
        s3.delete_bucket(Bucket=name)


# ---- Why it would not go on


@pytest.mark.parametrize("given", ["AlarmEmail", "=me@example.org"])
def test_a_parameter_without_a_name_or_value_is_refused(given: str) -> None:
    refused = deploy("up", f"--parameter={given}")
    assert refused.returncode == 2
    said = refused.stderr.splitlines()[-1]
    assert said.endswith(f"argument --parameter: {given!r} is not of the form NAME=VALUE.")


@pytest.mark.parametrize("command", ["up", "down"])
@pytest.mark.parametrize("given", ["My-Photographs", "my_photographs", "2nd", "p" * 28])
def test_a_name_that_no_bucket_could_have_is_refused(given: str, command: str) -> None:
    refused = deploy(command, f"--stack-name={given}")
    assert refused.returncode == 2
    said = f"argument --stack-name: {given!r} cannot begin a bucket's name: take at most 27 "
    assert said in refused.stderr


def test_a_name_of_the_longest_that_is_taken_fits_into_the_longest_region() -> None:
    suffix = TEMPLATE["Resources"]["UploadsBucket"]["Properties"]["BucketName"]["Fn::Sub"]
    regions = boto3.Session().get_available_regions("s3")
    values = {"StackName": "p" * 27, "AccountId": "1" * 12, "Region": max(regions, key=len)}
    for name, value in values.items():
        suffix = suffix.replace(f"${{AWS::{name}}}", value)
    assert len(suffix) == 63


def test_without_a_region_it_says_so(tmp_path: Path) -> None:
    refused = deploy("up", AWS_CONFIG_FILE=str(tmp_path / "none"))
    assert refused.returncode == 1
    assert refused.stderr == "No region is set: give --region, or set AWS_REGION.\n"


@pytest.mark.parametrize("variable", ["", "AWS_REGION", "AWS_DEFAULT_REGION"])
def test_without_credentials_it_says_so(variable: str, tmp_path: Path) -> None:
    """Wherever it has the region from."""
    refused = deploy(
        "up",
        *([] if variable else [f"--region={REGION}"]),
        **({variable: REGION} if variable else {}),
        AWS_CONFIG_FILE=str(tmp_path / "none"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"),
        AWS_EC2_METADATA_DISABLED="true",
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("AWS does not know who you are (Unable to locate credentials)")


def test_a_profile_that_is_not_there_is_told(tmp_path: Path) -> None:
    refused = deploy("up", AWS_PROFILE="wrok", AWS_CONFIG_FILE=str(tmp_path / "none"))
    assert refused.returncode == 1
    assert refused.stderr == "The config profile (wrok) could not be found\n"


def test_without_a_container_engine_it_says_so_before_anything_is_made(moto: str) -> None:
    refused = deploy("up", **CREDENTIALS, AWS_ENDPOINT_URL=moto, PATH="/nowhere")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Neither Docker nor Podman runs here")
    assert names_in(moto) == []


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("", "", ""),
        ("InvalidInput", "Service role name AWSServiceRoleForEC2Spot has been taken", ""),
        ("AccessDenied", "not you", "Spot instances may not start: .*not you"),
    ],
)
def test_an_account_may_run_spot_instances_from_then_on(
    code: str,
    message: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the replies that AWS gives when the role is new, is there, or is not for you to make."""
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client("iam")
    monkeypatch.setattr(session, "client", lambda _: client)
    with Stubber(client) as stubber:
        if code:
            stubber.add_client_error("create_service_linked_role", code, message)
        else:
            stubber.add_response("create_service_linked_role", {}, {"AWSServiceName": SPOT})
        allow_spot(session)
        stubber.assert_no_pending_responses()
    assert re.fullmatch(said, capsys.readouterr().err.strip())


@pytest.mark.parametrize(
    ("spot", "on_demand", "is_enough"), [(0, 0, False), (0, 4, True), (8, 0, True), (3, 3, False)]
)
def test_quotas_for_no_worker_at_all_are_refused(
    spot: float, on_demand: float, is_enough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the replies that AWS documents: no emulator knows these quotas."""
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client("service-quotas")
    monkeypatch.setattr(session, "client", lambda _: client)
    with Stubber(client) as stubber:
        for code, value in (("L-3819A6DF", spot), ("L-DB2E81BA", on_demand)):
            stubber.add_response(
                "get_service_quota",
                {"Quota": {"QuotaCode": code, "Value": value}},
                {"ServiceCode": "ec2", "QuotaCode": code},
            )
        if is_enough:
            check_quotas(session)
        else:
            with pytest.raises(QuotaError, match=f"may run {spot:g} vCPUs .* --worker cpu"):
                check_quotas(session)


def session_at(address: str, region: str, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    return boto3.Session("test", "test", region_name=region)


def test_types_that_the_region_lacks_are_refused_by_name(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_at(moto, "eu-west-1", monkeypatch)
    check_types(session, GPU_TYPES.split(","))
    with pytest.raises(InstanceTypesError) as refused:
        check_types(session, ["g4dn.xlarge", "g99.xlarge", "g6f.nano"])
    assert str(refused.value).startswith("There is no g6f.nano and no g99.xlarge in eu-west-1: ")


def test_missing_types_are_named_before_an_image_is_built(moto: str, tmp_path: Path) -> None:
    """By an engine that does nothing but note what it is asked for."""
    engine = tmp_path / "docker"
    engine.write_text('#!/bin/sh\necho "$1" >> "$0.asked"\n')
    engine.chmod(0o700)
    options = ("--parameter=GpuInstanceTypes=g4dn.xlarge, g99.xlarge", f"--stack-name={STACK}-new")
    path = f"{tmp_path}:{os.environ['PATH']}"
    refused = deploy("up", *options, **CREDENTIALS, AWS_ENDPOINT_URL=moto, PATH=path)
    assert refused.returncode == 1
    assert f"There is no g99.xlarge in {REGION}: " in refused.stderr
    assert (tmp_path / "docker.asked").read_text() == "info\n"


def test_where_types_cannot_be_read_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client("ec2")
    monkeypatch.setattr(session, "client", lambda _: client)
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_instance_type_offerings", "UnauthorizedOperation")
        check_types(session, ["g4dn.xlarge"])
    assert "could not be read" in capsys.readouterr().err


def test_the_types_looked_for_are_the_templates() -> None:
    assert TEMPLATE["Parameters"]["GpuInstanceTypes"]["Default"] == GPU_TYPES


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"])
def test_a_stack_that_can_only_be_deleted_is_not_deployed(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reply that AWS documents: moto's stacks do not fail."""
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client("cloudformation")
    monkeypatch.setattr(session, "client", lambda _: client)
    stack = {"StackName": STACK, "CreationTime": datetime.now(UTC), "StackStatus": status}
    with Stubber(client) as stubber:
        stubber.add_response("describe_stacks", {"Stacks": [stack]})
        with pytest.raises(OnlyDeletableError, match=f"{STACK} is in the state {status}.*destroy"):
            command._up(Stack(session, STACK), command.parser.parse_args(["up", "--worker=none"]))


@pytest.mark.parametrize(
    ("limit", "said"),
    [(10, "may run 10 functions at once .*L-B99A9384"), (100, ""), (None, "could not be read .*")],
)
def test_too_few_functions_at_once_are_told(
    limit: int | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the reply that AWS documents: moto has none."""
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client("lambda")
    monkeypatch.setattr(session, "client", lambda _: client)
    with Stubber(client) as stubber:
        if limit is None:
            stubber.add_client_error("get_account_settings", "AccessDenied")
        else:
            reply = {"AccountLimit": {"ConcurrentExecutions": limit}}
            stubber.add_response("get_account_settings", reply)
        check_concurrency(session)
    told = capsys.readouterr().err
    assert re.search(said, told) if said else not told


# ---- Going back, and going on


def manifest_of(strategy: str) -> dict[str, Any]:
    return {"strategies": [{"name": strategy}]}


@pytest.mark.parametrize(
    ("options", "tag"),
    [
        ([], "a new one"),
        (["--parameter=WorkerImageTag=20261127-090000"], "20261127-090000"),
        (["--keep-image"], "as it was"),
    ],
)
@pytest.mark.parametrize("email", ["", "me@example.org"])
def test_an_image_that_is_there_is_deployed_and_none_is_built(
    options: list[str],
    tag: str,
    email: str,
    moto: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without engine and SAM: only what they are asked for counts. Workers stay what they were."""
    is_built = tag == "a new one"
    asked: list[str] = []
    deployed: dict[str, str] = {}
    session = session_at(moto, REGION, monkeypatch)
    results = f"results-{tag}-{bool(email)}".lower().replace(" ", "-")
    session.client("s3").create_bucket(
        Bucket=results, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    publish(session.client("s3"), results, manifest_of("before"), deployment=6)
    outputs = {
        "WorkerRepositoryUri": "1.dkr.ecr/worker",
        "ResultsBucketName": results,
        "UploadsBucketName": "uploads",
        "PageAddress": "https://page",
        "AlarmTopicArn": "arn:topic",
        "JobQueueArn": "arn:jobs",
        "JobDefinitionArn": "arn:definition:7",
    }
    renewed: list[str] = []
    monkeypatch.setattr("infra.deploy.instances.renew", lambda _, queue: renewed.append(queue))
    monkeypatch.setattr("infra.deploy.image.find_engine", lambda: "engine")
    monkeypatch.setattr("infra.deploy.image.run", lambda *words, **_: asked.append(words[1]))
    monkeypatch.setattr("infra.deploy.image.output_of", lambda *_: json.dumps(manifest_of("built")))
    monkeypatch.setattr(Stack, "exists", lambda _: True)
    monkeypatch.setattr(Stack, "outputs", lambda _: outputs)
    monkeypatch.setattr(Stack, "deploy", lambda _, parameters: deployed.update(parameters))
    before = {"Worker": "cpu", "WorkerImageTag": "as it was", "AlarmEmail": email}
    monkeypatch.setattr(Stack, "parameters", lambda _: before)
    command._up(Stack(session, STACK), command.parser.parse_args(["up", *options]))
    assert asked == (["build", "login", "tag", "push"] if is_built else [])
    deployed = before | deployed
    assert deployed["Worker"] == "cpu"
    assert (deployed["WorkerImageTag"] == tag) is not is_built
    assert ("AlarmEmail=…, or subscribe to arn:topic" in capsys.readouterr().err) is not bool(email)
    assert renewed == ["arn:jobs"]
    written = session.client("s3").get_object(Bucket=results, Key="strategies.json")
    strategies = [{"name": "built" if is_built else "before"}]
    assert json.loads(written["Body"].read()) == {"strategies": strategies, "deployment": 7}


@pytest.mark.parametrize(
    ("before", "options", "said"),
    [
        ({}, [], "of --worker gpu to keep, for the stack is not there yet"),
        ({"Worker": "gpu"}, ["--worker=cpu"], "of --worker cpu to keep, .* that of --worker gpu"),
        ({"Worker": "none"}, ["--worker=cpu"], "of --worker cpu to keep"),
    ],
)
def test_an_image_of_another_kind_is_not_kept(
    before: dict[str, str], options: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "check", lambda _: None)
    monkeypatch.setattr(Stack, "parameters", lambda _: before)
    stack = Stack(boto3.Session(region_name=REGION), STACK)
    with pytest.raises(NoImageError, match=said):
        command._up(stack, command.parser.parse_args(["up", "--keep-image", *options]))


def environment_of(name: str, status: str | None) -> dict[str, Any]:
    kind = {"imageType": "ECS_AL2023"} | ({"batchImageStatus": status} if status else {})
    return {
        "computeEnvironmentName": name,
        "computeEnvironmentArn": f"arn:{name}",
        "computeResources": {
            "type": "SPOT", "maxvCpus": 4, "subnets": [], "ec2Configuration": [kind]
        },
    }  # fmt: skip


@pytest.mark.parametrize("refusal", ["", "ClientException"])
def test_instances_boot_a_later_system_where_there_is_one(
    refusal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the replies that AWS documents: moto's environments have no images."""
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client("batch")
    monkeypatch.setattr(session, "client", lambda _: client)
    order = [{"order": 1, "computeEnvironment": name} for name in ("old", "new", "idle")]
    queue = {
        "jobQueueName": "jobs", "jobQueueArn": "arn:jobs", "state": "ENABLED", "priority": 1,
        "computeEnvironmentOrder": order,
    }  # fmt: skip
    environments = [
        environment_of("old", "UPDATE_AVAILABLE"),
        environment_of("new", "LATEST"),
        environment_of("idle", None),
    ]
    update = {
        "computeEnvironment": "arn:old",
        "computeResources": {"updateToLatestImageVersion": True},
        "updatePolicy": {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 7200},
    }
    with Stubber(client) as stubber:
        stubber.add_response("describe_job_queues", {"jobQueues": [queue]})
        stubber.add_response("describe_compute_environments", {"computeEnvironments": environments})
        if refusal:
            stubber.add_client_error("update_compute_environment", refusal, "being modified")
        else:
            stubber.add_response("update_compute_environment", {}, update)
        instances.renew(session, "arn:jobs")
        stubber.assert_no_pending_responses()
    said = capsys.readouterr().err
    assert ("may not boot AWS's latest system" in said) == bool(refusal)


def test_only_buckets_are_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[dict[str, Any]] = []
    failed = {"JobQueue": "it is in use", "UploadsBucket": "it is not empty"}

    def delete(_: Stack, **options: Any) -> bool:
        tries.append(options)
        return len(tries) > 1

    monkeypatch.setattr(Stack, "_deleted", delete)
    monkeypatch.setattr(Stack, "_not_deleted", lambda *_: failed)
    with pytest.raises(NotDeletedError, match="JobQueue: it is in use"):
        Stack(boto3.Session(region_name=REGION), "deepcolor-try").delete()
    assert tries == [{}]


def test_the_image_is_for_the_instances_and_not_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("infra.deploy.image.run", lambda *words, **_: asked.extend(words))
    image.build("docker", "gpu", [])
    assert "--platform=linux/amd64" in asked
    assert "--build-arg=VARIANT=cuda" in asked


def test_the_types_that_a_stack_was_deployed_with_are_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []
    for name in ("check_concurrency", "check_quotas", "allow_spot"):
        monkeypatch.setattr(command, name, lambda _: None)
    monkeypatch.setattr(command, "check_types", lambda _, types: looked.extend(types))
    monkeypatch.setattr(Stack, "parameters", lambda _: {"GpuInstanceTypes": "g6.xlarge"})
    stack = Stack(boto3.Session(region_name=REGION), "deepcolor-try")
    command._check_account(stack, "gpu", {"Worker": "gpu"})
    command._check_account(stack, "gpu", {"GpuInstanceTypes": "g5.xlarge, g6.xlarge"})
    assert looked == ["g6.xlarge", "g5.xlarge", "g6.xlarge"]
