from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.web.conftest import MakeSite, Wish

OWN = [
    {},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"origin": "http://testserver"},
    # Behind a proxy the host may be another; a browser's own word counts more.
    {"origin": "https://color.example.org", "sec-fetch-site": "same-origin"},
]
OTHERS = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
    {"origin": "https://evil.example.org"},
    {"origin": "http://testserver.example.org"},
    {"origin": "http://eviltestserver"},
    {"origin": "http://testserver:8080"},
    {"origin": "http://["},
    {"origin": "null"},
]


@pytest.mark.parametrize("headers", OWN)
def test_the_page_itself(visitor: TestClient, wish: Wish, headers: dict[str, str]) -> None:
    created = visitor.post("/api/images", json=wish, headers=headers)
    assert created.status_code == 201
    deleted = visitor.delete(created.headers["location"], headers=headers)
    assert deleted.status_code == 204
    assert visitor.get("/upload?strategy=painter", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", OTHERS)
def test_another_site(visitor: TestClient, wish: Wish, headers: dict[str, str]) -> None:
    url = visitor.post("/api/images", json=wish).headers["location"]
    image_id = url.rpartition("/")[2]
    for answer in (
        visitor.post("/api/images", json=wish, headers=headers),
        visitor.post(f"{url}/recolor", json={}, headers=headers),
        visitor.delete(url, headers=headers),
        visitor.post(f"/photographs/{image_id}/delete", headers=headers),
        visitor.post(f"/photographs/{image_id}/recolor", headers=headers),
        visitor.get("/upload?strategy=painter", headers=headers),  # whose form begins an upload
    ):
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:deepcolor:problem:another-site"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert [each["id"] for each in visitor.get("/api/images").json()["images"]] == [image_id]


@pytest.mark.parametrize("headers", OTHERS)
def test_links_from_elsewhere_lead_here(visitor: TestClient, headers: dict[str, str]) -> None:
    assert visitor.get("/", headers=headers).status_code == 200


def test_the_origin_that_visitors_know(
    make_site: MakeSite, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a proxy asks by a name of its own, older browsers name only the site's."""
    monkeypatch.setenv("DEEPCOLOR_PAGE_ORIGIN", "https://color.example.org")
    visitor = make_site().client()
    for origin, status in (
        ("https://color.example.org", 201),
        ("http://color.example.org", 403),
        ("https://color.example.org.evil.example", 403),
        ("null", 403),
    ):
        answer = visitor.post("/api/images", json=wish, headers={"origin": origin})
        assert answer.status_code == status, origin


def test_people_are_told_on_a_page(visitor: TestClient) -> None:
    headers = {"sec-fetch-site": "cross-site", "accept": "text/html", "accept-language": "de"}
    answer = visitor.post("/photographs/x/delete", headers=headers)
    assert answer.status_code == 403
    assert "Eine andere Website hat diese Anfrage geschickt." in answer.text
