"""``python -m infra.local.object_store HOST PORT``: moto's server, the local stack's S3 and SQS."""

from __future__ import annotations

import functools
import sys

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple


class Dispatcher(DomainDispatcherApplication):
    """Remembers which service a host stands for; moto lists its own folder for each request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.find_backend = functools.cache(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> object:
        return self.find_backend(host)


if __name__ == "__main__":
    host, port = sys.argv[1:]
    run_simple(host, int(port), Dispatcher(), threaded=True, request_handler=MotoRequestHandler)
