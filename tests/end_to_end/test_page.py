"""Visitors in a real browser color photographs on the real stack, the docs' example among it."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.end_to_end.running_stack import ROOT, RunningStack, chroma, start_stack

WAIT_MILLISECONDS = 60_000
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
]
PIP_INSTALL = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
PIP_INSTALL += ["--no-deps", "--no-build-isolation"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """With the example strategy, which takes color hints."""
    site = tmp_path_factory.mktemp("site")
    example = ROOT / "docs" / "example-strategy"
    subprocess.run([*PIP_INSTALL, "--target", str(site), str(example)], check=True)
    folder = tmp_path_factory.mktemp("stack") / "bucket"
    running = start_stack(folder, {"PYTHONPATH": str(site)})
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        pytest.skip("no Chromium on the path; install one to run the browser tests")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        expect.set_options(timeout=WAIT_MILLISECONDS)
        yield launched
        expect.set_options(timeout=None)
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A visitor of its own, whose console stays empty."""
    complaints: list[str] = []
    context = browser.new_context()
    context.set_default_timeout(WAIT_MILLISECONDS)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=name))


def expect_colored(state: Locator) -> None:
    expect(state).to_contain_text("Colored")


def size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def downloaded(page: Page, link: Locator) -> bytes:
    with page.expect_download() as waiting:
        link.click()
    return waiting.value.path().read_bytes()


def test_a_visitor_colors_photographs(
    stack: RunningStack, browser: Browser, page: Page, photographs: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photographs[1].read_bytes()[:200])
    chosen = photographs[:3]
    page.goto(stack.page)
    page.get_by_role("radio", name="colornet").check()
    page.get_by_label("Choose photographs").set_input_files([*chosen, broken])
    for photograph in chosen:
        expect_colored(card(page, photograph.name))
    expect(card(page, "broken.jpg")).to_contain_text("This photograph is damaged.")
    first = card(page, chosen[0].name)
    content = downloaded(page, first.get_by_role("link", name="Download"))
    assert chroma(content) > 3
    assert size(content) == size(chosen[0].read_bytes())

    page.reload()
    for photograph in chosen:
        for kind in ("the original", "in color"):
            picture = page.get_by_role("img", name=f"{photograph.name}, {kind}")
            expect(picture).to_be_visible()
            expect(picture).not_to_have_js_property("naturalWidth", 0)
    archive = io.BytesIO(downloaded(page, page.get_by_role("button", name="Download all")))
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert len(opened.namelist()) == 3
        assert content in [opened.read(name) for name in opened.namelist()]

    first.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(first).to_have_count(0)
    left = [path for path in stack_objects(stack) if chosen[0].name in path]
    assert left == []

    stranger = browser.new_page()
    stranger.goto(stack.page)
    stranger.wait_for_load_state("networkidle")
    expect(stranger.get_by_role("article")).to_have_count(0)
    stranger.close()


def stack_objects(stack: RunningStack) -> list[str]:
    return [
        item["Key"]
        for bucket in ("deepcolor-uploads", "deepcolor-results")
        for item in stack.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    ]


def test_a_visitor_guides_the_colors(
    stack: RunningStack, page: Page, photographs: list[Path]
) -> None:
    photograph = photographs[0]
    page.goto(stack.page)
    page.get_by_role("radio", name="Split toning").check()
    page.get_by_label("Choose photographs").set_input_files(photograph)
    expect_colored(card(page, photograph.name))
    page.get_by_role("link", name="Change the colors").click()
    page.get_by_role("button", name="Place colors").click()
    surface = page.get_by_role("application")
    box = surface.bounding_box()
    assert box is not None
    surface.click(position={"x": box["width"] * 0.4, "y": box["height"] * 0.6})
    page.get_by_role("button", name="strong magenta").click()
    expect(page.locator(".state")).not_to_contain_text("Colored")
    expect_colored(page.locator(".state"))
    content = downloaded(page, page.get_by_role("link", name="Download"))
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
        there = image.convert("RGB").getpixel((int(width * 0.4), int(height * 0.6)))
    red, green, blue = np.asarray(there, dtype=int)
    assert min(red, blue) - green > 25


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_visitor_without_scripts(
    stack: RunningStack, browser: Browser, photographs: list[Path], host: str
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="de-DE")
    page = context.new_page()
    page.goto(stack.page.replace("127.0.0.1", host))
    page.get_by_role("button", name="Weiter zum Hochladen").click()
    page.get_by_label("Foto").set_input_files(photographs[1])
    page.get_by_role("button", name="Hochladen").click()
    picture = page.get_by_role("img", name="Foto, in Farbe")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", size(photographs[1].read_bytes())[0])
    context.close()


@pytest.fixture
def other_site(tmp_path: Path) -> Iterator[str]:
    """A page of another site than 127.0.0.1, with a frame whose origin is "null"."""
    frame = '<iframe sandbox="allow-scripts allow-forms" srcdoc="<form method=post></form>">'
    (tmp_path / "index.html").write_text(frame)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def test_another_site_reads_and_deletes_nothing(
    stack: RunningStack, browser: Browser, photographs: list[Path], other_site: str
) -> None:
    bucket, key = "deepcolor-uploads", "colornet/private.jpg"
    stack.s3.upload_file(str(photographs[0]), bucket, key)
    stack.finished(key)
    before = len(stack_objects(stack))
    page = browser.new_page()
    page.goto(other_site)
    endpoint = stack.s3_endpoint
    read = "address => fetch(address).then(reply => reply.status, () => 'refused')"
    for address in (f"{bucket}", f"{bucket}/{key}?X-Amz-Signature=0", "moto-api/data.json"):
        assert page.evaluate(read, f"{endpoint}/{address}") == "refused"
    deletion = f"<Delete><Object><Key>{key}</Key></Object></Delete>"
    body = {"method": "POST", "mode": "no-cors", "body": deletion}
    sent = "([address, options]) => fetch(address, options).then(() => 'sent', () => 'refused')"
    page.evaluate(sent, [f"{endpoint}/{bucket}?delete", body])
    frame = page.frames[1]
    frame.evaluate(sent, [f"{endpoint}/{bucket}?delete", body])
    frame.evaluate("action => Object.assign(document.forms[0], {action}).submit()", endpoint)
    page.wait_for_timeout(500)
    assert len(stack_objects(stack)) == before
    assert stack.s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
    log = (stack.folder / ".stack" / "object-store.log").read_text()
    assert log.count(f"POST /{bucket}?delete 403 FORBIDDEN") == 2
    assert "POST / 403 FORBIDDEN" in log
    page.close()
