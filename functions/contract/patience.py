"""How long a function waits for AWS: it must end by itself before its own time is over."""

from __future__ import annotations

from botocore.config import Config

BRIEF = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}
)
"""No call takes longer than half of the time that template.yaml gives a function."""
