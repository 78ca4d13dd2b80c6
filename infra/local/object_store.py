"""``python -m infra.local.object_store HOST PORT``: moto's server, the local stack's S3 and SQS."""

from __future__ import annotations

import functools
import sys
import time

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.sqs.models import Message, SQSBackend
from werkzeug.serving import run_simple


class Dispatcher(DomainDispatcherApplication):
    """Remembers which service a host stands for; moto lists its own folder for each request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.find_backend = functools.cache(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> object:
        return self.find_backend(host)


def is_kept(backend: SQSBackend, queue_name: str, message: Message) -> bool:
    """Whether a queue still has a message; moto counts the queue three times over to find out."""
    assert message.sent_timestamp is not None
    kept_seconds = backend.get_queue(queue_name).message_retention_period
    return bool(message.sent_timestamp / 1000 + kept_seconds > time.time())


if __name__ == "__main__":
    SQSBackend.is_message_valid_based_on_retention_period = is_kept  # type: ignore[assignment, method-assign]
    host, port = sys.argv[1:]
    run_simple(host, int(port), Dispatcher(), threaded=True, request_handler=MotoRequestHandler)
