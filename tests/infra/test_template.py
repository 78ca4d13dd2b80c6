from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deepcolor import errors
from functions.colorize.commission import OUT_OF_MEMORY
from functions.colorize.isolation import CRASHED, _took_too_long
from functions.contract.keys import MANIFEST_KEY, WORKERS_KEY
from functions.dispatch.orders import Outcome
from functions.workers.wake import SETTLED_SECONDS
from tests.infra.conftest import Sam
from tests.infra.template import (
    RESOURCES,
    ROOT,
    TEMPLATE,
    as_list,
    counted_by_filters,
    got_from,
    of_type,
    statements,
)

ROOMS = {
    "DispatchFunction": Path("functions/dispatch"),
    "SweepFunction": Path("functions/sweep"),
    "BuryFunction": Path("functions/bury"),
    "WebFunction": Path("web"),
}
WORKER_ROOM = Path("functions/colorize")
CONTRACT = Path("functions/contract")
WORKERS = Path("functions/workers")
SHARED = {
    "DispatchFunction": {CONTRACT, WORKERS},
    "SweepFunction": {CONTRACT, WORKERS},
    "BuryFunction": {CONTRACT},
    "WebFunction": {CONTRACT},
}

ALLOWED_STARS = {"LookAtWorkers": "neither batch:DescribeJobs nor batch:ListJobs knows resources"}
ALLOWED_MANAGED_POLICIES = {"InstanceRole": "what the ECS agent needs is AWS's to know"}


BUCKETS = of_type("AWS::S3::Bucket")
QUEUES = of_type("AWS::SQS::Queue")
FUNCTIONS = of_type("AWS::Serverless::Function")
ROLES = of_type("AWS::IAM::Role")
ALARMS = of_type("AWS::CloudWatch::Alarm")


# ---- As SAM sees it


def test_sam_and_cfn_lint_find_nothing_wrong(sam: Sam) -> None:
    assert "is a valid SAM Template" in sam("validate", "--lint")


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


@pytest.mark.parametrize("name", ROOMS)
def test_a_built_function_holds_its_own_room_and_what_it_shares(artifacts: Path, name: str) -> None:
    artifact = artifacts / name
    rooms = {path.relative_to(artifact).parent for path in artifact.glob("functions/*/__init__.py")}
    if (artifact / "web").exists():
        rooms.add(Path("web"))
    assert rooms == {ROOMS[name], *SHARED[name]}
    assert not (artifact / "deepcolor").exists()


@pytest.mark.parametrize("name", ROOMS)
def test_what_is_compiled_is_compiled_for_lambda(artifacts: Path, name: str) -> None:
    for library in (artifacts / name).rglob("*.so"):
        assert ".cpython-313-aarch64-" in library.name or ".abi3." in library.name


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


@pytest.mark.parametrize(
    ("name", "methods"), [("UploadsBucket", ["GET", "POST"]), ("ResultsBucket", ["GET"])]
)
def test_only_the_page_may_reach_into_buckets_from_a_browser(name: str, methods: list[str]) -> None:
    [rule] = BUCKETS[name]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == methods
    assert rule["AllowedOrigins"] == [
        {"Fn::Sub": "https://${PageApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"},
        {"Fn::If": ["HasPageOrigin", {"Ref": "PageOrigin"}, {"Ref": "AWS::NoValue"}]},
    ]


