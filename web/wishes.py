"""What a visitor asks for when about to upload a photograph, checked."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Any

from functions.contract.manifest import Manifest
from web.bodies import whole
from web.coloring import Coloring
from web.problems import Problem, invalid, unprocessable
from web.words import Words

ACCEPTED = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WebP",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
    "image/heic": "HEIC",
    "image/heif": "HEIC",
}
SUFFIXES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
}
MAX_NAME_BYTES = 255
MAX_SIZE = 2**53 - 1  # the largest whole number that every JSON parser keeps
# Control characters and halves of surrogate pairs, and what no answer of S3, in XML, can repeat.
UNUSABLE_CATEGORIES = {"Cc", "Cs"}
UNUSABLE = {"/", "\\", "\ufffe", "\uffff"}

MEMBERS_OF_COLORING = ("strategy", "knobs", "hints")
MEMBERS = ("filename", "content_type", "size", *MEMBERS_OF_COLORING)
MEMBERS_OF_RECOLORING = (*MEMBERS_OF_COLORING, "beside")

_ENGLISH = Words.of("en")  # which the API's sentences are in


@dataclass(frozen=True)
class Wish:
    filename: str
    content_type: str
    coloring: Coloring

    @classmethod
    def parse(cls, data: dict[str, Any], manifest: Manifest, max_bytes: int) -> Wish:
        """Raises the :class:`Problem` that tells the visitor what cannot be."""
        refuse_others(data, MEMBERS)
        filename = _filename(data.get("filename"))
        content_type = _content_type(data.get("content_type", ""), filename)
        _check_size(data.get("size"), filename, max_bytes)
        return cls(filename, content_type, Coloring.parse(data, manifest))

    @classmethod
    def unseen(cls, fields: Mapping[str, str], manifest: Manifest, filename: str) -> Wish:
        """For a form that is sent without a script: nobody can tell beforehand what is in it.

        Raises :class:`Problem`.
        """
        return cls(filename, "application/octet-stream", Coloring.of_form(fields, manifest))


def refuse_others(data: Iterable[str], members: Collection[str]) -> None:
    """Raises :class:`Problem`: what is misspelt would otherwise seem to be left out."""
    for name in data:
        if name not in members:
            raise invalid(
                f"The request has a member named {name!r:.60}, which means nothing here."
                f" It may have: {', '.join(members)}."
            )


def kinds() -> list[str]:
    """What people call the accepted kinds, each once."""
    return list(dict.fromkeys(ACCEPTED.values()))


def accept() -> str:
    """The accepted kinds as an input takes them: by suffix too, for some systems know no type."""
    return ",".join([*ACCEPTED, *SUFFIXES])


def _filename(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise invalid("A photograph needs a filename.")
    if name in {".", ".."} or any(map(_is_unusable, name)):
        raise _unusable(
            "This file name cannot be used: it must not hold slashes, control characters or"
            " what is no character."
            " Rename the file and choose it again."
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise _unusable(
            f"The file name is longer than {MAX_NAME_BYTES} bytes."
            " Give the file a shorter one and choose it again."
        )
    return name


def _is_unusable(character: str) -> bool:
    """Whether a key had better not hold it."""
    return character in UNUSABLE or unicodedata.category(character) in UNUSABLE_CATEGORIES


def _content_type(said: Any, filename: str) -> str:
    """What the browser said; where its system knows no type for the file, what the name says."""
    by_name = SUFFIXES.get(PurePosixPath(filename).suffix.lower())
    content_type = by_name if said == "" else said
    if isinstance(content_type, str) and content_type in ACCEPTED:
        return content_type
    sentence = f"{filename} is not of a kind that can be colored: {_ENGLISH.listing(kinds())}."
    if by_name is not None:
        known = ", ".join(ACCEPTED)
        sentence = f"The content_type of {filename} may be left out, or be one of: {known}."
    raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-type", sentence)


def _check_size(size: Any, filename: str, max_bytes: int) -> None:
    count = whole(size)
    if count is None or not 0 <= count <= MAX_SIZE:
        raise invalid("The size of a photograph is its number of bytes.")
    if count == 0:
        raise invalid(f"{filename} is empty. Choose the photograph itself.")
    if count > max_bytes:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too-large",
            f"{filename} is larger than {_ENGLISH.megabytes(max_bytes)}."
            " Make it smaller and choose it again.",
        )


def _unusable(sentence: str) -> Problem:
    return unprocessable("unusable-filename", sentence)
