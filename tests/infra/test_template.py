from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from functions.contract.keys import MANIFEST_KEY

ROOT = Path(__file__).parents[2]
SAM = Path(sys.prefix) / "sam/bin/sam"
needs_sam = pytest.mark.skipif(
    not SAM.exists(), reason=f"the SAM CLI is not there: {SAM}; it has a venv of its own"
)

ROOMS = {
    "DispatchFunction": Path("functions/dispatch"),
    "BuryFunction": Path("functions/bury"),
    "WebFunction": Path("web"),
}
WORKER_ROOM = Path("functions/colorize")
CONTRACT = Path("functions/contract")

ALLOWED_STARS = {"CountWorkers": "batch:ListJobs knows no resources"}
ALLOWED_MANAGED_POLICIES = {"InstanceRole": "what the ECS agent needs is AWS's to know"}


class TemplateLoader(yaml.SafeLoader):
    """Reads ``!Ref x`` as ``{"Ref": "x"}`` and so on."""


def _intrinsic(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


TemplateLoader.add_multi_constructor("!", _intrinsic)

TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), TemplateLoader)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by name."""
    return {
        name: resource.get("Properties", {})
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


BUCKETS = of_type("AWS::S3::Bucket")
QUEUES = of_type("AWS::SQS::Queue")
FUNCTIONS = of_type("AWS::Serverless::Function")
ROLES = of_type("AWS::IAM::Role")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All that a role may do, whatever the conditions."""
    for policy in role.get("Policies", []):
        for entry in policy["PolicyDocument"]["Statement"]:
            if "Fn::If" in entry:
                yield from (branch for branch in entry["Fn::If"][1:] if "Effect" in branch)
            else:
                yield entry


def got_from(value: Any) -> str:
    """The resource of a ``!GetAtt``."""
    return str(value["Fn::GetAtt"]).partition(".")[0]


