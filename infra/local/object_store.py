"""``python -m infra.local.object_store HOST PORT [ORIGIN ...]``: moto's server, the local stack's
S3 and SQS, for programs and for the pages of the origins.

moto is made for tests of a few requests; the local stack has it answer hundreds a second. What it
does anew for each request or counts anew for each message is spared here.
"""

from __future__ import annotations

import functools
import sys
import time
from typing import TYPE_CHECKING, Any

import moto.sqs.models
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs.models import Message, SQSBackend

from infra.local import contents, objects
from infra.local.other_sites import HEADERS, refusal
from infra.local.serving import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Dispatcher(DomainDispatcherApplication):
    """Prints what it is asked, refuses other sites, and remembers which service a host stands for.

    moto lists its own folder to find that out.
    """

    def __init__(self, page_origins: list[str]) -> None:
        super().__init__(create_backend_app)
        self.page_origins = page_origins
        self.find_backend = functools.cache(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> object:
        return self.find_backend(host)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *others: Any) -> Any:
            # In one piece, for many threads write at once.
            sys.stdout.write(f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']} {status}\n")
            return start_response(status, headers + HEADERS, *others)

        refused = refusal(environ, self.page_origins)
        if refused is not None:
            start("403 FORBIDDEN", [("Content-Type", "text/plain; charset=utf-8")])
            return [refused.encode()]
        if environ["PATH_INFO"] == contents.PATH:
            return [contents.tell(environ, start_response)]
        if objects.is_asked_of(environ):
            return [objects.answer(environ, start)]
        answer: Iterable[bytes] = super().__call__(environ, start)
        return answer


def milliseconds_now() -> float:
    """Unix time. moto asks for it three times a message that waits, for each that it takes in, and
    goes by way of two dates.
    """
    return time.time() * 1000


def is_kept(backend: SQSBackend, queue_name: str, message: Message) -> bool:
    """Whether a queue still has a message; moto counts the queue three times over to find out."""
    assert message.sent_timestamp is not None
    kept_seconds = backend.get_queue(queue_name).message_retention_period
    return bool(message.sent_timestamp / 1000 + kept_seconds > time.time())


def spare_sqs_its_counting() -> None:
    moto.sqs.models.unix_time_millis = milliseconds_now  # type: ignore[assignment, attr-defined]
    SQSBackend.is_message_valid_based_on_retention_period = is_kept  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    spare_sqs_its_counting()
    host, port, *page_origins = sys.argv[1:]
    Server(host, int(port), Dispatcher(page_origins)).serve_forever()
