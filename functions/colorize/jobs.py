"""One photograph's job, in three steps: fetch the upload, color it, store result and record."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from deepcolor import StrategyCard, __version__, defaults, weights
from deepcolor.errors import UnknownStrategyError
from deepcolor.registry import find, manifest
from functions.colorize.alarm import alarm
from functions.colorize.commission import Colored, Commission, Outcome, Refusal
from functions.contract import results
from functions.contract.manifest import (
    ManifestMissingError,
    ManifestReader,
    publish_unless_outdated,
)
from functions.contract.objects import Head, head_of, is_absent, is_lost_race, put_if_unchanged
from functions.contract.records import UPLOAD_GONE, ContendedError, Record, Records, Status
from functions.contract.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from mypy_boto3_s3 import S3Client

    from functions.colorize.painters import Painters

ATTEMPTS = 5
TOLD_AFTER_SECONDS = 1.0  # of coloring
TELLING_SECONDS = 2.0  # that a colored photograph waits for its record to tell that it is colored
UNKNOWN = {"unknown_strategy", "unknown_knob"}  # refusals' codes
MAX_KEY_IN_METADATA = 1000  # bytes; S3 allows 2 KB of metadata in all


@dataclass
class Job:
    """An upload in hand. ``replaces`` is the etag of the result that lies there from before."""

    record: Record
    content: bytes
    replaces: str | None
    fetch_milliseconds: float


class NotReadyError(Exception):
    """The default strategy can't run here; the message is a sentence with the cure."""


class OutdatedError(Exception):
    """This worker is asked for what only those of a later deployment can do."""

    def __init__(self, strategy: str):
        super().__init__(
            f"The manifest has {strategy} otherwise than it is here: this worker is from before a "
            "deployment, and leaves."
        )


