"""The work queue's messages: one photograph to color each."""

from __future__ import annotations

import json
from dataclasses import dataclass

from functions.contract.records import Record

BATCH = 10  # messages in one request, of SQS


@dataclass(frozen=True)
class Work:
    """Which order of which upload to color; everything else is in its record.

    ``record`` is that as it was when the message was sent. As a rule nobody has touched it since
    and it need not be read; its etag tells, once it is to be replaced.
    """

    key: str
    order: int
    correlation_id: str
    record: Record | None = None

    @classmethod
    def of(cls, record: Record) -> Work:
        return cls(record.key, record.order, record.correlation_id, record)

    def is_about(self, record: Record) -> bool:
        """Whether a record is of the order that the message was sent for."""
        if self.record is not None:
            return self.record.is_of_order(record)
        return self.order == record.order

    def to_json(self) -> str:
        record = self.record and self.record.to_fields() | {"etag": self.record.etag}
        return json.dumps(vars(self) | {"record": record})

    @classmethod
    def from_json(cls, text: str) -> Work:
        """Raises ``ValueError`` where that is no message of dispatch's."""
        try:
            told = json.loads(text)
            record = told.get("record")  # messages of earlier versions have none
            return cls(**told | {"record": record and Record.from_fields(record)})
        except (AttributeError, KeyError, RecursionError, TypeError) as error:
            raise ValueError(f"This is no work: {text}") from error
