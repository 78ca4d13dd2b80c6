from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def event(method: str, path: str) -> dict[str, Any]:
    """As a function URL sends it."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "abc.lambda-url.eu-central-1.on.aws", "x-forwarded-proto": "https"},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "192.0.2.1"}},
        "body": None,
        "isBase64Encoded": False,
    }


@pytest.fixture
def handler(
    monkeypatch: pytest.MonkeyPatch, s3_endpoint: str
) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("DEEPCOLOR_WEB_SECRET", "a secret of the tests")
    module = importlib.import_module("web.lambda_handler")
    return module.handler


def test_function_url_events(handler: Callable[..., dict[str, Any]]) -> None:
    health = handler(event("GET", "/health"), None)
    assert (health["statusCode"], json.loads(health["body"])) == (200, {"status": "ok"})
    page = handler(event("GET", "/"), None)
    assert page["statusCode"] == 200
    assert page["headers"]["content-type"].startswith("text/html")
    assert "secure" in str(page["cookies"]).lower()
    assert handler(event("GET", "/nothing"), None)["statusCode"] == 404
