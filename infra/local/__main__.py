"""``python -m infra.local``: what ``make run`` starts."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from infra.local.folder import FolderError, held
from infra.local.ports import PortTakenError, free_port, port_number
from infra.local.stack import PieceDiedError, Stack

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
parser.add_argument("--page-port", type=port_number, help="default: a free one near 8000")
parser.add_argument("--s3-port", type=port_number, help="default: a free one near 9000")
parser.add_argument(
    "--folder", type=Path, default=Path("bucket"), help="mirrors the buckets (default: bucket)"
)


def main() -> int:
    arguments = parser.parse_args()
    if arguments.page_port is not None and arguments.page_port == arguments.s3_port:
        parser.error("--page-port and --s3-port are the same; give two ports.")
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    keep_to_this_machine()
    try:
        page_port = free_port(arguments.page_port, near=8000, but=arguments.s3_port)
        s3_port = free_port(arguments.s3_port, near=9000, but=page_port)
        with held(arguments.folder):
            return _run(Stack(arguments.folder, page_port, s3_port))
    except (PortTakenError, FolderError) as error:
        print(error, file=sys.stderr)
        return 2


def keep_to_this_machine() -> None:
    """Forgets the shell's accounts and endpoints of AWS, and its proxies for loopback."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.environ[name] = os.devnull
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, ("127.0.0.1,localhost", os.environ.get(name))))


def _run(stack: Stack) -> int:
    try:
        print("Starting deepcolor …", file=sys.stderr, flush=True)
        stack.start()
        print(_welcome(stack), flush=True)
        stack.run()
    except KeyboardInterrupt:
        print("\nStopping …", file=sys.stderr, flush=True)
    except (PieceDiedError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        # From here on another Ctrl-C would only leave processes behind.
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        stack.stop()
    return 0


def _welcome(stack: Stack) -> str:
    uploads, results = (mirror.folder for mirror in stack.mirrors)
    return f"""
  Page      {stack.page}

  S3        {stack.cloud.endpoint}
            AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1 \\
            aws --endpoint-url {stack.cloud.endpoint} \\
              s3 cp photo.jpg s3://deepcolor-uploads/colornet/album/photo.jpg

  Folder    copy photographs into  {uploads}
            they come back in      {results}

  Ctrl-C ends it; the next run finds the photographs again.
"""


if __name__ == "__main__":
    sys.exit(main())
