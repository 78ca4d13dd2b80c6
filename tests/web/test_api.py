from __future__ import annotations

import base64
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError

from functions.contract.keys import note_of
from functions.contract.objects import head_of
from functions.contract.records import Records, Status
from web import entity_tags, open_uploads, photographs

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.web.conftest import MakeSite, Site, Wish


HINT = {"x": 120, "y": 80, "color": "#c84b31"}


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
    assert answer["strategies"][0]["training_data"] == "21,032 photographs"
    assert answer["strategies"][0]["knobs"][0]["high"] == 2
    assert [each["hints"] for each in answer["strategies"]] == [True, False, False]
    assert [each["license"]["restricted"] for each in answer["strategies"]] == [False, True, False]


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
    turned = {"knobs": {"vividness": 1.5}, "hints": [HINT]}
    answer = visitor.post("/api/images", json=wish | turned | {"filename": "Oma & Opa 1912.jpg"})
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
        {"x-amz-meta-vividness": "1.5"},
        {"x-amz-meta-hints": "120,80,#c84b31"},
        ["content-length-range", 1, 2**20],
        {"bucket": site.uploads},
        {"key": fields["key"]},
    ]:
        assert condition in conditions
    assert {name for each in conditions if isinstance(each, dict) for name in each} == {
        *("Content-Type", "x-amz-meta-strategy", "x-amz-meta-correlation-id", "bucket", "key"),
        *("x-amz-meta-vividness", "x-amz-meta-hints"),
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
    arrived = visitor.get(url).json()
    assert arrived["status"] == "waiting"
    assert httpx2.get(arrived["original_url"]).content == gray_jpeg

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


def test_several_are_asked_for_at_once(
    site: Site, visitor: TestClient, wish: Wish, uploaded: tuple[str, str], colored_jpeg: bytes
) -> None:
    image_id, key = uploaded
    other = visitor.post("/api/images", json=wish).json()["id"]
    site.color(key, colored_jpeg)
    asked = {"ids": f"{image_id},{'0' * 26},{other},{image_id}"}
    answer = visitor.get("/api/images", params=asked)
    page = answer.json()
    assert [each["id"] for each in page["images"]] == [image_id, other]
    assert [each["status"] for each in page["images"]] == ["done", "waiting"]
    assert page["next"] is None
    in_two = {"ids": [f"{image_id},{'0' * 26}", other]}
    assert visitor.get("/api/images", params=in_two).json() == page
    assert visitor.get("/api/images", params={"ids": ""}).json()["images"] == []
    held = {"if-none-match": answer.headers["etag"]}
    assert visitor.get("/api/images", params=asked, headers=held).status_code == 304
    stranger = site.client()
    assert stranger.get("/api/images", params=asked).json() == {"images": [], "next": None}
    stranger.get("/")
    assert stranger.get("/api/images", params=asked).json() == {"images": [], "next": None}


@pytest.mark.parametrize("asked", ["x", ",", "0" * 27, ",".join(["0" * 26, "../x"])])
def test_ids_that_are_none(visitor: TestClient, asked: str) -> None:
    assert is_problem(visitor.get("/api/images", params={"ids": asked}), 422, "invalid")


def test_too_many_to_ask_for_at_once(visitor: TestClient) -> None:
    many = [f"{number:026d}" for number in range(51)]
    for asked, status in ((many[1:], 200), (many, 422)):
        answer = visitor.get("/api/images", params={"ids": ",".join(asked)})
        assert answer.status_code == status


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
    monkeypatch.setattr(photographs, "UPLOAD_SECONDS", -1)  # their time is over
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


def test_knobs_and_hints_are_kept(
    visitor: TestClient, site: Site, wish: Wish, gray_jpeg: bytes, colored_jpeg: bytes
) -> None:
    turned = {"knobs": {"vividness": 1.5, "size": 512}, "hints": [HINT]}
    created = visitor.post("/api/images", json=wish | turned).json()
    waiting = visitor.get(f"/api/images/{created['id']}").json()
    assert {name: waiting[name] for name in turned} == turned
    key = site.send(created, gray_jpeg)
    assert site.s3.head_object(Bucket=site.uploads, Key=key)["Metadata"] == {
        "strategy": "colornet",
        "correlation-id": created["id"],
        "vividness": "1.5",
        "size": "512",
        "hints": "120,80,#c84b31",
    }
    site.color(key, colored_jpeg)
    done = visitor.get(f"/api/images/{created['id']}").json()
    assert done["status"] == "done"
    assert {name: done[name] for name in turned} == turned


def test_a_kind_that_the_browser_does_not_know(
    visitor: TestClient, site: Site, wish: Wish, gray_jpeg: bytes
) -> None:
    unknown = wish | {"filename": "phone.HEIC", "content_type": ""}
    created = visitor.post("/api/images", json=unknown).json()
    key = site.send(created, gray_jpeg)
    assert site.s3.head_object(Bucket=site.uploads, Key=key)["ContentType"] == "image/heic"


def test_what_has_not_changed_is_not_sent_again(
    visitor: TestClient, site: Site, uploaded: tuple[str, str], colored_jpeg: bytes
) -> None:
    image_id, key = uploaded
    url = f"/api/images/{image_id}"
    first = visitor.get(url)
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    assert first.headers["cache-control"] == "private, no-cache"
    for held in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        answer = visitor.get(url, headers={"if-none-match": held})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert answer.headers["cache-control"] == "private, no-cache"
    for held in ("", '"other"', tag.replace('"', "")):
        assert visitor.get(url, headers={"if-none-match": held}).status_code == 200
    tags = {tag}
    for status in (Status.QUEUED, Status.RUNNING):
        site.record(key, status)
        answer = visitor.get(url, headers={"if-none-match": tag})
        assert answer.status_code == 200
        tags.add(tag := answer.headers["etag"])
    site.color(key, colored_jpeg)
    tags.add(visitor.get(url, headers={"if-none-match": tag}).headers["etag"])
    assert len(tags) == 4


def test_a_page_that_keeps_asking_gets_fresh_addresses(
    visitor: TestClient,
    site: Site,
    uploaded: tuple[str, str],
    colored_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image_id, key = uploaded
    site.color(key, colored_jpeg)
    now = 3600.0 * 490_000
    monkeypatch.setattr(entity_tags.time, "time", lambda: now)
    tag = visitor.get(f"/api/images/{image_id}").headers["etag"]
    for minutes, status in ((10, 304), (29, 304), (31, 200)):
        now = 3600.0 * 490_000 + minutes * 60
        answer = visitor.get(f"/api/images/{image_id}", headers={"if-none-match": tag})
        assert answer.status_code == status


def test_a_strangers_tag_is_no_key(site: Site, visitor: TestClient, uploaded: Any) -> None:
    url = f"/api/images/{uploaded[0]}"
    tag = visitor.get(url).headers["etag"]
    stranger = site.client().get(url, headers={"if-none-match": tag})
    assert is_problem(stranger, 404, "no-photograph")


def keys(site: Site) -> set[str]:
    """All that lies in the buckets, but the manifest."""
    found = set()
    for bucket in (site.uploads, site.results):
        listed = site.s3.list_objects_v2(Bucket=bucket)
        found |= {f"{bucket}/{item['Key']}" for item in listed.get("Contents", [])}
    return found - {f"{site.results}/strategies.json"}


def test_deleting_leaves_nothing(
    make_site: MakeSite, wish: Wish, gray_jpeg: bytes, colored_jpeg: bytes
) -> None:
    site = make_site()
    visitor = site.client()
    created = visitor.post("/api/images", json=wish).json()
    site.color(site.send(created, gray_jpeg), colored_jpeg)
    assert len(keys(site)) == 4
    url = f"/api/images/{created['id']}"
    known_stranger = site.client()
    known_stranger.get("/")
    for stranger in (site.client(), known_stranger):
        assert is_problem(stranger.delete(url), 404, "no-photograph")
    assert len(keys(site)) == 4

    answer = visitor.delete(url)
    assert (answer.status_code, answer.content) == (204, b"")
    assert keys(site) == set()
    assert is_problem(visitor.get(url), 404, "no-photograph")
    assert is_problem(visitor.delete(url), 404, "no-photograph")
    assert visitor.get("/api/images").json() == {"images": [], "next": None}


def test_deleting_before_the_upload(make_site: MakeSite, wish: Wish) -> None:
    site = make_site()
    visitor = site.client()
    created = visitor.post("/api/images", json=wish)
    assert visitor.delete(created.headers["location"]).status_code == 204
    assert keys(site) == set()


@pytest.mark.parametrize("last", [1, 2, 3, 4])
def test_a_delete_that_broke_off_can_be_repeated(
    make_site: MakeSite, wish: Wish, gray_jpeg: bytes, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    site = make_site()
    visitor = site.client()
    created = visitor.post("/api/images", json=wish).json()
    site.color(site.send(created, gray_jpeg), gray_jpeg)
    url, deletes = f"/api/images/{created['id']}", itertools.count(1)
    call = BaseClient._make_api_call

    def break_off(self: BaseClient, operation: str, params: Any) -> Any:
        if operation == "DeleteObject" and next(deletes) == last:
            raise EndpointConnectionError(endpoint_url="gone")
        return call(self, operation, params)

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", break_off)
        assert is_problem(visitor.delete(url), 503, "storage-unavailable")
    assert len(keys(site)) == 5 - last
    assert visitor.delete(url).status_code == 204
    assert keys(site) == set()


def test_what_arrives_while_it_is_deleted_goes_too(
    make_site: MakeSite, wish: Wish, gray_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dispatch may have seen the note just before it went."""
    site = make_site()
    visitor = site.client()
    created = visitor.post("/api/images", json=wish).json()
    call = BaseClient._make_api_call

    def arrive(self: BaseClient, operation: str, params: Any) -> Any:
        if operation == "DeleteObject" and params["Key"].startswith("visitors/"):
            monkeypatch.undo()
            site.color(site.send(created, gray_jpeg), gray_jpeg)
        return call(self, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", arrive)
    assert visitor.delete(f"/api/images/{created['id']}").status_code == 204
    assert keys(site) == set()


def test_recoloring(
    visitor: TestClient,
    site: Site,
    uploaded: tuple[str, str],
    gray_jpeg: bytes,
    colored_jpeg: bytes,
) -> None:
    image_id, key = uploaded
    url = f"/api/images/{image_id}"
    site.color(key, gray_jpeg)
    before = visitor.get(url)
    turned = {"strategy": "painter", "knobs": {"saturation": 0.5}}
    answer = visitor.post(f"{url}/recolor", json=turned)
    assert (answer.status_code, answer.headers["location"]) == (202, url)
    waiting = answer.json()
    assert waiting["status"] == "waiting"
    assert (waiting["strategy"], waiting["knobs"], waiting["hints"]) == (*turned.values(), [])
    assert waiting["colored_url"] is None
    assert httpx2.get(waiting["original_url"]).content == gray_jpeg
    head = site.s3.head_object(Bucket=site.uploads, Key=key)
    assert head["ContentType"] == "image/jpeg"
    correlation_id = head["Metadata"].pop("correlation-id")
    assert correlation_id != image_id
    assert head["Metadata"] == {"strategy": "painter", "saturation": "0.5"}
    assert visitor.get(url, headers={"if-none-match": before.headers["etag"]}).status_code == 200

    site.color(key, colored_jpeg)
    done = visitor.get(url).json()
    assert (done["status"], done["strategy"], done["knobs"]) == ("done", *turned.values())
    assert httpx2.get(done["colored_url"]).content == colored_jpeg
    assert [each["id"] for each in visitor.get("/api/images").json()["images"]] == [image_id]


def test_what_is_left_out_of_a_recoloring(
    visitor: TestClient, site: Site, uploaded: tuple[str, str]
) -> None:
    url = f"/api/images/{uploaded[0]}"
    visitor.post(f"{url}/recolor", json={"hints": [HINT], "knobs": {"vividness": 2}})
    guided = visitor.get(url).json()
    assert (guided["strategy"], guided["hints"]) == ("colornet", [HINT])
    asked = visitor.post(f"{url}/recolor", json={"strategy": "painter"}).json()
    assert (asked["strategy"], asked["knobs"], asked["hints"]) == ("painter", {}, [])
    again = visitor.post(f"{url}/recolor", json={}).json()
    assert again["strategy"] == "painter"


def test_each_recoloring_is_its_own_order(
    visitor: TestClient, site: Site, uploaded: tuple[str, str], gray_jpeg: bytes
) -> None:
    image_id, key = uploaded
    seen = set()
    for _ in range(3):
        site.color(key, gray_jpeg)
        assert visitor.get(f"/api/images/{image_id}").json()["status"] == "done"
        answer = visitor.post(f"/api/images/{image_id}/recolor", json={}).json()
        assert answer["status"] == "waiting"
        head = site.s3.head_object(Bucket=site.uploads, Key=key)
        seen.add(head["Metadata"]["correlation-id"])
    assert len(seen) == 3


def test_beside(
    visitor: TestClient,
    site: Site,
    uploaded: tuple[str, str],
    gray_jpeg: bytes,
    colored_jpeg: bytes,
) -> None:
    image_id, key = uploaded
    site.color(key, gray_jpeg)
    wanted = {"strategy": "painter", "beside": True}
    answer = visitor.post(f"/api/images/{image_id}/recolor", json=wanted)
    other = answer.json()
    assert (answer.status_code, other["status"]) == (201, "waiting")
    assert other["id"] != image_id
    assert answer.headers["location"] == f"/api/images/{other['id']}"
    assert (other["filename"], other["strategy"]) == ("grandma.jpg", "painter")
    assert visitor.get(f"/api/images/{image_id}").json()["status"] == "done"
    site.color(site.arrived("grandma.jpg"), colored_jpeg)
    done = visitor.get(f"/api/images/{other['id']}").json()
    assert httpx2.get(done["colored_url"]).content == colored_jpeg
    album = visitor.get("/api/images").json()["images"]
    assert [each["id"] for each in album] == [other["id"], image_id]
    visitor.delete(f"/api/images/{image_id}")
    assert httpx2.get(done["original_url"]).content == gray_jpeg


def test_a_photograph_beside_is_known_of_before_it_is_there(
    visitor: TestClient, site: Site, uploaded: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else dispatch would take it for one that was deleted on its way."""
    call, noted = BaseClient._make_api_call, []

    def watch(self: BaseClient, operation: str, params: Any) -> Any:
        if operation == "CopyObject":
            noted.append(head_of(site.s3, site.results, str(note_of(params["Key"]))))
        return call(self, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", watch)
    visitor.post(f"/api/images/{uploaded[0]}/recolor", json={"beside": True})
    assert len(noted) == 1
    assert noted[0] is not None


@pytest.mark.parametrize("beside", [False, True])
def test_recoloring_needs_the_upload(make_site: MakeSite, wish: Wish, beside: bool) -> None:
    site = make_site()
    visitor = site.client()
    url = visitor.post("/api/images", json=wish).headers["location"]
    answer = visitor.post(f"{url}/recolor", json={"beside": beside})
    assert is_problem(answer, 409, "not-uploaded")
    assert answer.json()["detail"].startswith("grandma.jpg has not arrived yet")
    assert len(visitor.get("/api/images").json()["images"]) == 1
    assert len(keys(site)) == 1  # the note of the one that was asked for


def test_recoloring_what_is_no_longer_kept(
    visitor: TestClient,
    site: Site,
    uploaded: tuple[str, str],
    colored_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image_id, key = uploaded
    site.color(key, colored_jpeg)
    site.s3.delete_object(Bucket=site.uploads, Key=key)
    monkeypatch.setattr(photographs, "UPLOAD_SECONDS", -1)  # its time is over
    answer = visitor.post(f"/api/images/{image_id}/recolor", json={})
    assert is_problem(answer, 409, "upload-gone")
    assert answer.json()["detail"].endswith("or is no longer kept. Upload it again.")


def test_recoloring_what_is_another_visitors(site: Site, uploaded: tuple[str, str]) -> None:
    for beside in (False, True):
        url = f"/api/images/{uploaded[0]}/recolor"
        answer = site.client().post(url, json={"beside": beside})
        assert is_problem(answer, 404, "no-photograph")


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"strategy": "nobody"}, 422, "unknown-strategy"),
        ({"strategy": None}, 422, "unknown-strategy"),
        ({"strategy": "richzhang"}, 409, "strategy-not-ready"),
        ({"knobs": {"boldness": 1}}, 422, "unknown-knob"),
        ({"knobs": {"vividness": 3}}, 422, "knob-out-of-range"),
        ({"strategy": "painter", "hints": [HINT]}, 422, "hints-not-taken"),
        ({"hints": [HINT] * 65}, 422, "too-many-hints"),
        ({"hints": [HINT | {"x": -1}]}, 422, "malformed-hint"),
        ({"beside": "yes"}, 422, "invalid"),
        ({"strategie": "painter"}, 422, "invalid"),
        ({"filename": "other.jpg"}, 422, "invalid"),
        ([], 422, "invalid"),
    ],
)
def test_what_cannot_be_asked_for(
    visitor: TestClient,
    site: Site,
    uploaded: tuple[str, str],
    wanted: Any,
    status: int,
    code: str,
) -> None:
    image_id, key = uploaded
    answer = visitor.post(f"/api/images/{image_id}/recolor", json=wanted)
    assert is_problem(answer, status, code)
    head = site.s3.head_object(Bucket=site.uploads, Key=key)
    assert head["Metadata"]["correlation-id"] == image_id


@pytest.mark.parametrize(
    "turned",
    [
        {"strategy": "painter", "knobs": {"saturation": 0.5}, "hints": []},
        {"strategy": "colornet", "knobs": {"vividness": 2}, "hints": [HINT]},
    ],
)
def test_a_recoloring_that_broke_off_is_told_as_the_storage_has_it(
    visitor: TestClient,
    site: Site,
    uploaded: tuple[str, str],
    colored_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
    turned: Any,
) -> None:
    """The upload was copied, but the page's own note not written."""
    image_id, key = uploaded
    call = BaseClient._make_api_call

    def break_off(self: BaseClient, operation: str, params: Any) -> Any:
        if operation == "PutObject":
            raise EndpointConnectionError(endpoint_url="gone")
        return call(self, operation, params)

    url = f"/api/images/{image_id}"
    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", break_off)
        answer = visitor.post(f"{url}/recolor", json=turned)
        assert is_problem(answer, 503, "storage-unavailable")
    site.color(key, colored_jpeg)
    done = visitor.get(url).json()
    assert done["status"] == "done"
    assert {name: done[name] for name in turned} == turned


def test_an_upload_by_another_program(
    visitor: TestClient, site: Site, uploaded: tuple[str, str], colored_jpeg: bytes
) -> None:
    """It may lie over the page's own, and carries no correlation id."""
    image_id, key = uploaded
    record = site.record(key, Status.QUEUED)
    site.s3.put_object(Bucket=site.uploads, Key=key, Body=colored_jpeg)
    another = replace(record, order=record.order + 1, correlation_id="another")
    Records(site.s3, site.results).put(another.moved(Status.RUNNING))
    assert visitor.get(f"/api/images/{image_id}").json()["status"] == "running"


def test_open_uploads_are_bounded(
    make_site: MakeSite, wish: Wish, gray_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_uploads, "LIMIT", 3)
    monkeypatch.setattr(open_uploads, "LOOK_AGAIN_SECONDS", 0)
    site = make_site()
    visitor, another = site.client(), site.client()
    begun = [visitor.post("/api/images", json=wish).json() for _ in range(3)]
    refused = visitor.post("/api/images", json=wish)
    assert is_problem(refused, 429, "too-many-open-uploads")
    assert refused.headers["retry-after"] == "0"
    assert len(visitor.get("/api/images").json()["images"]) == 3
    assert another.post("/api/images", json=wish).status_code == 201
    site.send(begun[1], gray_jpeg)
    assert visitor.post("/api/images", json=wish).status_code == 201
    assert visitor.post("/api/images", json=wish).status_code == 429
    visitor.delete(f"/api/images/{begun[0]['id']}")
    assert visitor.post("/api/images", json=wish).status_code == 201


def test_announcing_a_photograph_costs_one_put(
    visitor: TestClient, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.get("/api/strategies")
    call, operations = BaseClient._make_api_call, []

    def count(self: BaseClient, operation: str, params: Any) -> Any:
        operations.append(operation)
        return call(self, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", count)
    visitor.post("/api/images", json=wish)
    assert operations == ["PutObject"]
