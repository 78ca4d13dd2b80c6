"""``python -m functions.colorize [--exit-when-idle SECONDS]``: runs a worker until told to stop."""

from __future__ import annotations

import argparse
import signal

import boto3
from aws_lambda_powertools import Logger

from functions.colorize.jobs import Jobs
from functions.colorize.worker import Worker
from functions.contract.settings import Settings

parser = argparse.ArgumentParser(prog="python -m functions.colorize", description=__doc__)
parser.add_argument(
    "--exit-when-idle",
    type=float,
    metavar="SECONDS",
    help="leave when the queue stayed empty for so long (default: stay)",
)


def main() -> None:
    arguments = parser.parse_args()
    logger = Logger(service="colorize")
    settings = Settings.from_environment()
    jobs = Jobs(boto3.client("s3"), settings, logger)
    worker = Worker(boto3.client("sqs"), settings.work_queue_url, jobs, logger)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    worker.run(idle_seconds=arguments.exit_when_idle)


if __name__ == "__main__":
    main()