def sam(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "PYTHON": sys.executable,
    }
    return subprocess.run(
        [SAM, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


# ---- As SAM sees it


@needs_sam
def test_sam_finds_nothing_wrong() -> None:
    done = sam("validate", "--lint")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sam-build")
    done = sam("build", "--build-dir", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def lambda_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that Lambda's Python has by itself: boto3 and what that needs."""
    folder = tmp_path_factory.mktemp("lambda-runtime")
    installed = Path(boto3.__file__).parents[1]
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3"):
        (folder / name).symlink_to(installed / name)
    return folder


@needs_sam
@pytest.mark.parametrize("name", ROOMS)
def test_a_built_function_imports_on_its_own(
    artifacts: Path, lambda_runtime: Path, name: str
) -> None:
    module, _, attribute = FUNCTIONS[name]["Handler"].rpartition(".")
    code = (
        f"import sys; sys.path[:0] = [{str(artifacts / name)!r}, {str(lambda_runtime)!r}];"
        f"import {module} as module; assert callable(module.{attribute});"
        f"assert module.__file__.startswith({str(artifacts / name)!r}), module.__file__"
    )
    environment = {"AWS_DEFAULT_REGION": "eu-central-1", "DEEPCOLOR_WEB_SECRET": "of this test"}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@needs_sam
@pytest.mark.parametrize("name", ROOMS)
def test_a_built_function_holds_its_own_room_and_the_contract_only(
    artifacts: Path, name: str
) -> None:
    artifact = artifacts / name
    rooms = {path.relative_to(artifact).parent for path in artifact.glob("functions/*/__init__.py")}
    if (artifact / "web").exists():
        rooms.add(Path("web"))
    assert rooms == {CONTRACT, ROOMS[name]}
    assert not (artifact / "deepcolor").exists()


@needs_sam
@pytest.mark.parametrize("name", ROOMS)
def test_what_is_compiled_is_compiled_for_lambda(artifacts: Path, name: str) -> None:
    for library in (artifacts / name).rglob("*.so"):
        assert ".cpython-313-aarch64-" in library.name or ".abi3." in library.name


@needs_sam
@pytest.mark.parametrize("name", ROOMS)
def test_a_built_function_lacks_no_requirement(
    artifacts: Path, lambda_runtime: Path, name: str
) -> None:
    """Imports don't show it all: some packages import theirs only when they are called."""
    on_lambda = {"python_version": "3.13", "platform_machine": "aarch64", "extra": ""}
    packages = list(distributions(path=[str(artifacts / name)]))
    there = {canonicalize_name(package.name) for package in packages}
    there |= {canonicalize_name(path.name) for path in lambda_runtime.iterdir()}
    requirements = [Requirement(text) for package in packages for text in package.requires or ()]
    needed = {
        canonicalize_name(requirement.name)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate(on_lambda)
    }
    assert needed
    assert needed <= there


# ---- Photographs


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_are_encrypted_and_not_public(name: str) -> None:
    rules = BUCKETS[name]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert [rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules] == ["AES256"]
    block = BUCKETS[name]["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_speak_tls_only(name: str) -> None:
    [policy] = [
        policy
        for policy in of_type("AWS::S3::BucketPolicy").values()
        if policy["Bucket"] == {"Ref": name}
    ]
    [denial] = [
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert denial["Principal"] == "*"
    assert denial["Action"] == "s3:*"
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": False}}
    assert denial["Resource"] == [{"Fn::GetAtt": f"{name}.Arn"}, {"Fn::Sub": f"${{{name}.Arn}}/*"}]


def test_there_are_two_buckets_and_only_uploads_speak() -> None:
    assert set(BUCKETS) == {"UploadsBucket", "ResultsBucket"}
    assert "NotificationConfiguration" in BUCKETS["UploadsBucket"]
    assert "NotificationConfiguration" not in BUCKETS["ResultsBucket"]


def test_only_the_page_may_upload_from_a_browser() -> None:
    [rule] = BUCKETS["UploadsBucket"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["POST"]
    assert "*" not in rule["AllowedOrigins"]
    assert "CorsConfiguration" not in BUCKETS["ResultsBucket"]


@pytest.mark.parametrize("name", BUCKETS)
def test_unfinished_uploads_do_not_stay(name: str) -> None:
    rules = BUCKETS[name]["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_the_manifest_never_expires() -> None:
    rules = BUCKETS["ResultsBucket"]["LifecycleConfiguration"]["Rules"]
    expiring = [rule for rule in rules if "ExpirationInDays" in rule]
    assert expiring
    assert not [rule for rule in expiring if MANIFEST_KEY.startswith(rule.get("Prefix", ""))]


# ---- Queues

DEAD_LETTER_QUEUES = {
    got_from(queue["RedrivePolicy"]["deadLetterTargetArn"])
    for queue in QUEUES.values()
    if "RedrivePolicy" in queue
}


def test_queues_give_up_into_a_queue_of_their_own() -> None:
    redrives = {name: queue.get("RedrivePolicy") for name, queue in QUEUES.items()}
    living = QUEUES.keys() - DEAD_LETTER_QUEUES
    assert living == {"UploadsQueue", "WorkQueue"}
    assert len(DEAD_LETTER_QUEUES) == len(living)
    assert all(redrives[name]["maxReceiveCount"] > 1 for name in living)
    assert QUEUES.keys() >= DEAD_LETTER_QUEUES


def test_the_dead_are_buried() -> None:
    events = FUNCTIONS["BuryFunction"]["Events"].values()
    assert {got_from(event["Properties"]["Queue"]) for event in events} == DEAD_LETTER_QUEUES


@pytest.mark.parametrize("name", QUEUES)
def test_queues_are_encrypted(name: str) -> None:
    assert QUEUES[name]["SqsManagedSseEnabled"] is True


def test_only_the_uploads_bucket_may_send_events() -> None:
    [policy] = of_type("AWS::SQS::QueuePolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sqs:SendMessage"
    [bucket] = statement["Condition"]["ArnEquals"].values()
    assert bucket["Fn::Sub"].endswith(":::" + BUCKETS["UploadsBucket"]["BucketName"]["Fn::Sub"])
    assert statement["Condition"]["StringEquals"] == {
        "aws:SourceAccount": {"Ref": "AWS::AccountId"}
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_messages_as_aws_asks(name: str) -> None:
    timeout = TEMPLATE["Globals"]["Function"]["Timeout"]
    for event in FUNCTIONS[name].get("Events", {}).values():
        queue = QUEUES[got_from(event["Properties"]["Queue"])]
        assert queue["VisibilityTimeout"] >= 6 * timeout
        assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


# ---- Functions and the worker


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handlers_exist(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("DEEPCOLOR_WEB_SECRET", "of this test")
    module, _, attribute = FUNCTIONS[name]["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), attribute))
    assert Path(*module.split(".")).parent == ROOMS[name]


def variables_read_in(*rooms: Path) -> set[str]:
    return {
        name
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(r'"(DEEPCOLOR_[A-Z_]+)"', path.read_text())
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_told_what_they_read_and_nothing_else(name: str) -> None:
    everywhere = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    told = everywhere.keys() | FUNCTIONS[name]["Environment"]["Variables"].keys()
    ours = {variable for variable in told if variable.startswith("DEEPCOLOR_")}
    assert ours == variables_read_in(CONTRACT, ROOMS[name])


def test_the_worker_is_told_what_it_reads_and_nothing_else() -> None:
    [job] = of_type("AWS::Batch::JobDefinition").values()
    told = {variable["Name"] for variable in job["ContainerProperties"]["Environment"]}
    ours = {variable for variable in told if variable.startswith("DEEPCOLOR_")}
    assert ours == variables_read_in(CONTRACT, WORKER_ROOM)
    assert "AWS_DEFAULT_REGION" in told


@pytest.mark.parametrize("name", FUNCTIONS)
def test_logs_do_not_stay_forever(name: str) -> None:
    logging = FUNCTIONS[name]["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    assert of_type("AWS::Logs::LogGroup")[logging["LogGroup"]["Ref"]]["RetentionInDays"]


def test_everything_of_the_workers_is_behind_their_condition() -> None:
    kinds = ("AWS::Batch::", "AWS::EC2::", "AWS::ECR::", "AWS::IAM::InstanceProfile")
    of_workers = {name: r for name, r in RESOURCES.items() if r["Type"].startswith(kinds)}
    assert {r["Type"] for r in of_workers.values()} >= {
        "AWS::Batch::ComputeEnvironment",
        "AWS::Batch::JobDefinition",
        "AWS::Batch::JobQueue",
        "AWS::ECR::Repository",
    }
    bare = {n for n, r in of_workers.items() if r.get("Condition") not in {"HasWorker", "MakesVpc"}}
    assert not bare
    assert {"Condition": "HasWorker"} in TEMPLATE["Conditions"]["MakesVpc"]["Fn::And"]


def test_the_fleet_has_room_for_as_many_workers_as_are_woken() -> None:
    [job] = of_type("AWS::Batch::JobDefinition").values()
    needs = {need.get("Type"): need for need in job["ContainerProperties"]["ResourceRequirements"]}
    for workers in TEMPLATE["Parameters"]["MaxWorkers"]["AllowedValues"]:
        vcpus = TEMPLATE["Mappings"]["Fleet"][workers]["MaxvCpus"]
        assert vcpus == int(workers) * int(needs["VCPU"]["Value"])


def test_idle_workers_cost_nothing() -> None:
    environments = of_type("AWS::Batch::ComputeEnvironment").values()
    assert [environment["ComputeResources"]["MinvCpus"] for environment in environments] == [0, 0]


def test_a_worker_is_tried_again_only_if_its_instance_went_away() -> None:
    [job] = of_type("AWS::Batch::JobDefinition").values()
    retry, leave = job["RetryStrategy"]["EvaluateOnExit"]
    assert retry == {"Action": "RETRY", "OnStatusReason": "Host EC2*"}
    assert leave == {"Action": "EXIT", "OnReason": "*"}


# ---- Who may do what


@pytest.mark.parametrize("name", ROLES)
def test_roles_name_what_they_may_touch(name: str) -> None:
    for statement in statements(ROLES[name]):
        if "*" in as_list(statement["Resource"]):
            assert statement["Sid"] in ALLOWED_STARS
        assert not [action for action in as_list(statement["Action"]) if "*" in action]


@pytest.mark.parametrize("name", ROLES)
def test_roles_have_no_policies_from_elsewhere(name: str) -> None:
    if name not in ALLOWED_MANAGED_POLICIES:
        assert "ManagedPolicyArns" not in ROLES[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_roles_of_their_own(name: str) -> None:
    """Those that SAM makes may take messages from any queue and write to any log."""
    roles = [got_from(function["Role"]) for function in FUNCTIONS.values()]
    assert roles.count(got_from(FUNCTIONS[name]["Role"])) == 1
    assert "Policies" not in FUNCTIONS[name]


# ---- The worker's image


def test_the_workers_image_copies_what_is_there() -> None:
    folder = ROOT / "infra/worker"
    let_in = [
        line[1:]
        for line in (folder / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for line in (folder / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in let_in, source
