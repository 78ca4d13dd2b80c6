from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from web import app as web_app
from web.assets import Assets
from web.visitors import SecretMissingError
from web.words import Words

if TYPE_CHECKING:
    from tests.web.conftest import MakeSite


def test_health(visitor: TestClient) -> None:
    assert visitor.get("/health").json() == {"status": "ok"}


def test_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPCOLOR_WEB_SECRET", raising=False)
    with pytest.raises(SecretMissingError, match="DEEPCOLOR_WEB_SECRET is not set"):
        web_app.create_app()


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [("GET", "/nothing", 404), ("GET", "/static/nothing.js", 404), ("DELETE", "/api/images", 405)],
)
def test_what_is_not_there(visitor: TestClient, method: str, url: str, status: int) -> None:
    answer = visitor.request(method, url)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(("There is nothing at", "/api/images does not take"))


@pytest.mark.parametrize(
    ("url", "methods"),
    [
        ("/api/images", "GET, HEAD, POST"),
        ("/api/images/x", "DELETE, GET, HEAD"),
        (Assets.of_this_package().url + "/page.css", "GET, HEAD"),
    ],
)
def test_which_methods_an_address_takes(visitor: TestClient, url: str, methods: str) -> None:
    for method in ("PUT", "OPTIONS"):
        answer = visitor.request(method, url)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


def test_a_slash_too_many_leads_nowhere_else(visitor: TestClient) -> None:
    answer = visitor.get("/album/", headers={"host": "other.example"}, follow_redirects=False)
    assert answer.status_code == 404


def test_every_answer_is_guarded(visitor: TestClient) -> None:
    for url in ("/", "/health", "/nothing", "/api/strategies", "/api/images/x"):
        headers = visitor.get(url).headers
        assert "default-src 'none'" in headers["content-security-policy"], url
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]


def test_storage_out_of_reach(make_site: MakeSite) -> None:
    site = make_site()
    site.s3.delete_object(Bucket=site.results, Key="strategies.json")
    site.s3.delete_bucket(Bucket=site.results)
    client = site.client()
    answer = client.get("/api/strategies")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:deepcolor:problem:storage-unavailable"
    assert Words.of("en").say("page", "starting") in client.get("/").text


def test_a_crash_is_told_and_guarded(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(self: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(web_app.ManifestReader, "read", crash)
    client = TestClient(make_site().app, raise_server_exceptions=False)
    answer = client.get("/api/strategies")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_knows_no_torch() -> None:
    script = "import sys, web.app; assert not {'torch', 'deepcolor', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
