"""Opens an order for an upload: looks at the object, names the strategy, queues the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from functions.contract.keys import is_folder_marker, note_of, record_key
from functions.contract.manifest import ManifestReader
from functions.contract.objects import head_of
from functions.contract.records import UPLOAD_GONE, Record, Records, Source, Status
from functions.contract.settings import Settings
from functions.contract.work import BATCH, to_message
from functions.dispatch.wish import read_wish

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class NotSentError(Exception):
    """SQS took only some of the messages."""

    def __init__(self, count: int, why: str):
        super().__init__(f"SQS did not take {count} of the messages: {why}")


class Outcome(StrEnum):
    """What opening an order came to; also the names of the metrics."""

    QUEUED = "Queued"
    REFUSED = "Refused"
    FINISHED = "AlreadyFinished"
    VANISHED = "Vanished"
    IGNORED = "Ignored"
    DELETED = "Deleted"


@dataclass
class Orders:
    """Opens orders; raises only for what another try may mend."""

    s3: S3Client
    sqs: SQSClient
    settings: Settings
    logger: Logger
    records: Records = field(init=False)
    manifest: ManifestReader = field(init=False)

    def __post_init__(self) -> None:
        self.records = Records(self.s3, self.settings.results_bucket)
        self.manifest = ManifestReader(self.s3, self.settings.results_bucket)

    def open(self, key: str) -> tuple[Outcome, Record | None]:
        """Records what the upload asks for; what comes to be queued is yet to be sent.

        The event is believed only as far as its key: the object itself says what is there now.
        A repeated event finds its order and at most repeats the message, which a worker sees.
        """
        outcome, record = (Outcome.IGNORED, None) if is_folder_marker(key) else self._open(key)
        if outcome in {Outcome.QUEUED, Outcome.REFUSED} and self._was_deleted(key):
            self._delete(key)
            outcome, record = Outcome.DELETED, None
        told = {"key": key, "outcome": outcome.value}
        if record is not None:
            told |= {"strategy": record.strategy, "correlation_id": record.correlation_id}
        self.logger.info("upload", extra=told)
        return outcome, record

    def send(self, records: Sequence[Record]) -> None:
        """Sends queued records to the work queue, a batch a request.

        Raises when any was not sent; to send them all again does no harm.
        """
        for begin in range(0, len(records), BATCH):
            reply = self.sqs.send_message_batch(
                QueueUrl=self.settings.work_queue_url,
                Entries=[
                    {"Id": str(i), "MessageBody": to_message(record)}
                    for i, record in enumerate(records[begin : begin + BATCH])
                ],
            )
            if failed := reply.get("Failed"):
                raise NotSentError(len(failed), failed[0].get("Message", failed[0]["Code"]))

    def _open(self, key: str) -> tuple[Outcome, Record | None]:
        # As a rule nothing is known of an upload yet, and so nothing need be read.
        outcome, record = self._look(key, None)
        if record is not None and (added := self.records.add(record)):
            return outcome, added

        def open_order(current: Record | None) -> Record | None:
            nonlocal outcome
            # After the record was read: or an earlier look at the object could outdo a later one.
            outcome, record = self._look(key, current)
            return record

        record = self.records.update(key, open_order)
        return outcome, record

    def _was_deleted(self, key: str) -> bool:
        """Whether a visitor deleted the photograph while it was on its way.

        The page's note says that it has not been. It is asked for once the record is there, and the
        page deletes all again after the note: whoever is second finds what the first has left.
        """
        note = note_of(key)
        return note is not None and head_of(self.s3, self.settings.results_bucket, note) is None

    def _delete(self, key: str) -> None:
        """The upload last: should that fail, the event comes again and finds it."""
        self.s3.delete_object(Bucket=self.settings.results_bucket, Key=record_key(key))
        self.s3.delete_object(Bucket=self.settings.uploads_bucket, Key=key)

    def _look(self, key: str, current: Record | None) -> tuple[Outcome, Record | None]:
        """What the object is to come to, and the record that says so."""
        head = head_of(self.s3, self.settings.uploads_bucket, key)
        if head is None:
            if current is None or current.status.is_final:
                return Outcome.VANISHED, current
            return Outcome.VANISHED, current.moved(Status.FAILED, error=UPLOAD_GONE)
        source, metadata = Source.of(head), head["Metadata"]
        if current is not None and current.source == source:
            return Outcome.FINISHED if current.status.is_final else Outcome.QUEUED, current
        wish = read_wish(
            key, metadata, source.size, self.manifest.read(), self.settings.max_upload_bytes
        )
        record = Record.opened(
            key, source, current, wish.strategy, knobs=wish.knobs, hints=wish.hints
        )
        if wish.refusal:
            return Outcome.REFUSED, record.moved(Status.FAILED, error=wish.refusal)
        return Outcome.QUEUED, record
