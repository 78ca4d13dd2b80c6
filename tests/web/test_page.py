from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import httpx2

from functions.contract.keys import VISITORS_PREFIX
from web.photographs import Photographs

if TYPE_CHECKING:
    import pytest
    from starlette.testclient import TestClient

    from tests.web.conftest import MakeSite, Site, Wish

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}  # as browsers ask for a page


def test_a_page_that_waits_for_nothing_stays(visitor: TestClient) -> None:
    assert "http-equiv" not in visitor.get("/").text


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
    assert ["data-hints" in each for each in inputs] == [True, False, False]
    assert "This way of coloring is not ready here." in html
    assert "Its weights are not here yet." not in html  # that is for operators
    assert "License: Apache-2.0" in html
    assert "License: MIT (code), CC-BY-NC-4.0 (weights)" in html
    assert html.count("Not for commercial use.") == 1
    assert html.count("Takes your color hints") == 1


def test_what_a_strategy_learned_from_is_told(visitor: TestClient) -> None:
    html = visitor.get("/").text
    for told in ("21,032 photographs", "paintings", "1.3 million photographs of ImageNet, which"):
        assert f"Learned from: {told}" in html
    german = visitor.get("/?lang=de").text
    for told in ("1,3 Millionen Fotos von ImageNet, die", "paintings."):
        assert f"Gelernt aus: {told}" in german


def test_every_page_tells_who_sees_photographs(
    visitor: TestClient, uploaded: tuple[str, str]
) -> None:
    for path in ("/", "/album", "/upload?strategy=colornet", f"/photographs/{uploaded[0]}"):
        assert "Whoever runs this service can see your photographs." in visitor.get(path).text


def test_knobs_are_drawn_from_the_manifest(visitor: TestClient) -> None:
    html = visitor.get("/").text
    knobs = re.findall(r'<input type="range"[^>]*data-knob="\w+"[^>]*>', html)
    names = [re.search('name="(.*?)"', each)[1] for each in knobs]
    own = ["colornet.vividness", "colornet.saturation", "colornet.size"]
    assert names == [*own, "painter.saturation", "painter.size"]
    assert 'min="64" max="1024" value="256"' in knobs[2]


def test_what_others_wrote_stays_text(visitor: TestClient) -> None:
    html = visitor.get("/").text
    assert "The &lt;b&gt;Painter&lt;/b&gt;" in html
    assert "Vivid &amp; bold." in html
    assert "javascript:" not in html


def test_nothing_is_inline(visitor: TestClient, uploaded: tuple[str, str]) -> None:
    for path in ("/", f"/photographs/{uploaded[0]}", "/upload?strategy=colornet"):
        html = visitor.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=", html)
        scripts = re.findall("<script[^>]*>", html)
        assert all('src="' in each or 'type="application/json"' in each for each in scripts)


def test_kinds_and_limit_are_said_before(visitor: TestClient) -> None:
    html = visitor.get("/").text
    assert "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC, up to 1 MB each." in html
    assert 'accept="image/jpeg,image/png,' in html


def test_without_a_manifest_the_page_asks_for_patience(make_site: MakeSite) -> None:
    html = make_site(published=False).client().get("/").text
    assert "still starting" in html
    assert 'type="radio"' not in html
    assert '<noscript><meta http-equiv="refresh"' in html


def test_the_language_is_the_browsers_until_one_is_chosen(visitor: TestClient) -> None:
    german = {"Accept-Language": "fr;q=0.9, de-AT, en;q=0.5"}
    page = visitor.get("/", headers=german)
    assert '<html lang="de">' in page.text
    assert "Accept-Language" in page.headers["Vary"]
    assert '<html lang="en">' in visitor.get("/?lang=en", headers=german).text
    assert '<html lang="en">' in visitor.get("/", headers=german).text
    assert '<html lang="en">' in visitor.get("/?lang=fr").text


def test_numbers_and_lists_are_german_too(make_site: MakeSite) -> None:
    html = make_site(max_upload_bytes=3 * 2**19).client().get("/?lang=de").text
    assert "AVIF oder HEIC, bis 1,5 MB je Foto." in html


