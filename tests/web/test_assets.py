from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from web import assets

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from starlette.testclient import TestClient


def test_what_the_page_links_is_there_for_good(visitor: TestClient) -> None:
    urls = re.findall(r'(?:src|href)="(/static/[^"]+)"', visitor.get("/").text)
    assert len(urls) >= 4
    for url in urls:
        answer = visitor.get(url)
        assert answer.status_code == 200, url
        assert "immutable" in answer.headers["cache-control"]
        assert "content-security-policy" in answer.headers


def test_scripts_import_only_each_other() -> None:
    names = {path.name for path in assets.DIRECTORY.glob("*.js")}
    for path in assets.DIRECTORY.glob("*.js"):
        imported = re.findall(r'(?:from |import\()"([^"]+)"', path.read_text())
        assert {name.removeprefix("./") for name in imported} <= names


def test_the_address_changes_with_the_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(assets, "DIRECTORY", tmp_path)
    urls = set()
    (tmp_path / "gallery").mkdir()
    for name in ("page.js", "gallery/a.webp"):
        for text in ("a", "b", "a"):
            (tmp_path / name).write_text(text)
            urls.add(assets.Assets.of_this_package().url)
    assert len(urls) == 4


def test_pictures_are_told_as_such_where_the_system_knows_no_types() -> None:
    script = (
        "import mimetypes; mimetypes.knownfiles.clear()\n"
        "import web.assets; print(mimetypes.guess_type('a.webp')[0])"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "image/webp"


def test_the_first_view_is_light(visitor: TestClient) -> None:
    """At most 100 KB and 20 files without pictures."""
    files = {"page.css"} | imported_by("page.js")
    size = sum((assets.DIRECTORY / name).stat().st_size for name in files)
    assert size + len(visitor.get("/").content) < 100_000
    assert len(files) < 20
    assert files.isdisjoint({"zip.js", "archive.js", "zoom.js", "guide.js"})


def imported_by(name: str) -> set[str]:
    """The script and all that must have arrived before it runs."""
    found, wanted = set(), [name]
    while wanted:
        found.add(each := wanted.pop())
        imported = re.findall(r'from "./([^"]+)"', (assets.DIRECTORY / each).read_text())
        wanted += [other for other in imported if other not in found]
    return found
