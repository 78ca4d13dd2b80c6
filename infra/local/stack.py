"""Starts the pieces of the local stack, watches them, and ends them in order."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from functions.contract.keys import MANIFEST_KEY
from functions.contract.objects import head_of
from functions.contract.records import Records
from infra.local.cloud import RESULTS_BUCKET, UPLOADS_BUCKET, Cloud
from infra.local.folder import HIDDEN
from infra.local.index import Index
from infra.local.mirror import Mirror
from infra.local.ports import HOST, replies

START_SECONDS = 120.0
STOP_SECONDS = 30.0
LEAST_PAUSE_SECONDS = 0.2
MOST_PAUSE_SECONDS = 5.0
SHARE_OF_TIME_LOOKING = 0.02
# A worker that fails this soon after its start would fail again: its reason is told instead.
LEAST_LIFE_SECONDS = 15.0


class PieceDiedError(Exception):
    """A process of the stack ended by itself."""

    def __init__(self, name: str, log: Path):
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        super().__init__(f"The {name} ended by itself; the end of {log} says:\n{tail}")


@dataclass
class Piece:
    """One process of the stack, its output in a log file."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C must reach the stack alone, which ends the rest in order.
            self.process = subprocess.Popen(
                [sys.executable, *self.command],
                env=os.environ | self.environment | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def failed_at_once(self) -> bool:
        """Whether it ended, soon and with an error of its own, not by a signal."""
        failed = self.process is not None and (self.process.poll() or 0) > 0
        return failed and time.monotonic() - self.started < LEAST_LIFE_SECONDS

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Stack:
    """S3 and SQS, the dispatcher, the burier, the worker and the page, with mirrored buckets.

    The folder is held while it runs, see :func:`infra.local.folder.held`.
    """

    folder: Path
    page_port: int
    s3_port: int
    cloud: Cloud = field(init=False)
    pieces: list[Piece] = field(default_factory=list)
    mirrors: list[Mirror] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self.cloud = Cloud(f"http://{HOST}:{self.s3_port}")

    @property
    def page(self) -> str:
        return f"http://{HOST}:{self.page_port}/"

    def start(self) -> None:
        """Brings everything up; raises :class:`PieceDiedError` or :class:`TimeoutError` if not."""
        # moto's own CORS headers stay on: the bucket's rule does not reach replies to a form POST.
        origins = [f"http://{host}:{self.page_port}" for host in (HOST, "localhost")]
        store = ["-m", "infra.local.object_store", HOST, str(self.s3_port), *origins]
        self._start_piece("object store", store, {})
        self._await("object store", lambda: replies(f"{self.cloud.endpoint}/moto-api/"))
        self.cloud.create(origins)
        s3 = self.cloud.s3()
        for bucket in (UPLOADS_BUCKET, RESULTS_BUCKET):
            name = bucket.removeprefix("deepcolor-")
            index = Index(self._hidden() / f"{name}.json")
            self.mirrors.append(Mirror(s3, bucket, self.folder / name, index))
        for mirror in self.mirrors:
            mirror.restore()
        # Yesterday's worker may have had other strategies than today's.
        s3.delete_object(Bucket=RESULTS_BUCKET, Key=MANIFEST_KEY)

        environment = self.cloud.environment()
        address = ["--host", HOST, "--port", str(self.page_port)]
        self._start_piece("worker", ["-m", "functions.colorize"], environment)
        self._start_event_source("dispatcher", "functions.dispatch.app:handler", "uploads")
        self._start_event_source(
            "burier", "functions.bury.app:handler", "uploads-dead", "work-dead"
        )
        self._start_piece(
            "page",
            ["-m", "uvicorn", "--factory", "web.app:create_app", *address],
            environment | {"DEEPCOLOR_WEB_SECRET": self._web_secret()},
        )
        self._await("page", lambda: replies(f"{self.page}health"))
        self._await(
            "worker's manifest", lambda: head_of(s3, RESULTS_BUCKET, MANIFEST_KEY) is not None
        )
        self.cloud.connect()
        self._resume()

    def run(self) -> None:
        """Mirrors the buckets until interrupted; a worker that dies is replaced.

        Raises :class:`PieceDiedError` for any other piece, and for a worker that fails at once.
        """
        while True:
            looking = sum(mirror.sync() for mirror in self.mirrors)
            for piece in self.pieces:
                if not piece.is_running():
                    if piece.name != "worker" or piece.failed_at_once():
                        raise PieceDiedError(piece.name, piece.log)
                    print("The worker ended by itself; another takes over.", file=sys.stderr)
                    piece.start()
            pause = min(looking / SHARE_OF_TIME_LOOKING, MOST_PAUSE_SECONDS)
            time.sleep(max(LEAST_PAUSE_SECONDS, pause))

    def stop(self) -> None:
        """Ends everything, the object store last, after a last look into the buckets."""
        for piece in reversed(self.pieces[1:]):
            piece.stop()
        try:
            if self.pieces and self.pieces[0].is_running():
                for mirror in self.mirrors * 2:  # for it takes two looks to see what stays
                    mirror.sync()
        finally:
            for piece in self.pieces[:1]:
                piece.stop()

    def _hidden(self) -> Path:
        return self.folder / HIDDEN

    def _start_event_source(self, name: str, handler: str, *queues: str) -> None:
        urls = [self.cloud.queue_url(queue) for queue in queues]
        command = ["-m", "infra.local.event_source", handler, *urls]
        self._start_piece(name, command, self.cloud.environment())

    def _start_piece(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        log = self._hidden() / f"{name.replace(' ', '-')}.log"
        log.unlink(missing_ok=True)
        piece = Piece(name, command, environment, log)
        piece.start()
        self.pieces.append(piece)

    def _await(self, what: str, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_there():
            for piece in self.pieces:
                if not piece.is_running():
                    raise PieceDiedError(piece.name, piece.log)
            if time.monotonic() > deadline:
                raise TimeoutError(f"The {what} did not come up within {START_SECONDS:g} seconds.")
            time.sleep(0.05)

    def _resume(self) -> None:
        """Uploads once more what the last run had not finished."""
        records = Records(self.cloud.s3(), RESULTS_BUCKET)
        uploads = self.mirrors[0]
        for key in list(uploads.entries):
            record = records.get(key)
            if record is None or not record.status.is_final:
                uploads.put_again(key)

    def _web_secret(self) -> str:
        """Signs the visitors' cookies; kept, so that they find their photographs again."""
        path = self._hidden() / "web-secret"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text()