def test_knobs_are_written_in_the_visitors_language(
    visitor: TestClient, uploaded: tuple[str, str]
) -> None:
    path = f"/photographs/{uploaded[0]}"
    order = {"strategy": "colornet", "knobs": {"saturation": 1.37}}
    assert visitor.post(f"/api/images/{uploaded[0]}/recolor", json=order).status_code == 202
    assert ">1.37</output>" in visitor.get(path).text
    german = visitor.get(f"{path}?lang=de").text
    assert ">1,37</output>" in german
    assert 'value="1.37"' in german


def test_the_album_without_scripts_is_its_owners(
    visitor: TestClient,
    site: Site,
    wish: Wish,
    gray_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.photographs.PAGE_LENGTH", 1)
    assert "There are no photographs in this browser yet." in visitor.get("/album").text
    ids = []
    for name in ("<old>.jpg", "new.jpg"):
        created = visitor.post("/api/images", json=wish | {"filename": name}).json()
        site.send(created, gray_jpeg)
        ids.append(created["id"])
    newest = visitor.get("/album").text
    assert re.findall('href="/photographs/(.*?)">(.*?)</a>', newest) == [(ids[1], "new.jpg")]
    assert "On its way" in newest
    older = visitor.get(re.search('href="(/album[?]after=.*?)"', newest)[1]).text
    link = (ids[0], "&lt;old&gt;.jpg")
    assert re.findall('href="/photographs/(.*?)">(.*?)</a>', older) == [link]
    assert "/album?after=" not in older
    assert "/photographs/" not in site.client().get("/album").text
    assert visitor.get("/album?after=../x", headers=HTML).status_code == 422


def test_the_first_page_lists_nothing(
    visitor: TestClient, site: Site, uploaded: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    monkeypatch.setattr(Photographs, "album", lambda self, visitor, after: listed.append(visitor))
    assert '<noscript><a href="/album">' in visitor.get("/").text
    assert listed == []


def test_a_photographs_page_is_its_owners(
    visitor: TestClient, site: Site, uploaded: tuple[str, str], colored_jpeg: bytes
) -> None:
    image_id, key = uploaded
    path = f"/photographs/{image_id}"
    waiting = visitor.get(path).text
    assert "On its way" in waiting
    assert '<meta http-equiv="refresh"' in waiting
    site.color(key, colored_jpeg)
    html = visitor.get(path).text
    assert "http-equiv" not in html
    view = json.loads(re.search(r'id="view">(.*?)</script>', html)[1])
    assert view["status"] == "done"
    for url in (view["original_url"], view["colored_url"]):
        assert url in unescape(html)
    stranger = site.client().get(path, headers=HTML)
    assert stranger.status_code == 404
    assert "There is nothing here" in stranger.text
    assert "grandma" not in stranger.text
    assert site.client().get("/photographs/none").status_code == 404


def test_a_failure_is_told_by_its_code_or_else_as_it_was_recorded(
    visitor: TestClient, site: Site, uploaded: tuple[str, str]
) -> None:
    image_id, key = uploaded
    site.fail(key, "A reason that nobody translated.")
    path = f"/photographs/{image_id}?lang=de"
    assert "A reason that nobody translated." in visitor.get(path).text


def test_a_form_uploads_and_comes_back(visitor: TestClient, site: Site, gray_jpeg: bytes) -> None:
    fields = {
        "strategy": "painter",
        "painter.saturation": "0.5",
        "painter.size": "256",
        "colornet.vividness": "2",
    }
    html = visitor.get("/upload", params=fields).text
    address = unescape(re.search('<form class="post" method="post" action="(.*?)"', html)[1])
    form = {
        unescape(name): unescape(value)
        for name, value in re.findall('type="hidden" name="(.*?)" value="(.*?)"', html)
    }
    sent = httpx2.post(address, data=form, files={"file": ("x", gray_jpeg)})
    assert sent.status_code == 303
    assert sent.headers["Location"].startswith("http://testserver/photographs/")
    metadata = site.s3.head_object(Bucket=site.uploads, Key=form["key"])["Metadata"]
    assert metadata["strategy"] == "painter"
    assert metadata["saturation"] == "0.5"
    assert "vividness" not in metadata
    path = sent.headers["Location"].partition("testserver")[2]
    assert "On its way" in visitor.get(path).text


def test_a_form_that_cannot_be_is_told_why(visitor: TestClient) -> None:
    page = visitor.get("/upload?strategy=richzhang", headers=HTML)
    assert page.status_code == 409
    assert "This way of coloring is not ready just now." in page.text
    details = visitor.get("/upload?strategy=richzhang").json()
    assert details["detail"].startswith("Its weights are not here yet.")


def test_looking_at_the_form_begins_no_upload(visitor: TestClient, site: Site) -> None:
    def notes() -> int:
        listed = site.s3.list_objects_v2(Bucket=site.results, Prefix=VISITORS_PREFIX)
        count: int = listed["KeyCount"]
        return count

    before = notes()
    looked = visitor.head("/upload?strategy=colornet")
    assert looked.status_code == 200
    assert looked.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Content-Length" not in looked.headers
    assert visitor.head("/upload?strategy=richzhang").status_code == 409
    assert notes() == before
    visitor.get("/upload?strategy=colornet")
    assert notes() == before + 1


def test_a_form_recolors(
    visitor: TestClient, site: Site, uploaded: tuple[str, str], colored_jpeg: bytes
) -> None:
    image_id, key = uploaded
    site.color(key, colored_jpeg)
    path = f"/photographs/{image_id}"
    form: dict[str, Any] = {"strategy": "painter", "painter.saturation": "2"}
    answer = visitor.post(f"{path}/recolor", data=form, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"] == path
    metadata = site.s3.head_object(Bucket=site.uploads, Key=key)["Metadata"]
    assert metadata.items() >= {"strategy": "painter", "saturation": "2"}.items()
    beside = visitor.post(f"{path}/recolor", data=form | {"beside": "1"}, follow_redirects=False)
    assert beside.headers["Location"] != path
    assert visitor.get(beside.headers["Location"]).status_code == 200
    assert site.client().post(f"{path}/recolor", data=form).status_code == 404
    refused = visitor.post(f"{path}/recolor", data={"strategy": "none"}, headers=HTML)
    assert refused.status_code == 422
    assert "This way of coloring is not available any more." in refused.text


def test_a_refused_form_can_be_read_in_another_language(
    visitor: TestClient, site: Site, wish: Wish
) -> None:
    image_id = visitor.post("/api/images", json=wish).json()["id"]
    path = f"/photographs/{image_id}"
    form = {"strategy": "painter"}
    early = visitor.post(f"{path}/recolor", data=form, headers=HTML)
    assert early.status_code == 409
    german = re.search('<a href="(.*?)" lang="de"', early.text)[1]
    assert german == f"{path}?lang=de"
    assert '<html lang="de">' in visitor.get(german).text
    strange = HTML | {"Sec-Fetch-Site": "cross-site"}
    refused = visitor.post(f"{path}/delete", headers=strange)
    german = re.search('<a href="(.*?)" lang="en"', refused.text)[1]
    assert visitor.get(german).status_code == 200


def test_a_form_deletes(visitor: TestClient, site: Site, uploaded: tuple[str, str]) -> None:
    path = f"/photographs/{uploaded[0]}"
    assert site.client().post(f"{path}/delete").status_code == 404
    assert visitor.get(path).status_code == 200
    answer = visitor.post(f"{path}/delete", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert visitor.get(path).status_code == 404


def test_a_site_that_visitors_know_by_another_name(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = "/upload?strategy=painter"
    assert 'value="http://testserver/photographs/' in make_site().client().get(step).text
    monkeypatch.setenv("DEEPCOLOR_PAGE_ORIGIN", "https://color.example.org")
    assert 'value="https://color.example.org/photographs/' in make_site().client().get(step).text
