"""What holds of the API whatever is sent to it: no crash, documented answers, one's own only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from itsdangerous import Signer
from starlette.testclient import TestClient

from tests.web.test_openapi import DOCUMENT, HINT, complaints, operations, resolved
from web import ids
from web.visitors import COOKIE

if TYPE_CHECKING:
    from tests.web.conftest import Site, Wish

IMAGES, IMAGE, RECOLOR = "/api/images", "/api/images/{id}", "/api/images/{id}/recolor"

thoroughly = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# ---- What might be sent

texts = st.text(max_size=40) | st.sampled_from(
    ["", "\0", "\n", "a/b", "..", "ü" * 300, "\ud800", "a\r\nb: c", "<b>", "'", "\u202e", "x" * 300]
)
numbers = (
    st.integers()
    | st.floats()
    | st.sampled_from([0, -1, 2**31, 2**63, 10**400, 1e308, -0.0, float("nan"), float("inf")])
)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def often(*right: Any) -> st.SearchStrategy[Any]:
    """Something right twice as often as anything at all."""
    return st.one_of(st.sampled_from(right), st.sampled_from(right), anything)


hints = st.lists(
    st.fixed_dictionaries({"x": often(0, 999_999), "y": often(7), "color": often("#ABCDEF")}),
    max_size=70,
)
colorings = {
    "strategy": often("colornet", "painter", "richzhang"),
    "knobs": st.dictionaries(often("size", "vividness").map(str), often(1, 64.5), max_size=3)
    | anything,
    "hints": hints | anything,
}
wishes = st.fixed_dictionaries(
    {
        "filename": often("a.jpg", "Großmutter.heic"),
        "content_type": often("image/jpeg", ""),
        "size": often(1, 1000, 10**400),
        "strategy": colorings["strategy"],
    },
    optional={name: colorings[name] for name in ("knobs", "hints")},
)
recolorings = st.fixed_dictionaries({}, optional=colorings | {"beside": often(True, False)})
bodies = st.binary(max_size=200) | (wishes | recolorings | anything).map(
    lambda value: json.dumps(value).encode()
)
any_id = st.text(ids.ALPHABET, min_size=26, max_size=26) | texts
header_texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


# ---- How it must be answered


def check(answer: Any, operation: dict[str, Any]) -> None:
    assert answer.status_code < 500, answer.text
    name = str(answer.status_code)
    documented = resolved(operation["responses"].get(name, operation["responses"].get("default")))
    for header, part in documented.get("headers", {}).items():
        assert complaints(resolved(part)["schema"], answer.headers[header]) == []
    if "content" not in documented:
        assert answer.content == b""
        return
    schema = documented["content"][answer.headers["content-type"]]["schema"]
    assert complaints(schema, answer.json()) == []


def operation_of(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


@thoroughly
@given(wish=wishes)
def test_every_wish_is_answered_as_documented(site: Site, wish: Any) -> None:
    answer = site.client().post(IMAGES, content=json.dumps(wish), headers=AS_JSON)
    check(answer, operation_of("POST", IMAGES))
    if answer.status_code == 201:  # then it is one that the document allows
        request = operation_of("POST", IMAGES)["requestBody"]["content"]["application/json"]
        assert complaints(request["schema"], wish) == []
        fields = answer.json()["upload"]["fields"]
        assert all(text.isprintable() for text in fields.values())
        assert len(fields["key"].encode()) <= 1024


AS_JSON = {"content-type": "application/json"}


@settings(thoroughly, max_examples=80)
@given(recoloring=recolorings)
def test_every_recoloring_is_answered_as_documented(
    site: Site, visitor: TestClient, uploaded: tuple[str, str], recoloring: Any
) -> None:
    image_id, _ = uploaded
    path = RECOLOR.replace("{id}", image_id)
    answer = visitor.post(path, content=json.dumps(recoloring), headers=AS_JSON)
    check(answer, operation_of("POST", RECOLOR))
    check(visitor.get(f"{IMAGES}/{image_id}"), operation_of("GET", IMAGE))


@thoroughly
@given(
    body=bodies,
    image_id=any_id,
    operation=st.sampled_from([(method, path) for method, path, _ in operations()]),
    content_type=st.sampled_from(["application/json", "Application/JSON; charset=x"])
    | header_texts,
    tag=header_texts,
    after=any_id,
)
def test_any_request_at_all_is_answered_as_documented(
    site: Site,
    body: bytes,
    image_id: str,
    operation: tuple[str, str],
    content_type: str,
    tag: str,
    after: str,
) -> None:
    method, path = operation
    # No path of its own: a client would take ".." away.
    image_id = image_id if image_id.isalnum() and image_id.isascii() else "0" * 25
    answer = site.client().request(
        method,
        path.replace("{id}", image_id),
        content=body,
        params={"after": after.encode(errors="replace").decode()},
        headers={"content-type": content_type, "if-none-match": tag},
    )
    check(answer, operation_of(method, path))


# ---- One's own only


@pytest.fixture(scope="module")
def neighbors(site: Site) -> list[tuple[str, str]]:
    """Two visitors' cookies, each with the id of a photograph that is there."""
    wish = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 9, "strategy": "colornet"}
    found = []
    for _ in range(2):
        client = site.client()
        created = client.post(IMAGES, json=wish | {"hints": [HINT]}).json()
        site.send(created, b"123456789")
        found.append((client.cookies[COOKIE], created["id"]))
    return found


