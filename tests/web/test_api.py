from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from functions.contract.records import Status
from web import photographs

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.web.conftest import MakeSite, Site, Wish


def is_problem(answer: Any, status: int, code: str) -> bool:
    """Whether it is RFC 9457's, with a sentence."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["detail"].endswith(".")
    assert body["title"]
    assert (answer.status_code, body["status"]) == (status, status)
    return bool(body["type"] == f"urn:deepcolor:problem:{code}")


def test_strategies(visitor: TestClient) -> None:
    answer = visitor.get("/api/strategies").json()
    assert answer["default"] == "colornet"
    assert [(each["name"], each["ready"]) for each in answer["strategies"]] == [
        ("colornet", True),
        ("painter", True),
        ("richzhang", False),
    ]
    assert "connect to the internet" in answer["strategies"][2]["problem"].lower()
    assert "weights" not in answer["strategies"][0]


def test_before_any_worker(make_site: MakeSite, wish: Wish) -> None:
    site = make_site(published=False)
    client = site.client()
    for answer in (client.get("/api/strategies"), client.post("/api/images", json=wish)):
        assert is_problem(answer, 503, "no-strategies-yet")
        assert int(answer.headers["retry-after"]) > 0
    site.publish()
    assert client.get("/api/strategies").status_code == 200


def test_the_signed_form_allows_exactly_this_photograph(
    visitor: TestClient, site: Site, wish: Wish
) -> None:
    answer = visitor.post("/api/images", json=wish | {"filename": "Oma & Opa 1912.jpg"})
    created = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/images/{created['id']}"
    fields = created["upload"]["fields"]
    web, visitor_id, image_id, filename = fields["key"].split("/")
    assert (web, image_id, filename) == ("web", created["id"], "Oma & Opa 1912.jpg")
    assert visitor_id == visitor.cookies["deepcolor_visitor"].split(".")[0]

    conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    for condition in [
        {"Content-Type": "image/jpeg"},
        {"x-amz-meta-strategy": "colornet"},
        {"x-amz-meta-correlation-id": created["id"]},
        ["content-length-range", 1, 2**20],
        {"bucket": site.uploads},
        {"key": fields["key"]},
    ]:
        assert condition in conditions
    assert {name for each in conditions if isinstance(each, dict) for name in each} == {
        *("Content-Type", "x-amz-meta-strategy", "x-amz-meta-correlation-id", "bucket", "key"),
        *("x-amz-algorithm", "x-amz-credential", "x-amz-date"),
    }


def test_the_signed_form_expires_in_ten_minutes(visitor: TestClient, wish: Wish) -> None:
    fields = visitor.post("/api/images", json=wish).json()["upload"]["fields"]
    expiration = json.loads(base64.b64decode(fields["policy"]))["expiration"]
    left = datetime.fromisoformat(expiration) - datetime.now(UTC)
    assert 590 < left.total_seconds() <= 600


def test_from_waiting_to_done(
    visitor: TestClient, site: Site, wish: Wish, gray_jpeg: bytes, colored_jpeg: bytes
) -> None:
    created = visitor.post("/api/images", json=wish).json()
    url = f"/api/images/{created['id']}"
    waiting = visitor.get(url).json()
    assert waiting["status"] == "waiting"
    assert waiting["filename"] == "grandma.jpg"
    assert waiting["strategy"] == "colornet"
    assert [waiting[name] for name in ("original_url", "colored_url", "download_url")] == [None] * 3

    key = site.send(created, gray_jpeg)
    head = site.s3.head_object(Bucket=site.uploads, Key=key)
    assert head["ContentType"] == "image/jpeg"
    assert head["Metadata"] == {"strategy": "colornet", "correlation-id": created["id"]}

    for status in (Status.QUEUED, Status.RUNNING):
        site.record(key, status)
        underway = visitor.get(url).json()
        assert underway["status"] == status
        assert underway["colored_url"] is None
        assert httpx2.get(underway["original_url"]).content == gray_jpeg

    site.color(key, colored_jpeg)
    done = visitor.get(url).json()
    assert done["status"] == "done"
    assert (done["width"], done["height"]) == (320, 240)
    assert set(done["timings"]["times"]) >= {"done"}
    assert done["timings"]["milliseconds"] == {"color": 12.5}
    assert httpx2.get(done["colored_url"]).content == colored_jpeg
    download = httpx2.get(done["download_url"])
    assert download.content == colored_jpeg
    assert download.headers["content-disposition"].startswith('attachment; filename="grandma-color')


def test_a_failure_is_told_in_a_sentence(
    visitor: TestClient, site: Site, uploaded: tuple[str, str]
) -> None:
    image_id, key = uploaded
    site.fail(key, "grandma.jpg is not an image.")
    answer = visitor.get(f"/api/images/{image_id}").json()
    assert answer["status"] == "failed"
    assert answer["error"] == {"code": "not_an_image", "message": "grandma.jpg is not an image."}
    assert answer["colored_url"] is None


def test_nobody_sees_anothers(site: Site, visitor: TestClient, uploaded: tuple[str, str]) -> None:
    image_id, _ = uploaded
    known_stranger = site.client()
    known_stranger.get("/")
    for stranger in (site.client(), known_stranger):
        assert is_problem(stranger.get(f"/api/images/{image_id}"), 404, "no-photograph")
        assert stranger.get("/api/images").json() == {"images": [], "next": None}
    forger = site.client()
    name, _, signature = visitor.cookies["deepcolor_visitor"].partition(".")
    forger.cookies["deepcolor_visitor"] = f"{name}.{signature[::-1]}"
    assert forger.get(f"/api/images/{image_id}").status_code == 404


@pytest.mark.parametrize("image_id", ["x", "0" * 26, "..%2Fother", "%00", "%F0%9F%91%B5"])
def test_no_such_photograph(visitor: TestClient, image_id: str) -> None:
    visitor.get("/")
    assert visitor.get(f"/api/images/{image_id}").status_code == 404


def test_the_album_is_newest_first_in_pages(
    site: Site, visitor: TestClient, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, "PAGE_LENGTH", 2)
    ids = [visitor.post("/api/images", json=wish).json()["id"] for _ in range(5)]
    found, url = [], "/api/images"
    while True:
        page = visitor.get(url).json()
        assert len(page["images"]) <= 2
        found += [image["id"] for image in page["images"]]
        if page["next"] is None:
            break
        url = f"/api/images?after={page['next']}"
    assert sorted(ids) == found


def test_after_nonsense(visitor: TestClient) -> None:
    assert is_problem(visitor.get("/api/images?after=../x"), 422, "invalid")


def test_an_upload_that_never_came(
    visitor: TestClient,
    site: Site,
    wish: Wish,
    gray_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = visitor.post("/api/images", json=wish).json()
    came = visitor.post("/api/images", json=wish).json()
    site.send(came, gray_jpeg)
    monkeypatch.setattr(photographs, "UPLOAD_SECONDS", -1)
    answer = visitor.get(f"/api/images/{lost['id']}").json()
    assert (answer["status"], answer["error"]["code"]) == ("failed", "never_arrived")
    assert visitor.get(f"/api/images/{came['id']}").json()["status"] == "waiting"
    assert [each["id"] for each in visitor.get("/api/images").json()["images"]] == [came["id"]]


def test_only_json_is_taken(visitor: TestClient, wish: Wish) -> None:
    """Another site's form could post anything else in the visitor's name."""
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = visitor.post(
            "/api/images", content=json.dumps(wish), headers={"content-type": content_type}
        )
        assert is_problem(answer, 415, "not-json")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000])
def test_broken_json(visitor: TestClient, body: bytes) -> None:
    answer = visitor.post("/api/images", content=body, headers={"content-type": "application/json"})
    assert is_problem(answer, 400, "not-json")


def test_a_body_without_end(visitor: TestClient, wish: Wish) -> None:
    answer = visitor.post("/api/images", json=wish | {"more": "x" * 20_000})
    assert is_problem(answer, 413, "request-too-large")


def test_a_refused_wish_leaves_nothing(visitor: TestClient, wish: Wish) -> None:
    answer = visitor.post("/api/images", json=wish | {"content_type": "text/html"})
    assert is_problem(answer, 415, "unsupported-type")
    assert visitor.get("/api/images").json()["images"] == []


def test_the_name_may_be_in_any_script(
    visitor: TestClient, site: Site, wish: Wish, gray_jpeg: bytes, colored_jpeg: bytes
) -> None:
    name = 'Großmutter "Elsa" 100% おばあさん.jpg'
    created = visitor.post("/api/images", json=wish | {"filename": name}).json()
    site.color(site.send(created, gray_jpeg), colored_jpeg)
    done = visitor.get(f"/api/images/{created['id']}").json()
    assert done["filename"] == name
    assert httpx2.get(done["colored_url"]).content == colored_jpeg
    download = httpx2.get(done["download_url"])
    assert download.status_code == 200
    disposition = download.headers["content-disposition"]
    assert "filename*=UTF-8''Gro%C3%9Fmutter%20%22Elsa%22%20100%25%20" in disposition
    assert 'filename="Gro_mutter _Elsa_ 100_' in disposition
