from __future__ import annotations

from functions.contract.records import Record
from functions.contract.results import instance
from tests.functions.contract.test_records import SOURCE


def test_orders_of_one_upload_have_instances_of_their_own() -> None:
    """Counted anew after a record was deleted, say, with nothing else to tell them apart."""
    one, other = (Record.opened("a.jpg", SOURCE, None, "colornet") for _ in range(2))
    assert instance(one) != instance(other)
    assert instance(Record.from_json(one.to_json())) == instance(one)
