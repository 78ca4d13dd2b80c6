"""Free ports on loopback."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"
TRIES = 100


class PortTakenError(Exception):
    """A port that was asked for by number is in use."""

    def __init__(self, port: int):
        super().__init__(f"Port {port} is in use; give another, or none to have one found.")


def free_port(given: int | None, near: int) -> int:
    """The port that was given, or the first free one from ``near`` upward."""
    if given is not None:
        if not _is_free(given):
            raise PortTakenError(given)
        return given
    return next(port for port in range(near, near + TRIES) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
