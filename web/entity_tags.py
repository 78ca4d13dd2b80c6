"""Entity tags of what is told of photographs: whoever has an answer is not sent it again."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from web.addresses import LASTING_SECONDS

FRESH_SECONDS = LASTING_SECONDS // 2  # after which a page is given new addresses of the pictures


def entity_tag(content: Any) -> str:
    """Changes with the content, and once in :data:`FRESH_SECONDS` for new addresses of pictures.

    Weak, for the addresses are signed anew each time: only what they lead to counts.
    """
    text = json.dumps([_lasting(content), int(time.time() // FRESH_SECONDS)])
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def is_held(tag: str, if_none_match: str) -> bool:
    """Whether the header names the tag: by weak comparison, as RFC 9110 has it for GET."""
    held = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in held or tag.removeprefix("W/") in held


def _lasting(content: Any) -> Any:
    """The content, its addresses without their signatures."""
    if isinstance(content, list):
        return [_lasting(each) for each in content]
    if isinstance(content, dict):
        return {
            name: value.partition("?")[0] if value and name.endswith("_url") else _lasting(value)
            for name, value in content.items()
        }
    return content
