from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from web import problems
from web.bodies import MAX_BODY_BYTES, MAX_FIELDS, read_form, read_json
from web.problems import ProblemResponse

FORM = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
JSON = {"content-type": "Application/JSON"}


def echoing(read: Callable[[Request], Any]) -> TestClient:
    async def echo(request: Request) -> JSONResponse:
        return JSONResponse(await read(request))

    routes = [Route("/", echo, methods=["POST"])]
    handlers = problems.handlers(lambda request, problem: ProblemResponse(problem))
    return TestClient(Starlette(routes=routes, exception_handlers=handlers))


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_json() -> None:
    client = echoing(read_json)
    assert client.post("/", content=b'{"a": "\xc3\xbc"}', headers=JSON).json() == {"a": "ü"}
    for text in (b"null", b"[]", b'"x"', b"3"):
        assert code(client.post("/", content=text, headers=JSON)) == (422, "invalid")
    assert code(client.post("/", content=b"{", headers=JSON)) == (400, "not-json")
    assert code(client.post("/", content=b"{}", headers=FORM)) == (415, "not-json")


def test_a_form() -> None:
    client = echoing(read_form)
    answer = client.post("/", content=b"a=%C3%BC+%26&b=&a=2&c", headers=FORM)
    assert answer.json() == {"a": "2", "b": "", "c": ""}
    assert client.post("/", content=b"a=%C3%BC+%26", headers=FORM).json() == {"a": "ü &"}
    assert client.post("/", content=b"", headers=FORM).json() == {}


@pytest.mark.parametrize("body", [b"a=\xff", b"a&" * (MAX_FIELDS + 1)])
def test_no_form(body: bytes) -> None:
    assert code(echoing(read_form).post("/", content=body, headers=FORM)) == (400, "not-a-form")


def test_a_form_with_files_is_none() -> None:
    answer = echoing(read_form).post("/", files={"file": b"x"})
    assert code(answer) == (415, "not-a-form")


@pytest.mark.parametrize(
    ("read", "headers", "told"), [(read_json, JSON, "not-json"), (read_form, FORM, "not-a-form")]
)
def test_who_leaves_in_the_middle_is_no_error_of_ours(
    read: Callable[[Request], Any], headers: dict[str, str], told: str
) -> None:
    messages = iter(
        [
            {"type": "http.request", "body": b'{"a"', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(messages)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "method": "POST", "headers": raw}, receive)
    with pytest.raises(problems.Problem) as caught:
        read(request).send(None)  # nothing is waited for, so that no event loop is needed
    assert caught.value.code == told


def test_the_limit() -> None:
    client = echoing(read_form)
    longest = b"a=" + b"x" * (MAX_BODY_BYTES - 2)
    assert client.post("/", content=longest, headers=FORM).status_code == 200
    answer = client.post("/", content=longest + b"x", headers=FORM)
    assert code(answer) == (413, "request-too-large")
