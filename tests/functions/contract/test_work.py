from __future__ import annotations

import json
from typing import Any

import pytest

from functions.contract.work import from_message, to_message
from tests.functions.contract.test_records import record


def test_a_message_is_the_record_as_it_was() -> None:
    sent = record(order=3, knobs={"vividness": 0.5}, etag='"e"')
    assert from_message(to_message(sent)) == sent


def test_what_a_later_version_added_is_left_out() -> None:
    sent = record(order=3, etag='"e"')
    fields = json.loads(to_message(sent))
    fields["mood"] = fields["source"]["mood"] = "calm"
    assert from_message(json.dumps(fields)) == sent


@pytest.mark.parametrize(
    "odd",
    [
        "hello",
        "[]",
        "null",
        "[" * 100_000,
        {"source": None},
        {"status": "sleeping"},
        {"source": {"etag": "e", "last_modified": "", "size": float("inf")}},
        {"source": {"etag": "e", "last_modified": "", "size": "many"}},
    ],
)
def test_what_is_no_message_of_dispatchs_is_refused(odd: Any) -> None:
    text = odd if isinstance(odd, str) else json.dumps(json.loads(to_message(record())) | odd)
    with pytest.raises(ValueError):  # noqa: PT011, json's own among them
        from_message(text)
