"""``python -m functions.colorize [OPTIONS]``: runs a worker until told to stop.

Exit codes: 0 idle, its time over or told to leave; 3 the default strategy can't run here, say for
want of its weights, or not on the GPU that ``DEEPCOLOR_WORKER=gpu`` promises; 4 S3 or SQS can't be
reached; 2 wrong arguments; 1 anything else.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from functions.colorize.isolation import PainterError
from functions.colorize.painters import Painters

if TYPE_CHECKING:
    from functions.colorize.worker import Worker

CANNOT_RUN = 3
OUT_OF_REACH = 4

NAME_OF_GPU = (
    "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"
)

# Who sends SIGTERM mostly sends SIGKILL 30 seconds later.
GRACE_SECONDS = 20

parser = argparse.ArgumentParser(prog="python -m functions.colorize", description=__doc__)
parser.add_argument(
    "--exit-when-idle",
    type=float,
    metavar="SECONDS",
    help="leave when the queue stayed empty for so long (default: stay)",
)
parser.add_argument(
    "--exit-after",
    type=float,
    metavar="SECONDS",
    help="leave after so long, with nothing in hand (default: stay)",
)
parser.add_argument(
    "--time-limit",
    type=float,
    metavar="SECONDS",
    default=300,
    help="the longest that one photograph may take (default: %(default)s)",
)


class NoGpuError(Exception):
    """A GPU is paid for, and the processor would do its work."""

    def __init__(self) -> None:
        super().__init__(
            "This worker is to color on a GPU, and PyTorch finds none: deploy an image of "
            "--worker gpu, on instances with an NVIDIA card."
        )


def main() -> int:
    arguments = parser.parse_args()
    logger = Logger(service="colorize")
    painters = Painters(logger, arguments.time_limit)
    painters.start()  # before the other imports: its own take longer

    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from functions.colorize.jobs import Jobs, NotReadyError
    from functions.colorize.worker import Worker
    from functions.contract.settings import Settings

    patient = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 5},
    )
    # A heartbeat that takes long must still be through before the messages show again.
    prompt = Config(
        connect_timeout=5,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    try:
        if os.environ.get("DEEPCOLOR_WORKER") == "gpu":
            logger.append_keys(device=_gpu())
        s3, sqs = boto3.client("s3", config=patient), boto3.client("sqs", config=prompt)
        settings = Settings.from_environment()
        jobs = Jobs(s3, settings, logger, painters)
        worker = Worker(sqs, settings.work_queue_url, jobs, logger)
        _listen(worker, painters)
        worker.run(arguments.exit_when_idle, arguments.exit_after)
    except (NoGpuError, NotReadyError, PainterError) as error:
        logger.critical("cannot run", extra={"error": str(error)})
        return CANNOT_RUN
    except (BotoCoreError, ClientError) as error:
        logger.critical("out of reach", extra={"error": str(error)})
        return OUT_OF_REACH
    finally:
        signal.alarm(0)  # it has left in time
        painters.close()
    return 0


def _gpu() -> str:
    """The GPU's name; raises :class:`NoGpuError` where PyTorch finds none.

    Asked in another process, for this one needs no torch.
    """
    command = [sys.executable, "-c", NAME_OF_GPU]
    name = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    if not name:
        raise NoGpuError
    return name


def _listen(worker: Worker, painters: Painters) -> None:
    """Leaves when told to: after the photograph in work or, if that takes long, without it."""

    def stop(*_: object) -> None:
        signal.alarm(GRACE_SECONDS)
        worker.stop()

    def leave(*_: object) -> None:
        # On a thread, for what the signal came amidst may hold a lock that is needed here.
        threading.Thread(target=leave_all, daemon=True).start()

    def leave_all() -> None:
        painters.kill()
        worker.release()
        worker.logger.info("leaving, its work given back")
        os._exit(0)  # no waiting for transfers: whatever they do is as good as cut off

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGALRM, leave)


if __name__ == "__main__":
    sys.exit(main())
