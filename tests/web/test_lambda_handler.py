"""The page behind a function URL: events of its payload format 2.0 go in, its answers come out."""

from __future__ import annotations

import base64
import copy
import gzip
import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from web import assets

if TYPE_CHECKING:
    from tests.web.conftest import MakeSite, Site, Wish

EVENT: dict[str, Any] = json.loads(
    (Path(__file__).parent / "events" / "function_url.json").read_text()
)
FETCH = {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"}
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class FunctionUrl:
    """A visitor's browser and the function URL between it and the handler."""

    handler: Callable[[dict[str, Any], object], dict[str, Any]]
    cookies: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        method: str,
        path: str,
        *,
        body: str | None = None,
        is_base64: bool = False,
        **headers: str,
    ) -> dict[str, Any]:
        event = copy.deepcopy(EVENT)
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["requestContext"]["http"]["method"] = method
        event["headers"] |= headers
        event["cookies"] += [f"{name}={value}" for name, value in self.cookies.items()]
        if body is not None:
            event |= {"body": body, "isBase64Encoded": is_base64}
        answer = self.handler(event, object())
        for cookie in answer.get("cookies", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        json.dumps(answer)  # as the Lambda runtime sends it
        if answer["headers"].get("content-encoding") == "gzip":
            content = gzip.decompress(base64.b64decode(answer["body"])).decode()
            answer |= {"body": content, "isBase64Encoded": False}
        return answer


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    return make_site()


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, s3_endpoint: str, site: Site) -> FunctionUrl:
    for name, value in {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DEEPCOLOR_WEB_SECRET": "a secret of the tests",
        "DEEPCOLOR_UPLOADS_BUCKET": site.uploads,
        "DEEPCOLOR_RESULTS_BUCKET": site.results,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "web.lambda_handler", raising=False)
    return FunctionUrl(importlib.import_module("web.lambda_handler").handler)


def created(ask: FunctionUrl, wish: Wish) -> dict[str, Any]:
    answer = ask("POST", "/api/images", body=json.dumps(wish), **JSON, **FETCH)
    assert answer["statusCode"] == 201
    return json.loads(answer["body"])


def test_the_page_and_what_is_not_there(ask: FunctionUrl) -> None:
    page = ask("GET", "/")
    assert page["statusCode"] == 200
    assert page["headers"]["content-type"].startswith("text/html")
    assert page["headers"]["content-encoding"] == "gzip"
    assert page["isBase64Encoded"] is False
    assert "default-src 'none'" in page["headers"]["content-security-policy"]
    assert ask("GET", "/nothing")["statusCode"] == 404
    assert json.loads(ask("GET", "/health")["body"]) == {"status": "ok"}


def test_cookies_go_both_ways(ask: FunctionUrl, wish: Wish) -> None:
    cookie = next(each for each in ask("GET", "/")["cookies"] if "visitor" in each).lower()
    assert {"secure", "httponly", "samesite=lax"} <= set(cookie.split("; "))
    image_id = created(ask, wish)["id"]
    assert ask("GET", f"/api/images/{image_id}")["statusCode"] == 200
    assert FunctionUrl(ask.handler)("GET", f"/api/images/{image_id}")["statusCode"] == 404


def test_a_conditional_get(ask: FunctionUrl, wish: Wish) -> None:
    url = f"/api/images/{created(ask, wish)['id']}"
    tag = ask("GET", url, **FETCH)["headers"]["etag"]
    answer = ask("GET", url, **FETCH, **{"if-none-match": tag})
    assert (answer["statusCode"], answer["body"]) == (304, "")
    assert answer["headers"]["etag"] == tag


def test_delete(ask: FunctionUrl, wish: Wish) -> None:
    url = f"/api/images/{created(ask, wish)['id']}"
    abroad = ask("DELETE", url, **FETCH | {"sec-fetch-site": "cross-site"})
    assert abroad["statusCode"] == 403
    answer = ask("DELETE", url, **FETCH)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert ask("GET", url)["statusCode"] == 404


def test_a_form_comes_encoded(ask: FunctionUrl, wish: Wish, site: Site, gray_jpeg: bytes) -> None:
    """Function URLs take any body that is not text or JSON for a binary one."""
    photograph = created(ask, wish)
    site.send(photograph, gray_jpeg)
    url = f"/photographs/{photograph['id']}"
    assert ask("GET", url)["statusCode"] == 200
    body = base64.b64encode(b"strategy=painter").decode()
    answer = ask("POST", f"{url}/recolor", body=body, is_base64=True, **FORM, **FETCH)
    assert (answer["statusCode"], answer["headers"]["location"]) == (303, url)
    view = json.loads(ask("GET", f"/api/images/{photograph['id']}")["body"])
    assert view["strategy"] == "painter"
    assert ask("POST", f"{url}/delete", **FORM, **FETCH)["statusCode"] == 303
    assert ask("GET", url)["statusCode"] == 404


def test_assets(ask: FunctionUrl) -> None:
    below = assets.Assets.of_this_package().url
    picture = next(assets.DIRECTORY.rglob("*.webp"))
    name = picture.relative_to(assets.DIRECTORY).as_posix()
    answer = ask("GET", f"{below}/{name}")
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert answer["headers"]["content-type"] == "image/webp"
    assert base64.b64decode(answer["body"]) == picture.read_bytes()
    style = ask("GET", f"{below}/page.css")
    assert style["isBase64Encoded"] is False
    assert style["body"] == (assets.DIRECTORY / "page.css").read_text()