@dataclass
class Jobs:
    """Does the work that messages name; idempotent, so a repeated message does no harm."""

    s3: S3Client
    settings: Settings
    logger: Logger
    painter: Painters
    records: Records = field(init=False)
    deployed: ManifestReader = field(init=False)
    cards: dict[str, StrategyCard] = field(default_factory=dict)
    published: dict[str, Any] | None = None
    is_outdated: bool = False

    def __post_init__(self) -> None:
        self.records = Records(self.s3, self.settings.results_bucket)
        self.deployed = ManifestReader(self.s3, self.settings.results_bucket)

    def publish_manifest(self) -> None:
        """Tells the page and the dispatcher which strategies run here, when that has changed.

        Not where those of a later deployment are told already.
        """
        cards = manifest()
        if cards != self.published and publish_unless_outdated(
            self.s3, self.settings.results_bucket, cards, self.settings.deployment
        ):
            self.published = cards

    def has_successors(self) -> bool:
        """Whether a later deployment has come, whose workers are to do the rest.

        What this one lacks, or has a bug in, may be just what they were deployed for.
        """
        if self.settings.deployment and not self.is_outdated:
            try:
                latest = self.deployed.read().deployment
            except ManifestMissingError:
                return False
            if latest > self.settings.deployment:
                self.is_outdated = True
                told = {"deployment": self.settings.deployment, "latest": latest}
                self.logger.info("outdated", extra=told)
        return self.is_outdated

    def get_ready(self) -> None:
        """Sees that the buckets are there, and loads the default strategy.

        Raises :class:`NotReadyError` when that can't run, and what S3 answers.
        """
        self.look()
        self.publish_manifest()
        refusal = self.painter.load(defaults.STRATEGY)
        if refusal is not None:
            raise NotReadyError(refusal.message)

    def look(self) -> None:
        """Raises what S3 answers, with the bucket's name, unless both buckets can be reached."""
        for bucket in (self.settings.uploads_bucket, self.settings.results_bucket):
            try:
                self.s3.head_bucket(Bucket=bucket)
            except ClientError as error:
                error.args = (f"{error} ({bucket})",)  # S3 has no body for HEAD, and so no name
                raise

    def fetch(self, work: Record, is_again: bool = False) -> Job | None:
        """The upload a message is about; ``None`` when nothing is left to do for it.

        ``work`` is the record in the message; ``is_again``: it has been received before.
        """
        start = time.perf_counter()
        is_new = work.order == 1 and not is_again
        record = self._open(work, is_new)
        if record is None:
            return None
        # For a first order that nobody has worked at no result can lie in the way.
        previous = None if is_new else self._head(work.key)
        if previous is not None and self._answers(previous, record):
            self._finish(record, previous, {})
            return None
        try:
            reply = self.s3.get_object(
                Bucket=self.settings.uploads_bucket, Key=record.key, IfMatch=record.source.etag
            )
            content = reply["Body"].read()
        except ClientError as error:
            if is_absent(error):
                self._fail(record, Refusal(**UPLOAD_GONE))
            elif error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            # Overwritten since: the new upload's own event opens the next order.
            return None
        spent = round((time.perf_counter() - start) * 1000, 1)
        return Job(record, content, previous["ETag"] if previous else None, spent)

    def _open(self, work: Record, is_new: bool) -> Record | None:
        """The work's record; ``None`` when nothing is left to do.

        As a rule nobody has touched a new one since the message was sent with it: it is not read,
        and who has is found out when the end is written.
        """
        if is_new:
            return work
        standing = self._standing(work)
        return standing if _is_open(work, standing) else None

    def color(self, job: Job) -> Outcome:
        """The colored photograph, or why there can be none.

        Raises :class:`OutdatedError` where others can color it.
        """
        record = job.record
        commission = Commission(
            job.content,
            record.strategy,
            record.knobs,
            record.hints,
            record.correlation_id,
            results.instance(record),
        )
        with alarm(TOLD_AFTER_SECONDS, lambda: self._tell(job), TELLING_SECONDS):
            outcome = self.painter.paint(commission)
        if isinstance(outcome, Refusal) and outcome.code in UNKNOWN and self._others_know(record):
            self.is_outdated = True
            raise OutdatedError(record.strategy)
        if isinstance(outcome, Colored) and record.strategy not in self.cards:
            # The card in hand: looking a strategy up scans every installed package.
            self.cards[record.strategy] = find(record.strategy).card
            self.publish_manifest()  # its weights may have come just now
        return outcome

    def _tell(self, job: Job) -> None:
        """Has the record say that the photograph is being colored: somebody may look by now."""
        try:
            running = self.records.follow(job.record.moved(Status.RUNNING))
        except (BotoCoreError, ClientError) as error:
            told = {"key": job.record.key, "error": str(error)}
            self.logger.warning("running, but its record does not tell", extra=told)
        else:
            job.record = running or job.record

    def _others_know(self, record: Record) -> bool:
        """Whether the manifest, which may be a later worker's by now, has strategy and knobs."""
        reader = ManifestReader(self.s3, self.settings.results_bucket)
        card = reader.read().strategies.get(record.strategy)
        return card is not None and record.knobs.keys() <= {one["name"] for one in card["knobs"]}

    def store(self, job: Job, outcome: Outcome) -> None:
        """Writes the result and then the record, unless a newer order has come in between.

        Raises :class:`ContendedError` when others keep changing the result.
        """
        record, replaces = job.record, job.replaces
        if isinstance(outcome, Refusal):
            self._fail(record, outcome)
            return
        # While somebody waits for a second order they often ask for a third.
        if replaces is not None and not self._stands(record):
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
                head = {
                    "ETag": etag,
                    "ContentLength": len(outcome.content),
                    "ContentType": outcome.media_type,
                    "Metadata": metadata,
                }
                self._finish(record, head, times)
                return
            # In this turn: what lay there while the record stood is no later order's.
            previous = self._head(record.key)
            if not self._stands(record):
                return
            if previous is not None and self._answers(previous, record):
                # Another worker's, or this one's own: S3's answer to the first try was lost.
                self._finish(record, previous, {})
                return
            replaces = previous["ETag"] if previous else None
        raise ContendedError(record.key)

    def _finish(self, record: Record, head: Head, milliseconds: dict[str, float]) -> None:
        done = results.done(record, head, milliseconds)
        standing = self.records.put(done)
        if _is_nobodys(record, standing):
            self._delete_result(record.key, head["ETag"])
        elif standing == done:  # and not another worker's, or a later order's
            self._log("done", record, milliseconds=milliseconds)

    def _fail(self, record: Record, refusal: Refusal) -> None:
        """Writes why there is no result, unless another worker with the same message left one."""
        if head := self._head_of_order(record):
            self._finish(record, head, {})
            return
        error = {"code": refusal.code, "message": refusal.message}
        failed = record.moved(Status.FAILED, error=error)
        if self.records.put(failed) == failed:
            self._log("failed", record, error=error)

    def _take_back(self, record: Record) -> None:
        """Deletes the result of an order whose record was deleted or failed."""
        if head := self._head_of_order(record):
            self._delete_result(record.key, head["ETag"])

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

    def _delete_result(self, key: str, etag: str) -> None:
        """Deletes a result unless another has taken its place."""
        try:
            self.s3.delete_object(Bucket=self.settings.results_bucket, Key=key, IfMatch=etag)
        except ClientError as error:
            if not is_lost_race(error):
                raise

    def _stands(self, record: Record) -> bool:
        return _is_open(record, self._standing(record))

    def _standing(self, record: Record) -> Record | None:
        """The record that stands now. Where the order is nobody's any more its result is taken
        back: a worker may have died before its record, or S3's answer to its put been lost.
        """
        standing = self.records.get(record.key)
        if _is_nobodys(record, standing):
            self._take_back(record)
        return standing

    def _head(self, key: str) -> Head | None:
        return head_of(self.s3, self.settings.results_bucket, key)

    def _head_of_order(self, record: Record) -> Head | None:
        """The result that lies there, if it is of this very order, of whatever weights."""
        head = self._head(record.key)
        return head if head and results.answers(head, results.question(record)) else None

    def _answers(self, head: Head, record: Record) -> bool:
        """Whether a result is of this very order, and of the weights that are here."""
        try:
            card = self.cards.get(record.strategy) or find(record.strategy).card
        except UnknownStrategyError:
            return False
        return results.answers(head, self._question(record, card))

    def _question(self, record: Record, card: StrategyCard) -> dict[str, str]:
        return results.question(record) | {"weights": weights.identity(card)}

    def _metadata(self, record: Record, colored: Colored) -> dict[str, str]:
        return self._question(record, self.cards[record.strategy]) | {
            "source-key": _ascii_key(record.key),
            "version": __version__,
            "width": str(colored.width),
            "height": str(colored.height),
        }


def _is_open(record: Record, standing: Record | None) -> bool:
    """Whether the record's order still waits for its end, by the record that stands now."""
    if standing is None or not standing.is_of_order(record):
        return False
    return not standing.status.is_final


def _is_nobodys(record: Record, standing: Record | None) -> bool:
    """Whether the record was deleted or its order given up while it was being colored.

    Where a later order stands, a result stays until that one's replaces it.
    """
    if standing is None:
        return True
    if standing.order > record.order:
        return False
    return standing.status is Status.FAILED or not standing.is_of_order(record)


def _ascii_key(key: str) -> str:
    """The key as S3 metadata can hold it: percent-encoded, or its sha256 if that is too long."""
    encoded = quote(key)
    if len(encoded) <= MAX_KEY_IN_METADATA:
        return encoded
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
