"""One photograph's job, in three steps: fetch the upload, color it, store result and record."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from PIL import Image

from deepcolor import Colorizer, DeepcolorError, Hint, StrategyCard, __version__, load, weights
from deepcolor.colorizer import Encoded
from deepcolor.errors import UnknownStrategyError
from deepcolor.registry import DEFAULT, find, manifest
from functions.contract.conditional import put_if_unchanged
from functions.contract.manifest import publish
from functions.contract.records import ContendedError, Record, Records, Status
from functions.contract.settings import Settings
from functions.contract.work import Work

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from mypy_boto3_s3 import S3Client

ATTEMPTS = 5
MAX_KEY_IN_METADATA = 1000  # bytes; S3 allows 2 KB of metadata in all


@dataclass(frozen=True)
class Job:
    """An upload in hand. ``replaces`` is the etag of the result that lies there from before."""

    record: Record
    content: bytes
    replaces: str | None
    fetch_milliseconds: float


@dataclass(frozen=True)
class Refusal:
    """Why a photograph can't be colored, for good."""

    code: str
    message: str


Outcome = Encoded | Refusal


@dataclass
class Jobs:
    """Does the work that messages name; idempotent, so a repeated message does no harm."""

    s3: S3Client
    settings: Settings
    logger: Logger
    records: Records = field(init=False)
    colorizers: dict[str, Colorizer] = field(default_factory=dict)
    published: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.records = Records(self.s3, self.settings.results_bucket)

    def publish_manifest(self) -> None:
        """Tells the page and the dispatcher which strategies run here, when that has changed."""
        cards = manifest()
        if cards != self.published:
            publish(self.s3, self.settings.results_bucket, cards)
            self.published = cards

    def warm_up(self) -> None:
        """Loads and runs the default strategy, so that the first photograph needn't wait."""
        self._colorizer(DEFAULT)(Image.new("L", (256, 256), 128))

    def fetch(self, work: Work) -> Job | None:
        """The upload a message is about; ``None`` when nothing is left to do for it."""
        start = time.perf_counter()
        record = self.records.get(work.key)
        if record is None or record.order != work.order or record.status.is_final:
            return None
        running = self.records.put(record.moved(Status.RUNNING))
        if running is None or running.order != record.order or running.status.is_final:
            return None
        previous = self._head_result(record.key)
        if previous is not None and self._answers(previous, record):
            self._finish(record, previous["ETag"], previous["ContentLength"], previous, {})
            return None
        try:
            reply = self.s3.get_object(
                Bucket=self.settings.uploads_bucket, Key=record.key, IfMatch=record.source.etag
            )
            content = reply["Body"].read()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "NoSuchKey":
                message = "The photograph was deleted before it could be colored."
                self._fail(record, Refusal("upload_gone", message))
            elif code != "PreconditionFailed":
                raise
            # Overwritten since: the new upload's own event opens the next order.
            return None
        spent = round((time.perf_counter() - start) * 1000, 1)
        return Job(running, content, previous["ETag"] if previous else None, spent)

    def color(self, job: Job) -> Outcome:
        """The colored photograph, or why there can be none."""
        record = job.record
        try:
            hints = [Hint.parse(text) for text in record.hints]
            return self._colorizer(record.strategy).file(job.content, record.knobs, hints=hints)
        except DeepcolorError as error:
            return Refusal(error.code, str(error))

    def store(self, job: Job, outcome: Outcome) -> None:
        """Writes the result and then the record, unless a newer order has come in between."""
        record, replaces = job.record, job.replaces
        if isinstance(outcome, Refusal):
            self._fail(record, outcome)
            return
        metadata = self._metadata(record, outcome)
        for _ in range(ATTEMPTS):
            etag = put_if_unchanged(
                self.s3,
                self.settings.results_bucket,
                record.key,
                outcome.content,
                replaces,
                ContentType=outcome.media_type,
                Metadata=metadata,
            )
            if etag is not None:
                times = {"fetch": job.fetch_milliseconds} | outcome.milliseconds
                head = {"ContentType": outcome.media_type, "Metadata": metadata}
                self._finish(record, etag, len(outcome.content), head, times)
                return
            standing = self.records.get(record.key)
            if standing is None or standing.order != record.order or standing.status.is_final:
                return
            previous = self._head_result(record.key)
            replaces = previous["ETag"] if previous else None
        raise ContendedError(record.key)

    def _finish(
        self,
        record: Record,
        etag: str,
        size: int,
        head: dict[str, Any],
        milliseconds: dict[str, float],
    ) -> None:
        metadata = head["Metadata"]
        result = {
            "etag": etag,
            "size": size,
            "content_type": head["ContentType"],
            "width": int(metadata["width"]),
            "height": int(metadata["height"]),
            "weights": metadata["weights"],
            "version": metadata["version"],
        }
        done = record.moved(Status.DONE, result=result, milliseconds=milliseconds)
        if self.records.put(done) is None:
            # Deleted while it was being colored, and so nobody's result.
            self.s3.delete_object(Bucket=self.settings.results_bucket, Key=record.key)
            return
        self._log("done", record, milliseconds=milliseconds)

    def _fail(self, record: Record, refusal: Refusal) -> None:
        error = {"code": refusal.code, "message": refusal.message}
        self.records.put(record.moved(Status.FAILED, error=error))
        self._log("failed", record, error=error)

    def _log(self, message: str, record: Record, **extra: object) -> None:
        self.logger.info(
            message,
            extra={
                "key": record.key,
                "order": record.order,
                "strategy": record.strategy,
                "correlation_id": record.correlation_id,
                **extra,
            },
        )

    def _colorizer(self, strategy: str) -> Colorizer:
        if strategy not in self.colorizers:
            self.colorizers[strategy] = load(strategy)
            self.publish_manifest()
        return self.colorizers[strategy]

    def _head_result(self, key: str) -> dict[str, Any] | None:
        try:
            return dict(self.s3.head_object(Bucket=self.settings.results_bucket, Key=key))
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise

    def _answers(self, head: dict[str, Any], record: Record) -> bool:
        """Whether a result is of this very upload, strategy, weights, knobs and hints."""
        try:
            question = self._question(record, find(record.strategy).card)
        except UnknownStrategyError:
            return False
        return question.items() <= head["Metadata"].items()

    def _question(self, record: Record, card: StrategyCard) -> dict[str, str]:
        return {
            "source-etag": record.source.etag.strip('"'),
            "strategy": record.strategy,
            "weights": weights.identity(card),
            "knobs": json.dumps(record.knobs, sort_keys=True),
            "hints": hashlib.sha256(" ".join(record.hints).encode()).hexdigest(),
        }

    def _metadata(self, record: Record, encoded: Encoded) -> dict[str, str]:
        # The card in hand: looking the strategy up again would scan every installed package.
        return self._question(record, self._colorizer(record.strategy).card) | {
            "source-key": _ascii_key(record.key),
            "version": __version__,
            "width": str(encoded.width),
            "height": str(encoded.height),
        }


def _ascii_key(key: str) -> str:
    """The key as S3 metadata can hold it: percent-encoded, or its sha256 if that is too long."""
    encoded = quote(key)
    if len(encoded) <= MAX_KEY_IN_METADATA:
        return encoded
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
