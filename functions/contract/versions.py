"""What one version of deepcolor reads of what another wrote.

Both are at work while one is deployed, and after a rollback the earlier one reads what the later
has left. So a field that is added has a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def known(kind: type[DataclassInstance], told: Mapping[str, Any]) -> dict[str, Any]:
    """What was written of a dataclass, without fields that a later version added."""
    return {field.name: told[field.name] for field in fields(kind) if field.name in told}