@pytest.mark.parametrize("name", BUCKETS)
def test_unfinished_uploads_do_not_stay(name: str) -> None:
    rules = BUCKETS[name]["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


@pytest.mark.parametrize("name", ["KeepUploadsDays", "KeepVisitorsDays"])
def test_what_a_message_speaks_of_outlives_it(name: str) -> None:
    """A worker takes a photograph without a record for one that its visitor deleted."""
    longest_seconds = max(queue["MessageRetentionPeriod"] for queue in QUEUES.values())
    assert TEMPLATE["Parameters"][name]["MinValue"] * 24 * 60 * 60 > longest_seconds


def test_what_the_functions_keep_never_expires() -> None:
    rules = BUCKETS["ResultsBucket"]["LifecycleConfiguration"]["Rules"]
    expiring = [rule for rule in rules if "ExpirationInDays" in rule]
    assert expiring
    for key in (MANIFEST_KEY, WORKERS_KEY):
        assert not [rule for rule in expiring if key.startswith(rule.get("Prefix", ""))]


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
        if event["Type"] != "SQS":
            continue
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


WAKING = "DEEPCOLOR_DEPLOYMENT"  # which a worker is told by whoever wakes it


def variables_read_in(*rooms: Path) -> set[str]:
    return {
        name
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(r'"(DEEPCOLOR_[A-Z_]+)"', path.read_text())
    } - {WAKING}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_told_what_they_read_and_nothing_else(name: str) -> None:
    everywhere = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    own = FUNCTIONS[name].get("Environment", {"Variables": {}})["Variables"]
    told = everywhere.keys() | own.keys()
    ours = {variable for variable in told if variable.startswith("DEEPCOLOR_")}
    assert ours == variables_read_in(ROOMS[name], *SHARED[name])


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
    conditions = {"HasWorker", "MakesVpc", "MakesSqsEndpoint"}
    bare = {name for name, r in of_workers.items() if r.get("Condition") not in conditions}
    assert not bare
    assert {"Condition": "MakesVpc"} in TEMPLATE["Conditions"]["MakesSqsEndpoint"]["Fn::And"]
    assert {"Condition": "HasWorker"} in TEMPLATE["Conditions"]["MakesVpc"]["Fn::And"]


@pytest.mark.parametrize("role", ["DispatchRole", "SweepRole"])
def test_workers_of_any_revision_may_be_woken(role: str) -> None:
    """And of none: what submits by the name alone is asked for by it, whatever the guide says."""
    [job] = of_type("AWS::Batch::JobDefinition").values()
    name = job["JobDefinitionName"]["Fn::Sub"]
    [wake] = [
        one for one in statements(RESOURCES[role]["Properties"]) if one["Sid"] == "WakeWorkers"
    ]
    by_name = [resource["Fn::Sub"] for resource in wake["Resource"] if "Fn::Sub" in resource]
    assert [arn.partition(":job-definition/")[2] for arn in by_name] == [name, f"{name}:*"]


def test_the_fleet_has_room_for_as_many_workers_as_are_woken() -> None:
    [job] = of_type("AWS::Batch::JobDefinition").values()
    needs = {need.get("Type"): need for need in job["ContainerProperties"]["ResourceRequirements"]}
    for workers in TEMPLATE["Parameters"]["MaxWorkers"]["AllowedValues"]:
        vcpus = TEMPLATE["Mappings"]["Fleet"][workers]["MaxvCpus"]
        assert vcpus == int(workers) * int(needs["VCPU"]["Value"])


def test_instances_go_before_their_way_out_does() -> None:
    """A gateway whose addresses are in use is not detached, and the deletion fails."""
    for properties in of_type("AWS::Batch::ComputeEnvironment").values():
        subnets = properties["ComputeResources"]["Subnets"]["Fn::If"][1]
        assert subnets == [{"Ref": "SubnetA"}, {"Ref": "SubnetB"}]
    for name in of_type("AWS::EC2::Subnet"):
        assert RESOURCES[name]["DependsOn"] == "RouteToInternet"
    assert RESOURCES["RouteToInternet"]["DependsOn"] == "InternetGatewayAttachment"


def test_idle_workers_cost_nothing() -> None:
    environments = of_type("AWS::Batch::ComputeEnvironment").values()
    assert [environment["ComputeResources"]["MinvCpus"] for environment in environments] == [0, 0]


def test_a_worker_is_tried_again_only_if_its_instance_went_away() -> None:
    [job] = of_type("AWS::Batch::JobDefinition").values()
    retry, leave = job["RetryStrategy"]["EvaluateOnExit"]
    assert retry == {"Action": "RETRY", "OnStatusReason": "Host EC2*"}
    assert leave == {"Action": "EXIT", "OnReason": "*"}


def test_sweep_comes_every_minute() -> None:
    [event] = FUNCTIONS["SweepFunction"]["Events"].values()
    assert (event["Type"], event["Properties"]) == ("Schedule", {"Schedule": "rate(1 minute)"})


def test_no_function_can_still_submit_when_its_slot_is_given_to_another() -> None:
    assert TEMPLATE["Globals"]["Function"]["Timeout"] < SETTLED_SECONDS
    assert not [name for name, function in FUNCTIONS.items() if "Timeout" in function]


FIRST_VISIT_REQUESTS = 40  # the page, its style, scripts and pictures


def test_the_page_is_throttled() -> None:
    [stage] = of_type("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": {"Ref": "PageRequestsPerSecond"},
        "ThrottlingBurstLimit": {"Ref": "PageRequestsAtOnce"},
    }
    visits = TEMPLATE["Parameters"]["PageRequestsAtOnce"]["Default"] / FIRST_VISIT_REQUESTS
    assert visits >= 5
    assert not any("FunctionUrlConfig" in function for function in FUNCTIONS.values())
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert logged["requestId"] == "$context.requestId"
    # As docs/security.md says.
    assert (logged["from"], logged["path"]) == ("$context.identity.sourceIp", "$context.path")


# ---- Watching over it


def test_every_alarm_tells_somebody() -> None:
    topic = [{"Ref": "AlarmTopic"}]
    for name, alarm in ALARMS.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == topic, name
        assert alarm["AlarmDescription"].endswith(".")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_fails_raises_an_alarm(name: str) -> None:
    [alarm] = [
        alarm
        for alarm in ALARMS.values()
        if alarm.get("MetricName") == "Errors" and alarm["Dimensions"][0]["Value"] == {"Ref": name}
    ]
    assert (alarm["Threshold"], alarm["Statistic"]) == (0, "Sum")


@pytest.mark.parametrize("name", QUEUES)
def test_messages_that_stay_raise_an_alarm(name: str) -> None:
    metric = (
        "ApproximateNumberOfMessagesVisible"
        if name in DEAD_LETTER_QUEUES
        else "ApproximateAgeOfOldestMessage"
    )
    watched = [
        alarm["MetricName"]
        for alarm in ALARMS.values()
        if {"Name": "QueueName", "Value": {"Fn::GetAtt": f"{name}.QueueName"}}
        in alarm.get("Dimensions", [])
    ]
    assert watched == [metric]


def test_tries_that_fail_again_and_again_raise_an_alarm() -> None:
    """Of all who take messages; one that is tried again is in each of the alarm's periods."""
    watched = [
        (metric["MetricName"], *[one["Value"] for one in metric.get("Dimensions", [])])
        for name, alarm in ALARMS.items()
        if "TriedAgain" in name
        for metric in watched_by(alarm)
    ]
    left = "LeftForAnotherTry"
    assert sorted(watched) == [(left, "bury"), (left, "dispatch"), ("TriedAgain",)]
    for name in ("UploadsQueue", *DEAD_LETTER_QUEUES):
        assert QUEUES[name]["VisibilityTimeout"] < ALARMS["UploadsTriedAgainAlarm"]["Period"]


def test_uploads_are_tried_for_longer_than_it_takes_to_be_told_of_it() -> None:
    queue, alarm = QUEUES["UploadsQueue"], ALARMS["UploadsTriedAgainAlarm"]
    tries_seconds = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    assert tries_seconds >= 8 * alarm["EvaluationPeriods"] * alarm["Period"]


def counted_in(service: str) -> set[str]:
    """The metrics that a function counts, by the names in its sources."""
    rooms = {"dispatch": "functions/dispatch", "bury": "functions/bury", "sweep": "functions/sweep"}
    paths = [*(ROOT / rooms[service]).glob("*.py"), ROOT / "functions/messages.py"]
    names = {
        name for path in paths for name in re.findall(r'count\(metrics, "(\w+)"', path.read_text())
    }
    return names | {outcome.value for outcome in Outcome} if service == "dispatch" else names


def watched_by(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of an alarm, one or those that it counts with."""
    asked = [query["MetricStat"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return [query["Metric"] for query in asked] or [alarm]


def test_a_failed_worker_is_told_whoever_sees_it() -> None:
    """Dispatch or sweep: whoever is first takes its slot away, and the other sees nothing."""
    body, _ = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    alarm = ALARMS["WorkersAlarm"]
    services = {
        (metric["MetricName"], metric["Dimensions"][0]["Value"]) for metric in watched_by(alarm)
    }
    counted = {
        ("WorkersFailed", service)
        for service in ("dispatch", "sweep", "bury")
        if "WorkersFailed" in counted_in(service)
    }
    assert services == counted == {("WorkersFailed", "dispatch"), ("WorkersFailed", "sweep")}
    [counts] = [query for query in alarm["Metrics"] if query.get("ReturnData", True)]
    for query in alarm["Metrics"]:
        assert query is counts or f"FILL({query['Id']}, 0)" in counts["Expression"]
    for name, service in services:
        assert f'"{name}", "service", "{service}"' in body


def test_alarms_and_the_dashboard_look_at_metrics_that_are_counted() -> None:
    body, names = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    shown = [
        (metric[3], metric[1])
        for widget in json.loads(body)["widgets"]
        for metric in widget["properties"]["metrics"]
        if metric[0] == "${Namespace}" and "service" in metric
    ]
    watched = [
        (metric["Dimensions"][0]["Value"], metric["MetricName"])
        for alarm in ALARMS.values()
        for metric in watched_by(alarm)
        if isinstance(metric["Namespace"], dict) and "Dimensions" in metric
    ]
    assert shown
    assert len(watched) == 7
    for service, metric in shown + watched:
        assert metric in counted_in(service), (service, metric)
    told = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert names["Namespace"] == told["POWERTOOLS_METRICS_NAMESPACE"]


def test_what_becomes_of_photographs_is_counted_from_the_workers_log() -> None:
    said = set(re.findall(r'_log\("(\w+)"', (ROOT / WORKER_ROOM / "jobs.py").read_text()))
    counted = counted_by_filters({"message": message} for message in said)
    assert (counted["Colored"], counted["Failed"], len(said)) == (1, 1, 2)
    assert '"left for another try"' in (ROOT / WORKER_ROOM / "shift.py").read_text()
    assert counted_by_filters([{"message": "left for another try"}])["TriedAgain"] == 1
    shown, _ = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name in counted.keys() - {"FailedByUs"}:
        assert f'"{name}"' in shown or f'MetricName=\\"{name}\\"' in shown, name


def test_failures_that_are_our_own_raise_an_alarm() -> None:
    """Those that deepcolor itself calls a matter of its installation, a strategy's own error, and
    what isolation says.
    """
    installation = {
        error.code for error in vars(errors).values() if getattr(error, "exit_code", 0) == 3
    }
    bugs = {errors.StrategyBrokenError.code}
    ours = installation | bugs | {CRASHED.code, OUT_OF_MEMORY.code, _took_too_long(1).code}
    theirs = {"not_a_photograph", "too_many_pixels", "unknown_strategy", "gave_up"}
    for code in ours | theirs:
        line = {"message": "failed", "error": {"code": code}}
        assert counted_by_filters([line])["FailedByUs"] == (code in ours), code
    [alarm] = [alarm for alarm in ALARMS.values() if alarm.get("MetricName") == "FailedByUs"]
    assert alarm["Statistic"] == "Sum"


def test_the_logs_are_of_level_info() -> None:
    """By Lambda's default. A higher one would drop the metrics, whose lines Lambda takes for INFO;
    at DEBUG botocore logs signed addresses and credentials.
    """
    assert "LogLevel" not in (ROOT / "template.yaml").read_text()
    assert "LOG_LEVEL" not in (ROOT / "template.yaml").read_text()


def test_a_tag_of_the_workers_image_is_never_moved() -> None:
    """Nor is the image that runs expired by a few others, pushed by deployments that then fail."""
    [repository] = of_type("AWS::ECR::Repository").values()
    [rule] = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"]["countNumber"] >= 10
    assert repository["ImageTagMutability"] == "IMMUTABLE"


def test_what_costs_bears_the_stacks_tag() -> None:
    kinds = ("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::ECR::Repository")
    stack = {"Ref": "AWS::StackName"}
    for kind in kinds:
        for name, properties in of_type(kind).items():
            assert properties["Tags"] == [{"Key": "deepcolor", "Value": stack}], name
    for environment in of_type("AWS::Batch::ComputeEnvironment").values():
        assert environment["ComputeResources"]["Tags"] == {"deepcolor": stack}
    endpoints = of_type("AWS::EC2::VPCEndpoint")
    assert endpoints["SqsInterfaceEndpoint"]["Tags"] == [{"Key": "deepcolor", "Value": stack}]
    [budget] = of_type("AWS::Budgets::Budget").values()
    of_stack = budget["Budget"]["CostFilters"]["Fn::If"][1]
    assert of_stack == {"TagKeyValue": [{"Fn::Sub": "user:deepcolor$${AWS::StackName}"}]}


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
