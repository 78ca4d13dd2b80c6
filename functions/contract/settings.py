"""Where things are, as the environment says."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The buckets and queues of one deployment, and its number for a worker that it woke.

    Endpoints and credentials are boto3's own business (``AWS_ENDPOINT_URL`` and its like).
    """

    uploads_bucket: str
    results_bucket: str
    work_queue_url: str
    max_upload_bytes: int
    deployment: int = 0

    @classmethod
    def from_environment(cls) -> Settings:
        get = os.environ.get
        return cls(
            uploads_bucket=get("DEEPCOLOR_UPLOADS_BUCKET", "deepcolor-uploads"),
            results_bucket=get("DEEPCOLOR_RESULTS_BUCKET", "deepcolor-results"),
            work_queue_url=get("DEEPCOLOR_WORK_QUEUE_URL", ""),
            max_upload_bytes=int(get("DEEPCOLOR_MAX_UPLOAD_BYTES", str(100 * 2**20))),
            deployment=int(get("DEEPCOLOR_DEPLOYMENT", "0")),
        )
