"""A proxy between one piece of the pipeline and S3 and SQS, through which its requests go wrong.

Whoever listens is told of each request before it is passed on and after it was answered, and may
have it fail, have its answer lost or changed, or kill the piece that asked: hence no piece needs
to know that it is being tested.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"
NO_LINGER = struct.pack("ii", 1, 0)  # closing the socket then resets the connection
NOT_PASSED_ON = {"connection", "keep-alive", "transfer-encoding", "expect", "host"}


@dataclass(frozen=True)
class Request:
    """What a piece asks of S3 or SQS, or a ring of its bell (``operation`` Coloring).

    ``place`` is a bucket's or queue's name. ``fields`` are those of SQS's JSON, or of an object
    that holds JSON.
    """

    piece: str
    operation: str
    place: str = ""
    key: str = ""
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def record_of(self) -> str | None:
        """The upload whose record this is about."""
        is_record = self.key.startswith("records/")
        return self.key.removeprefix("records/").removesuffix(".json") if is_record else None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body or b"{}")


class ResetError(Exception):
    """The connection breaks; ``after`` so many bytes of the answer's body."""

    def __init__(self, answer: Answer | None = None, after: int = 0):
        super().__init__("reset")
        self.answer, self.after = answer, after


class Listener(Protocol):
    """Each may raise :class:`ResetError`."""

    def before(self, request: Request) -> Answer | None:
        """An answer that keeps the request from being passed on."""

    def after(self, request: Request, answer: Answer) -> Answer:
        """The answer that the piece gets."""


def error(request: Request, status: int) -> Answer:
    """As S3 and SQS answer when they can't."""
    if request.place.startswith("queue:"):
        body = json.dumps({"__type": "com.amazonaws.sqs#ServiceUnavailable", "message": "chaos"})
        kind = "application/x-amz-json-1.0"
    else:
        code = "SlowDown" if status == 503 else "InternalError"
        body = f"<Error><Code>{code}</Code><Message>chaos</Message></Error>"
        kind = "application/xml"
    content = b"" if request.operation == "HEAD" else body.encode()
    return Answer(status, [("Content-Type", kind)], content)


class Proxy:
    """Listens on a port of its own; :attr:`endpoint` is what the piece takes for S3 and SQS."""

    def __init__(self, piece: str, behind: str, listener: Listener):
        self.piece, self.listener = piece, listener
        self.behind = urlsplit(behind).netloc
        handler = type("ProxyHandler", (Handler,), {"proxy": self})
        self.server = ThreadingHTTPServer((HOST, 0), handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://{HOST}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # who asked was killed over it
            self.close_connection = True
            return
        request = self.request_of(body)
        try:
            answer = self.proxy.listener.before(request)
            if answer is None:
                if request.operation == "Coloring":
                    answer = Answer(200, [], b"")
                else:
                    answer = self.passed_on(body)
                answer = self.proxy.listener.after(request, answer)
            self.give(answer)
        except ResetError as reset:
            if reset.answer is not None:
                self.give(reset.answer, reset.after)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815

    def request_of(self, body: bytes) -> Request:
        piece, path = self.proxy.piece, unquote(urlsplit(self.path).path)
        if path == "/coloring":
            return Request(piece, "Coloring")
        if target := self.headers.get("X-Amz-Target"):
            fields = json.loads(body)
            queue = fields["QueueUrl"].rpartition("/")[2]
            return Request(piece, target.partition(".")[2], f"queue:{queue}", "", fields)
        _, bucket, *key = path.split("/", 2)
        is_json = self.command == "PUT" and path.endswith(".json")
        fields = json.loads(body) if is_json else {}
        return Request(piece, self.command, bucket, "".join(key), fields)

    def passed_on(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self.proxy.behind, timeout=120)
        try:
            connection.request(self.command, self.path, body, dict(kept(self.headers.items())))
            reply = connection.getresponse()
            return Answer(reply.status, list(kept(reply.getheaders())), reply.read())
        finally:
            connection.close()

    def give(self, answer: Answer, bytes_of_body: int | None = None) -> None:
        self.send_response_only(answer.status)
        is_head = self.command == "HEAD"  # whose length is that of what a GET would give
        for name, value in answer.headers:
            if is_head or name.lower() != "content-length":
                self.send_header(name, value)
        if not is_head:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not is_head:
            self.wfile.write(answer.body[:bytes_of_body])

    def log_message(self, *_: Any) -> None:
        """Nothing: what goes wrong here is meant to."""


def kept(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in headers if name.lower() not in NOT_PASSED_ON)
