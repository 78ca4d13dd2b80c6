"""The process that an isolated painter is in, and how it and whoever asks it talk.

``python -m functions.colorize.painter_process FD BYTES`` is that process, at the other end of a
socket, with so much memory. What is said there is JSON with bytes beside it and no pickles: what
decodes strangers' files must not have objects made in the process that asked.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.colorize.commission import Colored, Commission, Outcome

if TYPE_CHECKING:
    from functions.colorize.painter import Painter

PR_SET_PDEATHSIG = 1  # of Linux's prctl.h

Header = dict[str, Any]


def send(connection: Connection, header: Header, content: bytes = b"") -> None:
    connection.send_bytes(json.dumps(header).encode())
    connection.send_bytes(content)


def receive(connection: Connection) -> tuple[Header, bytes]:
    return json.loads(connection.recv_bytes()), connection.recv_bytes()


def serve(connection: Connection, painter: Painter, set_threads: Callable[[int], None]) -> None:
    """Answers until the other side hangs up."""
    while True:
        try:
            question, content = receive(connection)
        except (EOFError, ConnectionError):
            return
        try:
            if "load" in question:
                outcome: Outcome | None = painter.load(question["load"])
            else:
                if question["threads"]:
                    set_threads(question["threads"])
                outcome = painter.paint(Commission(content=content, **question["paint"]))
        except Exception:
            send(connection, {"failure": traceback.format_exc()})
            continue
        if isinstance(outcome, Colored):
            header = {name: value for name, value in vars(outcome).items() if name != "content"}
            send(connection, {"refusal": None, "colored": header}, outcome.content)
        else:
            send(connection, {"refusal": asdict(outcome) if outcome else None})


def main(file_descriptor: int, memory_bytes: int) -> None:
    # Here: whoever asks needs no torch.
    from deepcolor.program import import_pytorch, keep_freed_memory

    import_pytorch()
    import torch
    from aws_lambda_powertools import Logger

    from functions.colorize.painter import Painter

    keep_freed_memory()
    faulthandler.enable()  # says where, should a decoder crash
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # who asked decides when to end
    if sys.platform == "linux":
        # Ends with who asked, and before it where memory gives out.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        Path("/proc/self/oom_score_adj").write_text("1000")
    if not torch.cuda.is_available():  # CUDA maps far more than it uses
        _limit_memory(memory_bytes)
    most = torch.get_num_threads()
    serve(
        Connection(file_descriptor),
        Painter(Logger(service="colorize")),
        lambda threads: torch.set_num_threads(min(threads, most)),
    )


def _limit_memory(limit_bytes: int) -> None:
    """From here on an allocation too many is an error in Python, not the end of the process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in (limit_bytes, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
