"""Serving moto over connections that stay open, on a thread for each of them.

werkzeug, which moto is served by otherwise, hangs up after each answer. A server that hands
requests from one thread to others takes longer to hand them over than moto takes to answer them.
"""

from __future__ import annotations

import traceback
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, cast

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

SILENCE_SECONDS = 60  # until the server hangs up
ANSWER_BYTES = 2**16  # that are gathered before they go out


class Server(ThreadedWSGIServer):
    """A WSGI application at an address."""

    request_queue_size = 256  # of who knocks while it is busy

    def __init__(self, host: str, port: int, application: Application):
        super().__init__(host, port, application, Handler)


class Handler(MotoRequestHandler):
    """Answers what comes over one connection, one after another."""

    protocol_version = "HTTP/1.1"
    timeout = SILENCE_SECONDS
    wbufsize = ANSWER_BYTES  # head and body go out together,
    disable_nagle_algorithm = True  # and at once

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        if "wsgi.input_terminated" not in environ:
            length = environ.get("CONTENT_LENGTH", "0")
            if not length.isdecimal():
                self.send_error(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
                return
            environ["wsgi.input"] = LimitedStream(cast("IO[bytes]", self.rfile), int(length))
            environ["wsgi.input_terminated"] = True
        try:
            answer = _answer(self.server.app, environ)
            # What is left of the body would be taken for the next request.
            while environ["wsgi.input"].read(ANSWER_BYTES):
                pass
        except (ClientDisconnected, OSError):  # within the body
            self.close_connection = True
        except Exception:
            traceback.print_exc()
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            self._send(*answer)

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        named = {name.lower() for name, _ in headers}
        has_body = self.command != "HEAD" and code not in {"204", "304"}
        if has_body and "content-length" not in named:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if has_body:
            self.wfile.write(content)

    def handle_expect_100(self) -> bool:
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def log_request(self, *_: object) -> None:
        """Left to the application."""


def _answer(
    application: Application, environ: dict[str, Any]
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and the whole body."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        started.append((status, headers))

    parts = application(environ, start)
    try:
        content = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return *started[-1], content