def with_cookie(site: Site, cookie: str) -> TestClient:
    client = TestClient(site.app, headers={"cookie": f"{COOKIE}={cookie}"})
    client.follow_redirects = False
    return client


def tries(client: TestClient, image_id: str) -> list[int]:
    """What comes of reading, changing and deleting, by the API and by the page."""
    own_site = {"sec-fetch-site": "same-origin"}
    form = {"data": {"strategy": "colornet"}, "headers": own_site}
    answers = [
        client.get(f"{IMAGES}/{image_id}"),
        client.post(f"{IMAGES}/{image_id}/recolor", json={"beside": True}),
        client.post(f"{IMAGES}/{image_id}/recolor", json={}),
        client.delete(f"{IMAGES}/{image_id}"),
        client.get(f"/photographs/{image_id}"),
        client.post(f"/photographs/{image_id}/recolor", **form),
        client.post(f"/photographs/{image_id}/delete", **form),
    ]
    return [answer.status_code for answer in answers]


@st.composite
def changed(draw: st.DrawFn, cookie: str) -> str:
    """A cookie with some of its characters others, cut off, or added to."""
    printable = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=';,"\\')
    characters = list(cookie)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(characters) - 1))
        characters[at] = draw(printable)
    keep = draw(st.integers(0, len(characters)) | st.just(len(characters)))
    return "".join(characters[:keep]) + draw(st.just("") | st.text(printable, max_size=3))


@thoroughly
@given(data=st.data())
def test_a_changed_cookie_is_nobody_or_as_before(
    site: Site, neighbors: list[tuple[str, str]], data: st.DataObject
) -> None:
    (mine, my_id), (theirs, their_id) = neighbors
    forged = data.draw(changed(mine) | changed(theirs))
    client = with_cookie(site, forged)
    seen = {image["id"] for image in client.get(IMAGES).json()["images"]}
    visitor = forged.split(".")[0]
    allowed = {my_id} if visitor == mine.split(".")[0] else set()
    allowed |= {their_id} if visitor == theirs.split(".")[0] else set()
    # The last digit of a signature has bits that say nothing: it is then the same signature.
    assert seen <= allowed
    if seen:
        assert forged[:-1] in (mine[:-1], theirs[:-1])


def test_another_visitors_photograph_is_not_there(
    site: Site, neighbors: list[tuple[str, str]]
) -> None:
    (mine, _), (theirs, their_id) = neighbors
    visitors = [cookie.split(".")[0] for cookie in (mine, theirs)]
    signatures = [cookie.split(".")[1] for cookie in (mine, theirs)]
    strangers = [
        mine,
        "",
        f"{visitors[1]}.{signatures[0]}",  # my signature under their name
        visitors[1],
        f"{visitors[1]}.",
        Signer("another secret", salt=COOKIE).sign(visitors[1]).decode(),
        Signer("a secret of the tests").sign(visitors[1]).decode(),  # for another purpose
    ]
    for cookie in strangers:
        assert set(tries(with_cookie(site, cookie), their_id)) == {404}, cookie
    for guess in (
        their_id.upper(),
        f"..%2F{visitors[1]}%2F{their_id}",
        f"%2e%2e/{visitors[1]}/{their_id}",
        f"{their_id}.json",
        f"{their_id}%00",
        f"{their_id}%0A",
    ):
        assert set(tries(with_cookie(site, mine), guess)) <= {404, 405}, guess
    for cookie, image_id in neighbors:
        assert with_cookie(site, cookie).get(f"{IMAGES}/{image_id}").status_code == 200


@settings(thoroughly, max_examples=40)
@given(guess=any_id.filter(lambda text: text.isalnum() and text.isascii()))
def test_guessed_ids_find_nothing(site: Site, neighbors: list[tuple[str, str]], guess: str) -> None:
    (mine, my_id), (_, their_id) = neighbors
    if guess not in {my_id, their_id}:
        assert set(tries(with_cookie(site, mine), guess)) == {404}


def test_a_replayed_id_is_gone_with_its_photograph(site: Site, wish: Wish) -> None:
    client = site.client()
    created = client.post(IMAGES, json=wish).json()
    site.send(created, b"123456789")
    image_id = created["id"]
    assert client.delete(f"{IMAGES}/{image_id}").status_code == 204
    assert set(tries(client, image_id)) == {404}
    assert client.get(IMAGES).json()["images"] == []


def test_the_album_of_another_is_not_a_page_of_mine(
    site: Site, neighbors: list[tuple[str, str]]
) -> None:
    (mine, my_id), (_, their_id) = neighbors
    for after in (my_id, their_id, "0" * 26):
        images = with_cookie(site, mine).get(IMAGES, params={"after": after}).json()["images"]
        assert {image["id"] for image in images} <= {my_id}
