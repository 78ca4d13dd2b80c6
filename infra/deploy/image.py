"""The worker's image: built here, pushed to the stack's repository, asked for its strategies."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

from infra.deploy.commands import output_of, run
from infra.deploy.errors import NoEngineError

ENGINES = ("docker", "podman")
VARIANTS = {"gpu": "cuda", "cpu": "cpu"}


@dataclass(frozen=True)
class Image:
    """An image in the store of a container engine.

    Its tag is new each time, so that what runs can be told and the one before can be had back.
    """

    engine: str
    tag: str

    @property
    def name(self) -> str:
        return f"deepcolor-worker:{self.tag}"

    def push(self, session: boto3.Session, repository: str) -> None:
        """Uploads it to ECR."""
        token = session.client("ecr").get_authorization_token()["authorizationData"][0]
        user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
        registry = repository.partition("/")[0]
        run(self.engine, "login", "--username", user, "--password-stdin", registry, given=password)
        run(self.engine, "tag", self.name, f"{repository}:{self.tag}")
        run(self.engine, "push", f"{repository}:{self.tag}")

    def manifest(self) -> dict[str, Any]:
        """What the strategies in it say of themselves."""
        command = ["run", "--rm", "--network=none", "--entrypoint=deepcolor", self.name]
        printed = output_of(self.engine, *command, "strategies", "--json")
        manifest: dict[str, Any] = json.loads(printed)
        return manifest


def find_engine() -> str:
    """The first container engine that answers; raises :class:`NoEngineError`."""
    for engine in ENGINES:
        if shutil.which(engine) and _answers(engine):
            return engine
    raise NoEngineError


def _answers(engine: str) -> bool:
    return subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0


def build(engine: str, worker: str, arguments: list[str]) -> Image:
    """Builds the image for ``worker``, gpu or cpu, with arguments of the Dockerfile, NAME=VALUE."""
    image = Image(engine, datetime.now(UTC).strftime("%Y%m%d-%H%M%S"))
    options = [
        f"--build-arg={argument}" for argument in (f"VARIANT={VARIANTS[worker]}", *arguments)
    ]
    file = "infra/worker/Dockerfile"
    # GPU instances are x86, whatever this machine is.
    run(
        engine,
        "build",
        "--platform=linux/amd64",
        f"--file={file}",
        *options,
        f"--tag={image.name}",
        ".",
    )
    return image
