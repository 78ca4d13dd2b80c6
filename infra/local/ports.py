"""Ports on loopback: free ones, and whether somebody answers at one."""

from __future__ import annotations

import argparse
import socket
import urllib.error
import urllib.request

HOST = "127.0.0.1"
TRIES = 100
HIGHEST = 65535


class PortTakenError(Exception):
    """A port that was asked for by number is in use."""

    def __init__(self, port: int):
        super().__init__(f"Port {port} is in use; give another, or none to have one found.")


def port_number(text: str) -> int:
    """What was given as a port on the command line; raises ``ArgumentTypeError``."""
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 1 to {HIGHEST}.")
    return int(text)


def free_port(given: int | None, near: int, but: int | None = None) -> int:
    """The port that was given, or the first free one from ``near`` upward ``but`` that one.

    Raises :class:`PortTakenError`.
    """
    if given is not None:
        if not _is_free(given):
            raise PortTakenError(given)
        return given
    return next(port for port in range(near, near + TRIES) if port != but and _is_free(port))


def replies(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
