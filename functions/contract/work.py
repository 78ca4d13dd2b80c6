"""The work queue's messages: each is the record of a photograph to color, as it was when sent.

As a rule nobody has touched the record since and it need not be read; its etag, which the message
has beside what is written of it, tells once it is to be replaced.
"""

from __future__ import annotations

import json

from functions.contract.records import Record

BATCH = 10  # messages in one request, of SQS


def to_message(record: Record) -> str:
    return json.dumps(record.to_fields() | {"etag": record.etag})


def from_message(text: str) -> Record:
    """Raises ``ValueError`` where that is no message of dispatch's."""
    try:
        return Record.from_fields(json.loads(text))
    except (KeyError, OverflowError, RecursionError, TypeError) as error:
        raise ValueError(f"This is no work: {text}") from error
