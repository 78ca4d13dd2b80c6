"""Entity tags of photographs: whoever has an answer already is not sent it again."""

from __future__ import annotations

import hashlib
import json
import time

from web.addresses import LASTING_SECONDS
from web.photographs import View

FRESH_SECONDS = LASTING_SECONDS // 2  # after which a page is given new addresses of the pictures


def entity_tag(view: View) -> str:
    """Changes with the view, and once in :data:`FRESH_SECONDS` for new addresses of the pictures.

    Weak, for the addresses are signed anew each time: only what they lead to counts.
    """
    lasting = {
        name: value.partition("?")[0] if value and name.endswith("_url") else value
        for name, value in view.items()
    }
    text = json.dumps([lasting, int(time.time() // FRESH_SECONDS)])
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def is_held(tag: str, if_none_match: str) -> bool:
    """Whether the header names the tag: by weak comparison, as RFC 9110 has it for GET."""
    held = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in held or tag.removeprefix("W/") in held
