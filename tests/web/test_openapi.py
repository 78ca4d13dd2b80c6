"""docs/openapi.yaml is what the application does, in both directions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from starlette.routing import Route
from starlette.testclient import TestClient

import deepcolor
from functions.contract import asking
from functions.contract.records import Status
from web import api, coloring, open_uploads, wishes
from web import app as web_app
from web.strategies import SHOWN

if TYPE_CHECKING:
    from tests.web.conftest import MakeSite, Site, Wish

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
HINT = {"x": 120, "y": 80, "color": "#c84b31"}


def closed(schema: Any) -> Any:
    """The schema without room for what it does not name, so that nothing goes undocumented."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if "properties" in schema else {}
    return more | {name: closed(each) for name, each in schema.items()}


COMPONENTS = DOCUMENT["components"]
CLOSED = {"components": {"schemas": {n: closed(s) for n, s in COMPONENTS["schemas"].items()}}}


def complaints(schema: dict[str, Any], value: Any) -> list[str]:
    validator = Draft202012Validator(CLOSED | closed(schema))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to, or the part itself."""
    if "$ref" not in part:
        return part
    *_, kind, name = part["$ref"].split("/")
    found: dict[str, Any] = COMPONENTS[kind][name]
    return found


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method in item.keys() - {"parameters"}:
            yield method.upper(), path, item[method]


def media(part: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """The schemas of a request or a response, each with one of its examples."""
    for content in part.get("content", {}).values():
        if "example" in content:
            yield content["schema"], content["example"]
        for example in content.get("examples", {}).values():
            yield content["schema"], example["value"]


def test_the_document_is_openapi() -> None:
    validate(DOCUMENT)


def test_every_route_is_documented_and_the_other_way_round(site: Site) -> None:
    routes = {
        (method, route.path)
        for route in site.app.app.routes
        if isinstance(route, Route) and route.path.startswith(("/api/", "/health"))
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert {(method, path) for method, path, _ in operations()} == routes


def test_the_examples_are_true() -> None:
    seen = 0
    for method, path, operation in operations():
        parts = [operation.get("requestBody", {}), *map(resolved, operation["responses"].values())]
        for part in parts:
            for schema, example in media(part):
                assert complaints(schema, example) == [], f"{method} {path}"
                seen += 1
    assert seen > 30


def example_of(path: str, name: str = "") -> Any:
    answer = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    return answer["examples"][name]["value"] if name else answer["example"]


def test_the_strategy_in_the_example_is_as_the_command_line_tells() -> None:
    command = [sys.executable, "-m", "deepcolor", "strategies", "--json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    example = example_of("/api/strategies")
    assert example["default"] == listed["default"]
    [card] = example["strategies"]
    [told] = [each for each in listed["strategies"] if each["name"] == card["name"]]
    assert card == {name: told[name] for name in SHOWN}


def test_the_stages_in_the_example_are_those_of_a_worker(gray_jpeg: bytes) -> None:
    stages = deepcolor.load("colornet").file(gray_jpeg).milliseconds.keys()
    example = example_of("/api/images/{id}", "done")
    assert example["timings"]["milliseconds"].keys() == {"fetch", *stages}


def test_the_numbers_are_those_of_the_code() -> None:
    schemas = COMPONENTS["schemas"]
    assert schemas["Hints"]["maxItems"] == coloring.MAX_HINTS
    assert schemas["Hint"]["properties"]["x"]["maximum"] == coloring.MAX_PIXEL
    assert schemas["Hint"]["properties"]["y"]["maximum"] == coloring.MAX_PIXEL
    assert schemas["NewImage"]["properties"]["size"]["maximum"] == wishes.MAX_SIZE
    assert schemas["NewImage"]["properties"]["content_type"]["enum"] == ["", *wishes.ACCEPTED]


@pytest.mark.parametrize(
    ("name", "members"),
    [("NewImage", wishes.MEMBERS), ("Recoloring", wishes.MEMBERS_OF_RECOLORING)],
)
def test_what_may_be_asked_for_is_what_is_taken(name: str, members: tuple[str, ...]) -> None:
    schema = COMPONENTS["schemas"][name]
    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() == set(members)


def test_what_must_be_said_of_a_photograph_is_required(visitor: TestClient, wish: Wish) -> None:
    needed = {
        name
        for name in wish
        if visitor.post(IMAGES, json={k: v for k, v in wish.items() if k != name}).is_error
    }
    assert set(COMPONENTS["schemas"]["NewImage"]["required"]) == needed


def test_as_many_can_be_asked_for_as_it_says() -> None:
    asked, *_ = DOCUMENT["paths"]["/api/images"]["get"]["parameters"]
    assert (asked["name"], asked["schema"]["maxItems"]) == ("ids", api.MAX_IDS)


def test_every_problem_is_documented() -> None:
    """Those that the rooms of the API name, what the contract refuses, and HTTP's own."""
    rooms = (ROOT / "web").glob("*.py")
    named = {
        code for room in rooms for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', room.read_text())
    }
    refusals = re.findall(r'"([a-z]+(?:_[a-z]+)+)"', Path(asking.__file__).read_text())
    refused = {code.replace("_", "-") for code in refusals}
    types = COMPONENTS["schemas"]["Problem"]["properties"]["type"]["enum"]
    documented = {each.removeprefix("urn:deepcolor:problem:") for each in types}
    assert refused < documented
    assert documented - named - refused == {"invalid", "not-found", "method-not-allowed"}


