from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.web.conftest import MakeSite


def test_strategies_are_drawn_from_the_manifest(visitor: TestClient) -> None:
    html = visitor.get("/").text
    inputs = re.findall(r'<input type="radio"[^>]*>', html)
    assert [re.search('value="(.*?)"', each)[1] for each in inputs] == [
        "colornet",
        "painter",
        "richzhang",
    ]
    assert ["checked" in each for each in inputs] == [True, False, False]
    assert ["disabled" in each for each in inputs] == [False, False, True]
    assert "Its weights are not here yet." in html
    assert "License: Apache-2.0" in html
    assert "License: MIT (code), CC-BY-4.0 (weights)" in html


def test_what_others_wrote_stays_text(visitor: TestClient) -> None:
    html = visitor.get("/").text
    assert "The &lt;b&gt;Painter&lt;/b&gt;" in html
    assert "Vivid &amp; bold." in html
    assert "javascript:" not in html


def test_nothing_is_inline(visitor: TestClient) -> None:
    html = visitor.get("/").text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html)


def test_kinds_and_limit_are_said_before(visitor: TestClient) -> None:
    html = visitor.get("/").text
    assert "JPEG, PNG, WebP, TIFF or BMP, up to 1 MB each." in html
    assert 'accept="image/jpeg,image/png,image/webp,image/tiff,image/bmp"' in html


def test_without_a_manifest_the_page_asks_for_patience(make_site: MakeSite) -> None:
    html = make_site(published=False).client().get("/").text
    assert "still starting" in html
    assert 'type="radio"' not in html
