"""Ids of photographs and visitors: Crockford's base32 in lower case, whose order is that of ASCII.

A photograph's id begins with the time that is left until the end of the count, so that S3, which
lists in ascending order only, lists the newest first.
"""

from __future__ import annotations

import re
import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
TIME_DIGITS = 10  # 50 bits of milliseconds last 35,000 years
RANDOM_DIGITS = 16  # 80 bits
END_MILLISECONDS = (1 << 5 * TIME_DIGITS) - 1

_PATTERN = re.compile(f"[{ALPHABET}]{{{TIME_DIGITS + RANDOM_DIGITS}}}")


def image_id() -> str:
    left = END_MILLISECONDS - time.time_ns() // 1_000_000
    digits = (ALPHABET[left >> 5 * place & 31] for place in reversed(range(TIME_DIGITS)))
    return "".join(digits) + _random(RANDOM_DIGITS)


def random_id() -> str:
    return _random(TIME_DIGITS + RANDOM_DIGITS)


def is_id(text: str) -> bool:
    return _PATTERN.fullmatch(text) is not None


def created_seconds(image_id: str) -> float:
    """When the id was made, in seconds since 1970."""
    left = 0
    for digit in image_id[:TIME_DIGITS]:
        left = left * 32 + ALPHABET.index(digit)
    return (END_MILLISECONDS - left) / 1000


def _random(digits: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(digits))