class Conversation:
    """Asks the application, holds each answer against the document, and notes what was seen."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str, str]] = set()

    def __call__(
        self,
        client: TestClient,
        method: str,
        path: str,
        status: int,
        image_id: str = "",
        **sent: Any,
    ) -> Any:
        operation = DOCUMENT["paths"][path][method.lower()]
        answer = client.request(method, path.replace("{id}", image_id), **sent)
        assert answer.status_code == status, answer.text
        name = str(status) if str(status) in operation["responses"] else "default"
        documented = resolved(operation["responses"][name])
        self.seen.add((method, path, name))
        for header, part in documented.get("headers", {}).items():
            assert complaints(resolved(part)["schema"], answer.headers[header]) == [], header
        if "content" not in documented:
            assert answer.content == b""
            return None
        kind = answer.headers["content-type"]
        assert complaints(documented["content"][kind]["schema"], answer.json()) == []
        return answer.json()

    def unseen(self) -> set[tuple[str, str, str]]:
        return {
            (method, path, status)
            for method, path, operation in operations()
            for status in operation["responses"]
        } - self.seen


Ask = Callable[..., Any]
IMAGES, IMAGE, RECOLOR = "/api/images", "/api/images/{id}", "/api/images/{id}/recolor"
ABROAD = {"sec-fetch-site": "cross-site"}
JSON = {"content-type": "application/json"}


def test_every_answer_is_as_documented(
    make_site: MakeSite,
    wish: Wish,
    gray_jpeg: bytes,
    colored_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site, ask = make_site(), Conversation()
    visitor = site.client()
    what_goes_well(ask, site, visitor, wish, gray_jpeg, colored_jpeg)
    what_is_refused(ask, visitor, wish)
    with monkeypatch.context() as patch:
        patch.setattr(open_uploads, "LIMIT", 0)
        ask(visitor, "POST", IMAGES, 429, json=wish)
    what_is_out_of_order(ask, site, wish, monkeypatch)
    assert ask.unseen() == set()


def what_goes_well(
    ask: Ask, site: Site, visitor: TestClient, wish: Wish, gray: bytes, colored: bytes
) -> None:
    ask(visitor, "GET", "/health", 200)
    ask(visitor, "GET", "/api/strategies", 200)
    created = ask(
        visitor, "POST", IMAGES, 201, json=wish | {"hints": [HINT], "knobs": {"size": 64}}
    )
    image_id = created["id"]
    assert ask(visitor, "GET", IMAGE, 200, image_id)["status"] == "waiting"
    ask(visitor, "POST", RECOLOR, 409, image_id, json={})
    key = site.send(created, gray)
    site.record(key, Status.RUNNING)
    assert ask(visitor, "GET", IMAGE, 200, image_id)["status"] == "running"
    site.color(key, colored)
    assert ask(visitor, "GET", IMAGE, 200, image_id)["status"] == "done"
    tag = visitor.get(f"{IMAGES}/{image_id}").headers["etag"]
    ask(visitor, "GET", IMAGE, 304, image_id, headers={"if-none-match": tag})
    tag = visitor.get(IMAGES, params={"ids": image_id}).headers["etag"]
    ask(visitor, "GET", IMAGES, 304, params={"ids": image_id}, headers={"if-none-match": tag})
    ask(visitor, "POST", RECOLOR, 202, image_id, json={})
    site.fail(key, "This is not a photograph.")
    assert ask(visitor, "GET", IMAGE, 200, image_id)["status"] == "failed"
    beside = ask(visitor, "POST", RECOLOR, 201, image_id, json={"beside": True})
    assert len(ask(visitor, "GET", IMAGES, 200)["images"]) == 2
    ask(visitor, "DELETE", IMAGE, 204, beside["id"])


def what_is_refused(ask: Ask, visitor: TestClient, wish: Wish) -> None:
    mine = visitor.get(IMAGES).json()["images"][0]["id"]
    for path, sent in ((IMAGES, wish), (RECOLOR, {})):
        ask(visitor, "POST", path, 400, mine, content=b"{", headers=JSON)
        ask(visitor, "POST", path, 403, mine, json=sent, headers=ABROAD)
        ask(visitor, "POST", path, 409, mine, json=sent | {"strategy": "richzhang"})
        ask(visitor, "POST", path, 413, mine, json={"more": "x" * 20_000})
        ask(visitor, "POST", path, 415, mine, content=b"{}")
        ask(visitor, "POST", path, 422, mine, json=sent | {"hints": [7]})
    ask(visitor, "POST", IMAGES, 413, json=wish | {"size": 2**40})
    ask(visitor, "POST", IMAGES, 415, json=wish | {"content_type": "text/html"})
    ask(visitor, "GET", IMAGES, 422, params={"after": "x"})
    ask(visitor, "DELETE", IMAGE, 403, mine, headers=ABROAD)
    for method, path in (("GET", IMAGE), ("DELETE", IMAGE)):
        ask(visitor, method, path, 404, "0" * 26)
    ask(visitor, "POST", RECOLOR, 404, "0" * 26, json={})


def what_is_out_of_order(ask: Ask, site: Site, wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = TestClient(site.app, raise_server_exceptions=False)
    visitor.get("/")
    requests = [(method, path) for method, path, _ in operations() if path != "/health"]

    def each(status: int) -> None:
        for method, path in requests:
            sent = {"json": wish} if method == "POST" else {}
            ask(visitor, method, path, status, "0" * 26, **sent)

    for bucket in (site.uploads, site.results):
        listed = site.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        for item in listed:
            site.s3.delete_object(Bucket=bucket, Key=item["Key"])
        site.s3.delete_bucket(Bucket=bucket)
    monkeypatch.setattr("functions.contract.manifest.FRESH_SECONDS", -1)
    each(503)

    def crash(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(web_app.Visitors, "known", crash)
    monkeypatch.setattr(web_app.ManifestReader, "read", crash)
    each(500)
