from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx2
import pytest

from functions.contract.manifest import ManifestReader
from functions.contract.settings import Settings
from web import ids
from web.photographs import Photographs
from web.wishes import Wish

if TYPE_CHECKING:
    from tests.web.conftest import Site


def test_a_form_without_scripts_leads_back(site: Site, gray_jpeg: bytes) -> None:
    settings = Settings(site.uploads, site.results, "", 2**20)
    of_site = Photographs(site.s3, settings)
    manifest = ManifestReader(site.s3, site.results).read()
    wish = Wish.unseen({"strategy": "painter"}, manifest, "photograph")
    visitor = ids.random_id()
    photograph, form = of_site.add(visitor, wish, back_to="https://color.example.org/")
    own_page = f"https://color.example.org/photographs/{photograph.id}"
    conditions = json.loads(base64.b64decode(form["fields"]["policy"]))["conditions"]
    assert {"success_action_redirect": own_page} in conditions
    assert {"key": f"web/{visitor}/{photograph.id}/photograph"} in conditions

    sent = httpx2.post(form["url"], data=form["fields"], files={"file": ("x", gray_jpeg)})
    assert sent.status_code == 303
    assert sent.headers["location"].startswith(own_page)
    site.color(photograph.key, gray_jpeg)
    found = of_site.find(visitor, photograph.id)
    assert found == photograph
    done = of_site.describe(photograph)
    assert (done["filename"], done["strategy"], done["status"]) == ("photograph", "painter", "done")
    assert "photograph-color.jpg" in done["download_url"]


def test_a_name_with_dollars_is_kept_and_no_dollar_is_signed(site: Site, gray_jpeg: bytes) -> None:
    """S3 refuses a form in whose policy there is one that begins no escape."""
    client = site.client()
    wish = {"filename": "$$ ${filename}.jpg", "content_type": "image/jpeg", "size": len(gray_jpeg)}
    wish["strategy"] = "painter"
    made = client.post("/api/images", json=wish).json()
    assert b"$" not in base64.b64decode(made["upload"]["fields"]["policy"]).replace(b'"$', b"")
    assert made["upload"]["fields"]["key"].endswith("/__ _{filename}.jpg")
    site.send(made, gray_jpeg)
    site.color(made["upload"]["fields"]["key"], gray_jpeg)
    done = client.get(f"/api/images/{made['id']}").json()
    assert (done["filename"], done["status"]) == ("$$ ${filename}.jpg", "done")
    assert "$$ ${filename}-color.jpg" in unquote(done["download_url"])


def test_what_a_later_version_added_to_a_note_is_left_out(site: Site) -> None:
    of_site = Photographs(site.s3, Settings(site.uploads, site.results, "", 2**20))
    manifest = ManifestReader(site.s3, site.results).read()
    wish = Wish.unseen({"strategy": "painter"}, manifest, "photograph")
    photograph, _ = of_site.add(ids.random_id(), wish)
    note = json.loads(
        site.s3.get_object(Bucket=site.results, Key=photograph.note_key)["Body"].read()
    )
    note["mood"] = note["coloring"]["mood"] = "calm"
    site.s3.put_object(Bucket=site.results, Key=photograph.note_key, Body=json.dumps(note))
    assert of_site.find(photograph.visitor, photograph.id) == photograph


def test_what_was_asked_is_in_the_log(
    site: Site, gray_jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """With the correlation id under which dispatch and the worker log it."""
    client = site.client()
    wish = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 9, "strategy": "painter"}
    made = client.post("/api/images", json=wish).json()
    site.send(made, gray_jpeg)
    client.post(f"/api/images/{made['id']}/recolor", json={})
    client.delete(f"/api/images/{made['id']}")
    said = [vars(record) for record in caplog.records if record.name == "web"]
    assert [line["msg"] for line in said] == ["upload signed", "recoloring asked", "deleted"]
    ids = [line["correlation_id"] for line in said]
    assert ids[0] == made["id"]
    assert ids[1] == ids[2] != ids[0]
    assert all(line["key"].startswith("web/") for line in said)
