"""What a visitor asks for when about to upload a photograph, checked."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from functions.contract.manifest import Manifest
from web.problems import Problem

ACCEPTED = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WebP",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
}
MAX_NAME_BYTES = 255


@dataclass(frozen=True)
class Wish:
    filename: str
    content_type: str
    strategy: str

    @classmethod
    def parse(cls, data: Any, manifest: Manifest, max_bytes: int) -> Wish:
        """Raises the :class:`Problem` that tells the visitor what cannot be."""
        if not isinstance(data, dict):
            raise _invalid("The request must be a JSON object.")
        filename = _filename(data.get("filename"))
        content_type = data.get("content_type")
        if not isinstance(content_type, str) or content_type not in ACCEPTED:
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported-type",
                f"{filename} is not of a kind that can be colored: {listing()}.",
            )
        _check_size(data.get("size"), filename, max_bytes)
        return cls(filename, content_type, _strategy(data.get("strategy"), manifest))


def listing() -> str:
    """The accepted kinds in words: ``JPEG, PNG or WebP``."""
    *others, last = ACCEPTED.values()
    return f"{', '.join(others)} or {last}"


def megabytes(count: int) -> str:
    return f"{count / 2**20:.4g} MB"


def _filename(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise _invalid("A photograph needs a filename.")
    # "${filename}": S3 replaces it, and botocore then signs a prefix instead of the exact key.
    # Cc and Cs are control characters and halves of surrogate pairs: not for keys.
    forbidden = (
        name in {".", ".."}
        or "/" in name
        or "\\" in name
        or "${filename}" in name
        or any(unicodedata.category(character) in {"Cc", "Cs"} for character in name)
    )
    if forbidden:
        raise _invalid(
            "This file name cannot be used: it must not hold slashes, control characters or"
            " ${filename}. Rename the file and choose it again."
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise _invalid(
            f"The file name is longer than {MAX_NAME_BYTES} bytes."
            " Give the file a shorter one and choose it again."
        )
    return name


def _check_size(size: Any, filename: str, max_bytes: int) -> None:
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _invalid("The size of a photograph is its number of bytes.")
    if size == 0:
        raise _invalid(f"{filename} is empty.")
    if size > max_bytes:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too-large",
            f"{filename} has {megabytes(size)}; up to {megabytes(max_bytes)} can be colored.",
        )


def _strategy(name: Any, manifest: Manifest) -> str:
    card = manifest.strategies.get(name) if isinstance(name, str) else None
    if not isinstance(name, str) or card is None:
        names = ", ".join(manifest.strategies)
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "unknown-strategy",
            f"There is no strategy of that name. There are: {names}.",
        )
    if not card.get("ready"):
        raise Problem(
            HTTPStatus.CONFLICT,
            "strategy-not-ready",
            card.get("problem") or f"The strategy {name} is not ready.",
        )
    return name


def _invalid(sentence: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", sentence)
