from __future__ import annotations

from typing import Any

import pytest

from web import entity_tags
from web.addresses import LASTING_SECONDS
from web.entity_tags import FRESH_SECONDS, entity_tag, is_held

VIEW: dict[str, Any] = {
    "status": "done",
    "hints": [],
    "original_url": "https://uploads.example.org/a.jpg?X-Amz-Signature=1",
    "colored_url": "https://results.example.org/a.jpg?X-Amz-Signature=2",
    "width": None,
}


def test_the_tag_is_of_what_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entity_tags.time, "time", lambda: 1.8e9)
    tag = entity_tag(VIEW)
    assert entity_tag(VIEW | {"colored_url": f"{VIEW['colored_url']}3"}) == tag
    for change in (
        {"status": "running"},
        {"hints": [{"x": 1, "y": 1, "color": "#ffffff"}]},
        {"colored_url": None},
        {"colored_url": "https://results.example.org/b.jpg?X-Amz-Signature=2"},
        {"width": 7},
    ):
        assert entity_tag(VIEW | change) != tag
    page = entity_tag({"images": [VIEW], "next": None})
    resigned = VIEW | {"colored_url": f"{VIEW['colored_url']}3"}
    assert entity_tag({"images": [resigned], "next": None}) == page
    assert entity_tag({"images": [VIEW | {"width": 7}], "next": None}) != page
    monkeypatch.setattr(entity_tags.time, "time", lambda: 1.8e9 + FRESH_SECONDS)
    assert entity_tag(VIEW) != tag
    assert FRESH_SECONDS <= LASTING_SECONDS / 2


@pytest.mark.parametrize("header", ['W/"a"', '"a"', '"other", W/"a"', '"other","a"', "*"])
def test_held(header: str) -> None:
    assert is_held('W/"a"', header)


@pytest.mark.parametrize("header", ["", "a", '"A"', 'W/"b"', '"b", "c"'])
def test_not_held(header: str) -> None:
    assert not is_held('W/"a"', header)
