"""Tools in venvs of their own, the functions as SAM builds them, and two clouds on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from tests import servers
from tests.infra.template import ROOT

REGION = "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
}

MINISTACK = ("ministack==1.5.33", "aws-sam-translator==1.115.0")

Sam = Callable[..., str]


def tool(name: str, *requirements: str) -> Path:
    """The programs of a venv beside ours, made once: they pin other versions of what we use."""
    venv = Path(sys.prefix) / name
    done = venv / ".done"
    wanted = "\n".join(requirements)
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [
            venv / "bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([*pip, *requirements], check=True)
        done.write_text(wanted)
    return venv / "bin"


@pytest.fixture(scope="session")
def sam() -> Sam:
    """Runs SAM's command line in the repository; gives what it printed, if it succeeded."""
    program = Path(sys.prefix) / "sam/bin/sam"
    if not program.exists():
        pytest.skip(f"SAM's command line is not there: {program}; make .venv/.sam installs it")

    def run(*arguments: str | Path, **variables: str) -> str:
        environment = {"SAM_CLI_TELEMETRY": "0", "PYTHON": sys.executable} | CREDENTIALS
        done = subprocess.run(
            [program, *arguments],
            cwd=ROOT,
            env=os.environ | environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


@pytest.fixture(scope="session")
def artifacts(sam: Sam, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions as they are uploaded, a folder each, and the template that names them."""
    folder = tmp_path_factory.mktemp("sam-build")
    sam("build", "--build-dir", folder)
    return folder


@pytest.fixture(scope="session")
def lambda_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that Lambda's Python has by itself: boto3 and what that needs."""
    folder = tmp_path_factory.mktemp("lambda-runtime")
    installed = Path(boto3.__file__).parents[1]
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3"):
        (folder / name).symlink_to(installed / name)
    return folder


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a moto server."""
    with servers.moto(tmp_path_factory.mktemp("moto")) as address:
        yield address


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MiniStack, which makes of a template what it describes."""
    folder, port = tmp_path_factory.mktemp("ministack"), servers.free_port()
    environment = CREDENTIALS | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        # Where it finds the Python that stands in for Lambda's, with boto3.
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    python = tool("ministack", *MINISTACK) / "python"
    command = [python, "-m", "ministack"]
    with servers.serving(command, port, folder / "log", environment, folder) as address:
        yield address
