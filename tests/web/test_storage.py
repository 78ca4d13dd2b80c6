from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from web.storage import browser_origins, s3_client


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("us-east-1", ""),
        ("eu-central-1", ""),
        ("cn-north-1", ""),
        ("us-east-1", "http://127.0.0.1:9000"),
        ("eu-central-1", "http://localhost:9000"),
        ("us-east-1", "https://minio.example.org"),
    ],
)
def test_the_policy_covers_what_is_signed(
    monkeypatch: pytest.MonkeyPatch, region: str, endpoint: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    if not endpoint:
        monkeypatch.delenv("AWS_ENDPOINT_URL")
    s3 = s3_client()
    for signed in (
        s3.generate_presigned_post("photos", "a")["url"],
        s3.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "a"}),
    ):
        scheme, host, *_ = urlsplit(signed)
        assert f"{scheme}://{host}" in browser_origins(s3, ["photos"])
        # The global endpoint redirects to the region's, which ends a cross-origin upload.
        assert region in host or endpoint
