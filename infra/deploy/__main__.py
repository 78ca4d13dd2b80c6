"""``python -m infra.deploy up`` and ``down``: what ``make deploy`` and ``make destroy`` run."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ConfigParseError, ProfileNotFound

from functions.contract.manifest import deployment_of, publish, renumber
from infra.deploy import buckets, image, instances
from infra.deploy.account import (
    GPU_TYPES,
    allow_spot,
    check_concurrency,
    check_quotas,
    check_types,
    identify,
)
from infra.deploy.errors import DeployError, NoImageError, NothingDeletedError
from infra.deploy.stack import BUCKETS, Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Of the 63 characters of a bucket's name, "-uploads-", the account and the longest region take 36.
LONGEST_NAME = 27


def _stack_name(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9-]*", text) or len(text) > LONGEST_NAME:
        raise argparse.ArgumentTypeError(
            f"{text!r} cannot begin a bucket's name: take at most {LONGEST_NAME} lowercase "
            "letters, digits and hyphens, the first of them a letter."
        )
    return text


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE.")
    return name, value


parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
commands = parser.add_subparsers(dest="command", required=True)

up = commands.add_parser("up", help="deploy, or bring what is deployed up to date")
up.add_argument(
    "--worker",
    choices=["gpu", "cpu", "none"],
    help="where photographs are colored (default: as before; gpu the first time)",
)
up.add_argument(
    "--keep-image", action="store_true", help="the workers' present image; none is built"
)
up.add_argument(
    "--parameter",
    type=_parameter,
    action="append",
    default=[],
    metavar="NAME=VALUE",
    help="another parameter of template.yaml; may be given again",
)
up.add_argument(
    "--build-arg",
    action="append",
    default=[],
    metavar="NAME=VALUE",
    help="an argument of infra/worker/Dockerfile; may be given again",
)

down = commands.add_parser("down", help="remove what was deployed")
down.add_argument(
    "--delete-photographs",
    action="store_true",
    help="the uploads and the results too; without this, buckets that hold any are left",
)
down.add_argument("--yes", action="store_true", help="do not ask")

for command in (up, down):
    command.add_argument("--stack-name", type=_stack_name, default="deepcolor", metavar="NAME")
    command.add_argument(
        "--region",
        # boto3 itself reads AWS_DEFAULT_REGION only.
        default=os.environ.get("AWS_REGION"),
        help="default: that of the environment or profile",
    )


def main() -> int:
    arguments = parser.parse_args()
    try:
        session = boto3.Session(region_name=arguments.region)
        account = identify(session)
        print(
            f"Account {account}, {session.region_name}, stack {arguments.stack_name}.", flush=True
        )
        stack = Stack(session, arguments.stack_name)
        if arguments.command == "up":
            _up(stack, arguments)
        else:
            _down(stack, arguments)
    except (DeployError, ProfileNotFound, ConfigParseError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _up(stack: Stack, arguments: argparse.Namespace) -> None:
    """Whatever can fail before something is made or changed comes first."""
    session = stack.session
    stack.check()
    before = stack.parameters().get("Worker")
    worker = arguments.worker or before or "gpu"
    if arguments.keep_image and worker != before:
        raise NoImageError(worker, before)
    parameters = {"Worker": worker} | dict(arguments.parameter)
    keeps = arguments.keep_image or "WorkerImageTag" in parameters
    engine = None if worker == "none" or keeps else image.find_engine()
    _check_account(stack, worker, parameters)
    built = image.build(engine, worker, arguments.build_arg) if engine else None
    if built:
        parameters["WorkerImageTag"] = built.tag
    manifest = _manifest(worker, built)
    # A worker that is woken wants its image. Only the first time there is nowhere to push it to
    # yet; a job that came too early then fails, and the sweep wakes another.
    repository = stack.outputs().get("WorkerRepositoryUri") if stack.exists() else None
    if built and repository:
        built.push(session, repository)
    stack.deploy(parameters)
    outputs = stack.outputs()
    if built and not repository:
        built.push(session, outputs["WorkerRepositoryUri"])
    if "JobQueueArn" in outputs:
        instances.renew(session, outputs["JobQueueArn"])
    s3, results = session.client("s3"), outputs["ResultsBucketName"]
    definition = outputs.get("JobDefinitionArn")
    deployment = deployment_of(definition) if definition else 0
    if manifest:
        publish(s3, results, manifest, deployment)
    else:
        renumber(s3, results, deployment)
    print(f"""
  Page      {outputs["PageAddress"]}

  S3        aws s3 cp photo.jpg s3://{outputs["UploadsBucketName"]}/colornet/album/photo.jpg
            aws s3 cp s3://{outputs["ResultsBucketName"]}/colornet/album/photo.jpg color.jpg

  make destroy removes it all.
""")
    if not stack.parameters().get("AlarmEmail"):
        print(
            "Nobody is told of alarms and the budget: deploy again with --keep-image --parameter "
            f"AlarmEmail=…, or subscribe to {outputs['AlarmTopicArn']}.",
            file=sys.stderr,
        )


def _manifest(worker: str, built: image.Image | None) -> dict[str, Any] | None:
    """What is to be published; nothing for an earlier image, whose workers do that themselves."""
    if worker != "none":
        return built.manifest() if built else None
    from deepcolor.registry import manifest

    return manifest()


def _check_account(stack: Stack, worker: str, parameters: dict[str, str]) -> None:
    """Raises where no worker could run; makes the role by which spot instances start."""
    check_concurrency(stack.session)
    if worker == "gpu":
        check_quotas(stack.session)
        types = {"GpuInstanceTypes": GPU_TYPES} | stack.parameters() | parameters
        check_types(stack.session, [name.strip() for name in types["GpuInstanceTypes"].split(",")])
    if worker != "none":
        allow_spot(stack.session)


def _down(stack: Stack, arguments: argparse.Namespace) -> None:
    outputs = stack.outputs()
    s3 = stack.session.client("s3")
    # A stack whose first deployment failed puts out nothing.
    names = [outputs[output] for output in BUCKETS.values() if output in outputs]
    if arguments.delete_photographs and names:
        _ask(f"Delete {stack.name} and all photographs in {' and '.join(names)}?", arguments)
        _empty(s3, names)
        stack.delete()
        _empty(s3, names)  # of what came until nobody was left to write
    else:
        _ask(f"Delete {stack.name}, but for buckets with something in them?", arguments)
        stack.delete()
    there = buckets.existing(s3, names)
    kept = {name for name in there if not buckets.is_empty(s3, name)}
    for name in there - kept:
        s3.delete_bucket(Bucket=name)
    print(f"Deleted: {stack.name}.")
    for name in sorted(kept):
        print(
            f"Left, with what is in it: {name}. Another stack of this name needs it gone: "
            f"aws s3 rb --force s3://{name}"
        )
    print(
        "Left: the bucket in which SAM keeps what it uploads, shared by all of this account's SAM "
        "stacks in the region (the stack aws-sam-cli-managed-default)."
    )


def _empty(s3: S3Client, names: Collection[str]) -> None:
    for name in sorted(buckets.existing(s3, names)):
        if deleted := buckets.empty(s3, name):
            print(f"Deleted {deleted} objects of {name}.", flush=True)


def _ask(question: str, arguments: argparse.Namespace) -> None:
    if arguments.yes:
        return
    try:
        answer = input(f"{question} Type the stack's name to go on: ")
    except EOFError:
        answer = ""
    if answer != arguments.stack_name:
        raise NothingDeletedError


if __name__ == "__main__":
    sys.exit(main())
