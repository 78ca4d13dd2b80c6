"""The style sheet, the scripts and the drawings, under an address that changes with them."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

DIRECTORY = Path(__file__).parent / "static"
YEAR_SECONDS = 365 * 24 * 3600

mimetypes.add_type("image/webp", ".webp")  # which Python knows by itself only from 3.13 on


@dataclass(frozen=True)
class Assets:
    url: str
    app: StaticFiles

    @classmethod
    def of_this_package(cls) -> Assets:
        """The assets below ``/static/<digest of them all>``.

        Not by time and size, as ETags are: every file that SAM packs is of the same age.
        """
        digest = hashlib.sha256()
        for path in sorted(path for path in DIRECTORY.rglob("*") if path.is_file()):
            name = path.relative_to(DIRECTORY).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes())
        return cls(f"/static/{digest.hexdigest()[:12]}", Immutable(directory=DIRECTORY))


class Immutable(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        return response
