"""The worker's image: what goes in, from where, and, where one is built, that it works and leaves.

The last tests want a container engine and a built image, named by ``DEEPCOLOR_WORKER_IMAGE``::

    docker build --file infra/worker/Dockerfile --build-arg VARIANT=cpu --tag deepcolor-worker .
    DEEPCOLOR_WORKER_IMAGE=deepcolor-worker pytest tests/infra/test_image.py
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from functions.contract.records import Record, Records, Source, Status
from functions.contract.work import to_message
from infra.local.cloud import RESULTS_BUCKET, UPLOADS_BUCKET, Cloud
from tests.servers import moto

ROOT = Path(__file__).parents[2]
WORKER = ROOT / "infra/worker"
LOCKS = ("cuda", "cpu", "build")
WAIT_SECONDS = 60
OURS = ("deepcolor", "functions")


# ---- What the Dockerfile says


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's lines as (instruction, arguments), continued ones joined."""
    text = (WORKER / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


def final_stage() -> list[tuple[str, str]]:
    found = instructions()
    last = max(index for index, (word, _) in enumerate(found) if word == "FROM")
    return found[last:]


def copied_from_here() -> list[Path]:
    """What the Dockerfile copies out of the repository."""
    return [
        path
        for word, rest in instructions()
        if word == "COPY" and "--from=" not in rest
        for pattern in rest.split()[:-1]
        for path in (sorted(ROOT.glob(pattern)) or [ROOT / pattern])
    ]


def test_everything_copied_is_there_and_not_ignored() -> None:
    ignored, *allowed = (WORKER / "Dockerfile.dockerignore").read_text().split()
    assert ignored == "*"
    patterns = [entry.removeprefix("!") for entry in allowed if entry.startswith("!")]
    assert copied_from_here()
    for path in copied_from_here():
        assert path.exists(), path
        place = path.relative_to(ROOT)
        above = [place, *place.parents]
        assert any(part.match(pattern) for part in above for pattern in patterns), path


def test_what_the_worker_imports_of_ours_is_in_the_image() -> None:
    code = (
        "import sys, functions.colorize.__main__, functions.colorize.worker;"
        "import functions.colorize.jobs, functions.colorize.painter;"
        "import deepcolor, deepcolor.registry as registry;"
        "[entry for entry in registry.strategies()];"
        f"print(*[m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in {OURS!r}"
        "         and getattr(m, '__file__', None)], sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = [Path(line) for line in done.stdout.splitlines()]
    assert ROOT / "functions/colorize/worker.py" in imported
    copied = copied_from_here()
    for path in imported:
        assert any(path.is_relative_to(folder) for folder in copied), path


def test_the_image_runs_what_make_run_starts() -> None:
    [entry] = [rest for word, rest in final_stage() if word == "ENTRYPOINT"]
    command = json.loads(entry)  # the exec form: a shell would keep SIGTERM to itself
    stack = (ROOT / "infra/local/stack.py").read_text()
    assert command[:3] == ["python", "-m", "functions.colorize"]
    assert '["-m", "functions.colorize"]' in stack


def test_the_worker_is_not_root() -> None:
    [user] = [rest for word, rest in final_stage() if word == "USER"]
    assert user.isdigit()
    assert int(user) > 0


def test_the_final_stage_installs_nothing() -> None:
    for word, rest in final_stage():
        assert not (word == "RUN" and re.search(r"\b(pip|apt-get|curl)\b", rest)), rest


# ---- What is installed


def pins(path: Path) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", path.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


TESTED = pins(ROOT / "constraints.txt")
TORCH = pins(WORKER / "requirements-torch-cpu.txt")


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_hold_the_versions_that_the_tests_passed_with(lock: str) -> None:
    locked = pins(WORKER / f"requirements-{lock}.txt")
    assert locked
    differing = {name for name in locked.keys() & TESTED.keys() if locked[name] != TESTED[name]}
    assert not differing, "run: infra/worker/lock"


def test_the_torch_without_cuda_is_the_one_the_tests_passed_with() -> None:
    assert {"torch": TESTED["torch"]} == TORCH


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes(lock: str) -> None:
    text = (WORKER / f"requirements-{lock}.txt").read_text()
    entries = re.split(r"\n(?=[a-z])", text)[1:]
    assert len(entries) == len(pins(WORKER / f"requirements-{lock}.txt"))
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("variant", ["cuda", "cpu"])
def test_the_locks_hold_all_that_the_worker_requires(variant: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [
        Requirement(text)
        for text in [*project["dependencies"], *extras["heic"], *extras["pipeline"]]
    ]
    locked = pins(WORKER / f"requirements-{variant}.txt") | (TORCH if variant == "cpu" else {})
    for requirement in wanted:
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not locked; run: infra/worker/lock"
        assert requirement.specifier.contains(version), f"{requirement}; run: infra/worker/lock"


def test_only_the_lock_of_cuda_brings_cuda() -> None:
    cuda, cpu = (pins(WORKER / f"requirements-{name}.txt").keys() for name in ("cuda", "cpu"))
    extra = {"torch", "triton"}
    assert all(name in extra or name.startswith(("nvidia-", "cuda-")) for name in cuda - cpu)
    assert cpu <= cuda


# ---- A built image, run


@pytest.fixture(scope="module")
def engine() -> list[str]:
    """The container engine's command, or a loud skip."""
    if "DEEPCOLOR_WORKER_IMAGE" not in os.environ:
        pytest.skip("no built image: name one in DEEPCOLOR_WORKER_IMAGE to run it")
    for name in ("podman", "docker"):
        path = shutil.which(name)
        if (
            path
            and subprocess.run([path, "info"], capture_output=True, check=False).returncode == 0
        ):
            return [path]
    pytest.skip("no container engine runs here: start Docker or Podman to run the image")


@pytest.fixture(scope="module")
def cloud(engine: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with moto(tmp_path_factory.mktemp("moto")) as address:
        cloud = Cloud(address)
        cloud.create(["http://127.0.0.1"])
        yield cloud


def eventually(look: Callable[[], Any], what: str, container: list[str] | None = None) -> Any:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (seen := look()):
        late = time.monotonic() > deadline
        assert not late, f"{what} did not come: {logs(container) if container else ''}"
        time.sleep(0.1)
    return seen


@pytest.fixture
def container(engine: list[str], cloud: Cloud) -> Iterator[list[str]]:
    """A running worker, as the engine's command and its name."""
    name = f"deepcolor-test-{uuid.uuid4().hex[:8]}"
    variables = [f"--env={key}={value}" for key, value in cloud.environment().items()]
    subprocess.run(
        [*engine, "run", "--detach", "--init", "--network=host", f"--name={name}", *variables,
         os.environ["DEEPCOLOR_WORKER_IMAGE"]],
        check=True, capture_output=True,
    )  # fmt: skip
    yield [*engine, name]
    subprocess.run([*engine, "rm", "--force", name], check=True, capture_output=True)


def inspect(container: list[str], field: str) -> str:
    *command, name = container
    done = subprocess.run(
        [*command, "inspect", "--format", f"{{{{{field}}}}}", name],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def logs(container: list[str]) -> str:
    *command, name = container
    done = subprocess.run(
        [*command, "logs", name], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.stdout.decode()


def assert_running(container: list[str]) -> None:
    assert inspect(container, ".State.Status") == "running", logs(container)


def order(cloud: Cloud, key: str, content: bytes) -> Records:
    """What dispatch does with an upload."""
    s3 = cloud.s3()
    s3.put_object(Bucket=UPLOADS_BUCKET, Key=key, Body=content)
    source = Source.of(s3.head_object(Bucket=UPLOADS_BUCKET, Key=key))
    records = Records(s3, RESULTS_BUCKET)
    record = Record(key, 1, Status.QUEUED, "colornet", source, correlation_id="of this test")
    message = to_message(records.update(key, lambda _: record))
    cloud.sqs().send_message(QueueUrl=cloud.queue_url("work"), MessageBody=message)
    return records


def test_a_built_image_colors_a_photograph_and_leaves_when_told(
    cloud: Cloud, container: list[str]
) -> None:
    photograph = ROOT / "docs/pictures/killarney-1910.gray.jpg"
    records = order(cloud, "album/photo.jpg", photograph.read_bytes())

    def settled() -> Record | None:
        assert_running(container)
        record = records.get("album/photo.jpg")
        return record if record and record.status.is_final else None

    record = eventually(settled, "a final record", container)
    assert record.status is Status.DONE, record
    assert cloud.s3().head_object(Bucket=RESULTS_BUCKET, Key="album/photo.jpg")["ContentLength"]

    *command, name = container
    start = time.monotonic()
    subprocess.run([*command, "stop", "--time=30", name], check=True, capture_output=True)
    assert time.monotonic() - start < 15
    assert inspect(container, ".State.ExitCode") == "0", logs(container)
    assert '"leaving"' in logs(container)


def test_a_built_image_publishes_what_it_can_do(cloud: Cloud, container: list[str]) -> None:
    s3 = cloud.s3()

    def manifest() -> dict[str, Any] | None:
        assert_running(container)
        if s3.list_objects_v2(Bucket=RESULTS_BUCKET, Prefix="strategies.json")["KeyCount"] == 0:
            return None
        return json.loads(
            s3.get_object(Bucket=RESULTS_BUCKET, Key="strategies.json")["Body"].read()
        )

    published = eventually(manifest, "the manifest")
    *command, _ = container
    printed = subprocess.run(
        [*command, "run", "--rm", "--network=none", "--entrypoint=deepcolor",
         os.environ["DEEPCOLOR_WORKER_IMAGE"], *shlex.split("strategies --json")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert published == json.loads(printed.stdout)
