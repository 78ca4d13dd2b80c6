"""The names of objects: which strategy an upload asks for, and where its record and result lie."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container

MANIFEST_KEY = "strategies.json"
WORKERS_KEY = "workers.json"  # the register of the workers that were woken
RECORDS_PREFIX = "records/"
WEB_PREFIX = "web/"
VISITORS_PREFIX = "visitors/"  # the page's notes on who uploaded what
MAX_KEY_BYTES = 1024  # of S3
_ID = "([0-9a-z]{26})"
_OF_PAGE = re.compile(f"{WEB_PREFIX}{_ID}/{_ID}/[^/]+")


def record_key(upload_key: str) -> str:
    """Where the record of an upload lies: ``records/<upload key>.json`` in the results bucket.

    An upload key too long for that is named by its sha256 instead.
    """
    key = f"{RECORDS_PREFIX}{upload_key}.json"
    if len(key.encode()) <= MAX_KEY_BYTES:
        return key
    return f"{RECORDS_PREFIX}{hashlib.sha256(upload_key.encode()).hexdigest()}.json"


def is_reserved(upload_key: str) -> bool:
    """Whether a result under this key would overwrite what deepcolor itself keeps there."""
    own = {MANIFEST_KEY, WORKERS_KEY}
    return upload_key in own or upload_key.startswith((RECORDS_PREFIX, VISITORS_PREFIX))


def is_folder_marker(upload_key: str) -> bool:
    """Whether the key is only the placeholder that consoles make for an empty folder."""
    return upload_key.endswith("/")


def strategy_in(upload_key: str, strategies: Container[str]) -> str | None:
    """The strategy that the key's first segment names, if it names one."""
    first, slash, _ = upload_key.partition("/")
    return first if slash and first in strategies else None


def web_key(owner: str, image_id: str, filename: str) -> str:
    """Where the page uploads: ``web/<owner>/<image id>/<file name>``."""
    return f"{WEB_PREFIX}{owner}/{image_id}/{filename}"


def note_key(owner: str, image_id: str) -> str:
    """Where the page notes what it knows of an upload, in the results bucket."""
    return f"{VISITORS_PREFIX}{owner}/{image_id}.json"


def note_of(upload_key: str) -> str | None:
    """Where the note on an upload of the page's lies; ``None`` for any other upload."""
    told = _OF_PAGE.fullmatch(upload_key)
    return note_key(*told.groups()) if told else None
