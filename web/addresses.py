"""Where a browser finds the pictures: signed addresses, good for an hour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.contract.settings import Settings
from web.wishes import SUFFIXES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LASTING_SECONDS = 60 * 60


@dataclass(frozen=True)
class Addresses:
    s3: S3Client
    settings: Settings

    def original(self, key: str) -> str:
        return self._signed(self.settings.uploads_bucket, key)

    def colored(self, key: str) -> str:
        return self._signed(self.settings.results_bucket, key)

    def download(self, key: str, filename: str) -> str:
        """The colored picture as a file of that name."""
        plain = filename.encode("ascii", "replace").decode().translate(_UNQUOTABLE)
        named = f"filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
        return self._signed(
            self.settings.results_bucket, key, ResponseContentDisposition=f"attachment; {named}"
        )

    def _signed(self, bucket: str, key: str, **params: str) -> str:
        return self.s3.generate_presigned_url(
            "get_object",
            Params={"Bucket": bucket, "Key": key, **params},
            ExpiresIn=LASTING_SECONDS,
        )


def colored_name(filename: str, content_type: str | None) -> str:
    """``grandma.jpg`` is downloaded as ``grandma-color.jpg``; the suffix follows the result."""
    path = PurePosixPath(filename)
    suffix = path.suffix
    if content_type and SUFFIXES.get(suffix.lower()) != content_type:
        suffix = next((s for s, kind in SUFFIXES.items() if kind == content_type), suffix)
    return f"{path.stem}-color{suffix}"


_UNQUOTABLE = str.maketrans({'"': "_", "\\": "_", "?": "_", "%": "_"})
