"""Results: colored photographs, whose metadata say what they answer.

Each order's result is another file than those of all other orders of its key, for its instance is
in the file, too. So no etag ever comes back, and who puts a result over the etag that it has read
can't undo what a later order has put there, whatever lay there before.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping

from functions.contract.objects import Head
from functions.contract.records import Record, Status


def instance(record: Record) -> str:
    """The name of an order's result as XMP has it, which no other order's has."""
    order = json.dumps([record.key, record.order, vars(record.source), record.correlation_id])
    return f"uuid:{uuid.uuid5(uuid.NAMESPACE_OID, order)}"


def question(record: Record) -> dict[str, str]:
    """What is asked, as the metadata of an answer repeat it; an answer also names its weights.

    Another order's answer is none, though it be to the same wish: it may yet be overwritten by an
    order in between.
    """
    return {
        "instance": instance(record),
        "source-etag": record.source.etag.strip('"'),
        "strategy": record.strategy,
        "knobs": json.dumps(record.knobs, sort_keys=True),
        "hints": hashlib.sha256(" ".join(record.hints).encode()).hexdigest(),
    }


def answers(head: Head, asked: Mapping[str, str]) -> bool:
    return asked.items() <= head["Metadata"].items()


def done(record: Record, head: Head, milliseconds: dict[str, float]) -> Record:
    """The record once the result is there, by stage as far as this program measured it."""
    metadata = head["Metadata"]
    result = {
        "etag": head["ETag"],
        "size": head["ContentLength"],
        "content_type": head["ContentType"],
        "width": int(metadata["width"]),
        "height": int(metadata["height"]),
        "weights": metadata["weights"],
        "version": metadata["version"],
    }
    return record.moved(Status.DONE, result=result, milliseconds=milliseconds)
