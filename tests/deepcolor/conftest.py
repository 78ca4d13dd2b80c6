"""A package of somebody else's, a web server for weights, a folder to be in, and nobody."""

from __future__ import annotations

import http.server
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from deepcolor import defaults
from deepcolor.files.plan import Settings

SETTINGS = Settings(
    strategies=(defaults.STRATEGY,),
    device="auto",
    format="keep",
    quality=None,
    keep_gps=False,
    max_pixels=defaults.MOST_PIXELS,
    jobs=None,
    knobs={},
    hints=(),
)
"""What the command line makes of no options."""


class Carried(TorchFunctionMode):
    """Counts what is carried from the processor to the device ``meta``, which waits for it."""

    count = 0

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        made = function(*args, **(kwargs or {}))
        came = function in {torch.tensor, torch.Tensor.new_tensor} or (
            args and isinstance(args[0], torch.Tensor) and not args[0].is_meta
        )
        self.count += bool(came and isinstance(made, torch.Tensor) and made.is_meta)
        return made


PAINTER = """
from deepcolor import License, Strategy, StrategyCard


class {type}(Strategy):
    card = StrategyCard(
        name="{name}",
        title="The painter",
        description="Paints everything in one color.",
        url="https://example.org/{name}",
        license=License(code="MIT", weights="none"),
        training_data="none",
        size=64,
    )

    def predict(self, l, knobs, hints):
        return l.new_tensor([30.0, -20.0])[None, :, None, None].expand(len(l), 2, 8, 8)
"""

Install = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the test's relative paths begin."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def nobody(folder: Path) -> Iterator[None]:
    """Root may look into every folder; nobody may not."""
    folder.chmod(0o777)
    is_root = os.geteuid() == 0
    if is_root:
        os.setresuid(65534, 65534, 0)
    yield
    if is_root:
        os.setresuid(0, 0, 0)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package of one module that brings a strategy, as pip would lay it out."""
    before = set(sys.modules)
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def lay_out(package: str, name: str = "painter", code: str | None = None) -> Path:
        (site / f"{package}.py").write_text(code or PAINTER.format(type="Painter", name=name))
        info = site / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            f"[deepcolor.strategies]\n{name} = {package}:Painter\n"
        )
        return site

    yield lay_out
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(site) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


@dataclass
class FileServer:
    """Serves ``files`` by path; ``asked`` lists what was asked for."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    raw: bytes | None = None
    """What is answered instead of HTTP."""
    cut_off: int | None = None
    """After how many bytes the connection ends."""
    ranges: bool = False
    """Whether it gives the rest of a file to those who ask for a range."""
    sent: int = 0
    """How many bytes of files it has sent."""


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            if served.raw is not None:
                self.wfile.write(served.raw)
                return
            content = served.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = 0
            if served.ranges and (wanted := self.headers.get("Range")):
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            part = content[start:][: served.cut_off]
            served.sent += len(part)  # first: whoever has it all looks at once
            self.wfile.write(part)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = FileServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()
