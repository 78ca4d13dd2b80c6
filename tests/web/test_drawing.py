from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from web import app as web_app

if TYPE_CHECKING:
    from tests.web.conftest import MakeSite

PEOPLE = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "de"}


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/nope", 404, "Unter dieser Adresse gibt es nichts."),
        ("GET", "/photographs/none", 404, "In diesem Browser haben Sie kein solches Foto."),
        ("DELETE", "/upload", 405, "So lässt sich diese Adresse nicht verwenden."),
        ("POST", "/photographs/none/recolor", 415, "Was die Seite geschickt hat"),
    ],
)
def test_people_are_told_on_a_page_in_their_language(
    visitor: TestClient, method: str, path: str, status: int, sentence: str
) -> None:
    page = visitor.request(method, path, headers=PEOPLE)
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert '<html lang="de">' in page.text
    assert sentence in page.text
    assert ("Hier ist nichts" in page.text) is (status == 404)
    assert "Accept, " in page.headers["vary"]
    assert ("allow" in page.headers) is (status == 405)


def test_programs_are_told_the_details(visitor: TestClient) -> None:
    for path, headers in (("/nope", {"Accept": "*/*"}), ("/nope", {}), ("/api/nope", PEOPLE)):
        answer = visitor.get(path, headers=headers)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_without_a_manifest_a_form_is_asked_for_patience(make_site: MakeSite) -> None:
    page = make_site(published=False).client().get("/upload?strategy=colornet", headers=PEOPLE)
    assert page.status_code == 503
    assert page.headers["retry-after"] == "2"
    assert "Der Dienst startet noch." in page.text


def test_storage_out_of_reach(make_site: MakeSite) -> None:
    site = make_site()
    client = site.client()
    client.get("/")
    site.s3.delete_object(Bucket=site.results, Key="strategies.json")
    site.s3.delete_bucket(Bucket=site.results)
    page = client.get(f"/photographs/{'0' * 26}", headers=PEOPLE)
    assert page.status_code == 503
    assert "Die Fotos sind gerade nicht erreichbar." in page.text


def test_a_crash(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(self: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(web_app.ManifestReader, "read", crash)
    client = TestClient(make_site().app, raise_server_exceptions=False)
    page = client.get("/", headers=PEOPLE)
    assert page.status_code == 500
    assert "Bei uns ist etwas schiefgegangen." in page.text
    assert "secret" not in page.text
    assert page.headers["x-content-type-options"] == "nosniff"
