from __future__ import annotations

import pytest
from moto.sqs.models import SQSBackend

from infra.local.object_store import is_kept

DAY = 24 * 3600


@pytest.mark.parametrize(("days", "told"), [(0, True), (1, True), (3, False)])
def test_messages_are_kept_for_as_long_as_moto_keeps_them(days: int, told: bool) -> None:
    backend = SQSBackend("us-east-1", "123456789012")
    backend.create_queue("work", None, MessageRetentionPeriod=2 * DAY)
    message = backend.send_message("work", "a photograph")
    assert message.sent_timestamp is not None
    message.sent_timestamp -= days * DAY * 1000
    assert is_kept(backend, "work", message) is told
    assert backend.is_message_valid_based_on_retention_period("work", message) is told
