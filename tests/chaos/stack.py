"""The pipeline on loopback, each piece behind a proxy of its own; what ends is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.cloud import Cloud
from infra.local.ports import HOST, free_port
from tests.chaos import plugin
from tests.chaos.plan import DISPATCHERS, WORKERS, Plan
from tests.chaos.proxy import Proxy

ROOT = Path(__file__).parents[2]
START_SECONDS = 300
STOP_SECONDS = 60
HIDDEN_SECONDS = {"uploads": 5, "uploads-dead": 5, "work": 6, "work-dead": 5}
TIME_LIMIT_SECONDS = 20
MEMORY_BYTES = 3 * 2**30
BURIER = "burier"

# Workers have little memory, and a disk as full as can be: no file takes a byte.
LIMITED = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_DATA, ({MEMORY_BYTES}, {MEMORY_BYTES}))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
ENDED_BY_US = {-signal.SIGKILL, 0}


@dataclass
class Piece:
    """One process; ``lines`` is what it has said since it was started last."""

    name: str
    command: list[str]
    environment: dict[str, str]
    lines: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            cwd=ROOT,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        listening = (self.process, self.lines)
        threading.Thread(target=self.listen, args=listening, daemon=True).start()

    @staticmethod
    def listen(process: subprocess.Popen[str], lines: list[str]) -> None:
        assert process.stdout is not None
        with process.stdout as said:
            lines.extend(said)

    def painter(self) -> int | None:
        """The process that a worker colors in."""
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = tasks.read_text().split() if tasks.exists() else []
        return int(children[0]) if children else None


class Stack:
    """moto's server, two dispatchers, two workers and a burier."""

    def __init__(self, folder: Path, seed: int):
        self.temporary, self.home, site = (folder / name for name in ("tmp", "home", "site"))
        for path in (self.temporary, self.home, site):
            path.mkdir()
        self.plan = Plan(seed, self.end)
        self.cloud = Cloud(f"http://{HOST}:{free_port(None, near=9300)}")
        self.proxies: dict[str, Proxy] = {}
        self.pieces: dict[str, Piece] = {}
        self.moto = Piece(
            "moto",
            ["-m", "moto.server", "-H", HOST, "-p", self.cloud.endpoint.rpartition(":")[2]],
            {},
        )
        common = plugin.install(site) | {
            "DEEPCOLOR_HOME": str(self.home),
            "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.temporary),
        }
        worker = ["-c", LIMITED, "-m", "functions.colorize"]
        worker += ["--time-limit", str(TIME_LIMIT_SECONDS)]
        source = ["-m", "infra.local.event_source"]
        dispatch = [*source, "functions.dispatch.app:handler"]
        bury = [*source, "functions.bury.app:handler"]
        for name in WORKERS:
            self.add(name, common, worker)
        for name in DISPATCHERS:
            self.add(name, common, dispatch, "uploads")
        self.add(BURIER, common, bury, "uploads-dead", "work-dead")
        self.ends_by_itself: list[str] = []

    def add(self, name: str, common: dict[str, str], command: list[str], *queues: str) -> None:
        proxy = self.proxies[name] = Proxy(name, self.cloud.endpoint, self.plan)
        cloud = Cloud(proxy.endpoint)
        environment = cloud.environment() | common | {"CHAOS_BELL": proxy.endpoint}
        command = [*command, *(cloud.queue_url(queue) for queue in queues)]
        self.pieces[name] = Piece(name, command, environment)

    def start(self) -> None:
        self.moto.start()
        self.wait_for(self.is_up, "moto")
        self.cloud.create([self.cloud.endpoint])
        for queue, seconds in HIDDEN_SECONDS.items():
            self.cloud.sqs().set_queue_attributes(
                QueueUrl=self.cloud.queue_url(queue),
                Attributes={"VisibilityTimeout": str(seconds)},
            )
        for piece in self.pieces.values():
            piece.start()
        self.wait_for_workers()
        self.cloud.connect()

    def is_up(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.cloud.endpoint}/moto-api/", timeout=5).close()
        except OSError:
            return False
        return True

    def wait_for_workers(self) -> None:
        self.wait_for(lambda: all(self.is_ready(name) for name in WORKERS), "the workers")

    def is_ready(self, name: str) -> bool:
        return any('"message":"ready"' in line for line in self.pieces[name].lines)

    def end(self, name: str, how: str) -> bool:
        """Whether there was somebody to end.

        What a worker asked may come here after that worker's end: the next one, which has asked
        for nothing yet, is let be, for it does not know yet what to do when told to leave.
        """
        piece = self.pieces[name]
        assert piece.process is not None
        if name in WORKERS and not self.is_ready(name):
            return False
        if how == "painter":
            painter = piece.painter()
            if painter is None:
                return False
            os.kill(painter, signal.SIGKILL)
        else:
            piece.process.send_signal(signal.SIGKILL if how == "kill" else signal.SIGTERM)
            self.plan.forget(name)
        return True

    def wait_for(
        self, happened: Callable[[], Any], what: str, seconds: float = START_SECONDS
    ) -> None:
        """Waits, and meanwhile starts again what has ended."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, f"{what} did not come within {seconds:g} s"
            self.revive()
            time.sleep(0.1)

    def revive(self) -> None:
        for piece in self.pieces.values():
            if piece.process is None or piece.process.poll() is None:
                continue
            if piece.process.returncode not in ENDED_BY_US:
                # Of the stand-ins for Lambda's event source, that is no news: they give up at once.
                self.ends_by_itself.append(f"{piece.name}: {piece.process.returncode}")
            self.plan.forget(piece.name)
            piece.start()

    def stop(self) -> dict[str, int]:
        """Ends everything; gives back the exit codes."""
        running = {name: piece.process for name, piece in self.pieces.items() if piece.process}
        for process in running.values():
            process.terminate()
        codes = {}
        for name, process in running.items():
            try:
                codes[name] = process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = process.wait()
        if self.moto.process is not None:
            self.moto.process.kill()
            self.moto.process.wait()
        for proxy in self.proxies.values():
            proxy.close()
        return codes

    def depth(self) -> int:
        """How many messages are in all queues together, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs = self.cloud.sqs()
        return sum(
            int(count)
            for queue in HIDDEN_SECONDS
            for count in sqs.get_queue_attributes(
                QueueUrl=self.cloud.queue_url(queue),
                AttributeNames=names,  # type: ignore[arg-type]
            )["Attributes"].values()
        )
