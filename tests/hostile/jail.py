"""Decoding in a process of its own, which may use so much memory and take so long.

``python -m tests.hostile.jail`` is that process. It reads files from its standard input, one after
the other, and says what became of each in a line of JSON.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

HANG_SECONDS = 60  # of a file that takes milliseconds, on a machine that may be busy
COMMAND = ["-m", __spec__.name]
MEBIBYTE = 1 << 20
LENGTH = struct.Struct(">I")


@dataclass
class Report:
    """What became of files; ``outcomes`` counts results and the codes of typed errors."""

    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    escaped: list[str] = field(default_factory=list)
    peak_mebibytes: int = 0

    @property
    def files(self) -> int:
        return self.outcomes.total() + len(self.crashes) + len(self.hangs) + len(self.escaped)

    @property
    def is_clean(self) -> bool:
        return not (self.crashes or self.hangs or self.escaped)

    def __str__(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        lines = [
            f"{self.files} files: {len(self.crashes)} crashes, {len(self.hangs)} hangs, "
            f"{len(self.escaped)} untyped errors, peak {self.peak_mebibytes} MiB ({told})",
            *(f"  crash: {each}" for each in self.crashes),
            *(f"  hang: {each}" for each in self.hangs),
            *(f"  untyped: {each}" for each in self.escaped),
        ]
        return "\n".join(lines)


def decode_all(
    files: Iterable[tuple[str, bytes]], *, max_pixels: int, memory_mebibytes: int
) -> Report:
    """Decodes and encodes each named file in a child process, in a new one after each crash."""
    report = Report()
    with contextlib.ExitStack() as children:
        child: _Child | None = None
        for name, content in files:
            if child is None:
                child = children.enter_context(_Child(max_pixels, memory_mebibytes))
            try:
                answer = child.ask(content)
            except TimeoutError:
                report.hangs.append(name)
                child = None
            except EOFError as end:
                report.crashes.append(f"{name}: {end}")
                child = None
            else:
                report.peak_mebibytes = max(report.peak_mebibytes, answer["peak_mebibytes"])
                if answer["escaped"]:
                    report.escaped.append(f"{name}: {answer['escaped']}")
                else:
                    report.outcomes[answer["outcome"]] += 1
    return report


class _Child:
    def __init__(self, max_pixels: int, memory_mebibytes: int):
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115, closed with the process
        self.process = subprocess.Popen(
            [sys.executable, *COMMAND, str(max_pixels), str(memory_mebibytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._input.close()
        try:
            self.process.wait(HANG_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._output.close()
        self.errors.close()

    @property
    def _input(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def _output(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def ask(self, content: bytes) -> dict[str, Any]:
        """Raises ``TimeoutError`` when it hangs and ``EOFError`` when it ends."""
        with contextlib.suppress(BrokenPipeError):
            self._input.write(LENGTH.pack(len(content)) + content)
            self._input.flush()
        readable, _, _ = select.select([self._output], [], [], HANG_SECONDS)
        if not readable:
            self.process.kill()
            raise TimeoutError
        line = self._output.readline()
        if not line:
            code = self.process.wait()
            self.errors.seek(0)
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise EOFError(f"{how}\n{self.errors.read()[-4000:].decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def outcome_of(content: bytes, max_pixels: int) -> str:
    """``"result"`` for a file that gives a colored file of the right size, else the error's code.

    The color is gray: what is tried here is what touches the file, and no network does.
    """
    import io

    from PIL import Image

    from deepcolor.encoding import Credit, Writing, encode
    from deepcolor.errors import DeepcolorError
    from deepcolor.photograph import Reading, decode

    try:
        photograph = decode(content, Reading(max_pixels=max_pixels))
    except DeepcolorError as error:
        assert "\n" not in str(error), "more than one line"  # noqa: PT017 (this is no test)
        return error.code
    width, height = photograph.size
    assert width * height <= max_pixels, "more pixels than are allowed"
    colored = photograph.pixels.convert("RGB")
    encoded, _ = encode(colored, photograph, Credit("nobody", "0" * 64), Writing())
    with Image.open(io.BytesIO(encoded)) as result:
        assert result.size == photograph.size, "a result of another size"
    return "result"


def _peak_mebibytes() -> int:
    """Of resident memory; what ``getrusage`` says includes the process that started this one."""
    [line] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) // 1024


def main(max_pixels: int, memory_mebibytes: int) -> None:
    faulthandler.enable()
    limit = memory_mebibytes * MEBIBYTE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while length := sys.stdin.buffer.read(LENGTH.size):
        content = sys.stdin.buffer.read(LENGTH.unpack(length)[0])
        answer = {"outcome": "", "escaped": ""}
        try:
            answer["outcome"] = outcome_of(content, max_pixels)
        except Exception as error:
            answer["escaped"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer | {"peak_mebibytes": _peak_mebibytes()}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
