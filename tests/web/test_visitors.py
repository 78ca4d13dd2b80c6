from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from itsdangerous import Signer
from starlette.requests import Request
from starlette.testclient import TestClient

from web.visitors import Visitors

if TYPE_CHECKING:
    from tests.web.conftest import Site


def test_the_cookie(visitor: TestClient) -> None:
    cookie = visitor.get("/").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie


def test_the_cookie_is_secure_where_the_page_is(site: Site) -> None:
    secure = TestClient(site.app, base_url="https://testserver")
    cookie = secure.get("/").headers["set-cookie"]
    assert "secure" in cookie.lower()
    assert cookie.startswith("__Host-deepcolor_visitor=")  # no other host of the domain can set it
    assert "domain" not in cookie.lower()
    first = secure.cookies["__Host-deepcolor_visitor"]
    secure.get("/")
    assert secure.cookies["__Host-deepcolor_visitor"] == first


def test_a_visitor_stays_the_same(visitor: TestClient) -> None:
    visitor.get("/")
    first = visitor.cookies["deepcolor_visitor"]
    visitor.get("/")
    assert visitor.cookies["deepcolor_visitor"] == first


def test_visitors_differ(site: Site) -> None:
    cookies = set()
    for client in (site.client(), site.client()):
        client.get("/")
        cookies.add(client.cookies["deepcolor_visitor"])
    assert len(cookies) == 2


@pytest.mark.parametrize("cookie", ["", "x", "00000000000000000000000000.x", "..", "a.b.c"])
def test_forged_cookies_are_nobodys(site: Site, cookie: str) -> None:
    client = site.client()
    client.cookies["deepcolor_visitor"] = cookie
    assert client.get("/api/images").json()["images"] == []
    assert client.get("/").status_code == 200


def test_another_secret_knows_nobody() -> None:
    request = Request(
        {
            "type": "http",
            "path": "/",
            "headers": [(b"cookie", b"deepcolor_visitor=" + Signer("one").sign("me"))],
        }
    )
    assert Visitors(Signer("one")).known(request) == "me"
    assert Visitors(Signer("another")).known(request) is None


def test_the_cookie_outlives_the_browser(visitor: TestClient) -> None:
    assert "max-age=31536000" in visitor.get("/").headers["set-cookie"].lower()
