"""Results: colored photographs, whose metadata say what they answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from functions.contract.objects import Head
from functions.contract.records import Record, Status


def question(record: Record) -> dict[str, str]:
    """What is asked, as the metadata of an answer repeat it; an answer also names its weights."""
    return {
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
