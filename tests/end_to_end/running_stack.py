"""Drives the real local stack as `make run` starts it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
from botocore.exceptions import ClientError
from PIL import Image

from deepcolor.lab import rgb_to_lab

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
DONE_SECONDS = 60
STOP_SECONDS = 40


@dataclass
class RunningStack:
    """One run of ``python -m infra.local`` on a folder."""

    process: subprocess.Popen[str]
    folder: Path
    page: str
    s3_endpoint: str
    welcome: str

    @property
    def s3(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.s3_endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def record(self, key: str) -> dict[str, Any] | None:
        try:
            reply = self.s3.get_object(Bucket="deepcolor-results", Key=f"records/{key}.json")
        except ClientError:
            return None
        return json.loads(reply["Body"].read())

    def finished(self, key: str) -> dict[str, Any]:
        """The record of an upload, once it is final."""

        def final() -> dict[str, Any] | None:
            record = self.record(key)
            return record if record and record["status"] in {"done", "failed"} else None

        return eventually(final, f"a final record of {key}")

    def result(self, key: str) -> bytes:
        return self.s3.get_object(Bucket="deepcolor-results", Key=key)["Body"].read()

    def stop(self) -> int:
        """What Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)


def start_stack(folder: Path, environment: dict[str, str] | None = None) -> RunningStack:
    log = folder.parent / f"{folder.name}.out"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local", "--folder", str(folder)],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"DEEPCOLOR_HOME": str(folder.parent / "home")} | (environment or {}),
        )
    deadline = time.monotonic() + START_SECONDS
    while "Ctrl-C ends it" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    welcome = log.read_text()
    page, s3 = (re.search(rf"{name}\s+(http://\S+)", welcome) for name in ("Page", "S3"))
    assert page is not None
    assert s3 is not None
    return RunningStack(process, folder, page[1], s3[1], welcome)


def eventually(look: Callable[[], Any], what: str) -> Any:
    """What ``look`` gives as soon as it gives something."""
    deadline = time.monotonic() + DONE_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what} did not come within {DONE_SECONDS} s"
        time.sleep(0.05)
    return seen


def chroma(content: bytes) -> float:
    """Mean chroma √(a*² + b*²) of an image file's pixels; 0 is gray."""
    import torch

    with Image.open(io.BytesIO(content)) as image:
        rgb = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    return rgb_to_lab(rgb)[1:].norm(dim=0).mean().item()
