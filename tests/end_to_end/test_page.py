"""A visitor in a real browser colors photographs on the real stack."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.end_to_end.running_stack import RunningStack, chroma

WAIT_MILLISECONDS = 60_000
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
]


@pytest.fixture
def page() -> Iterator[Page]:
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        pytest.skip("no Chromium on the path; install one to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=CHROMIUM_FLAGS,
        )
        yield browser.new_page()
        browser.close()


def size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def test_a_visitor_colors_photographs(
    stack: RunningStack, page: Page, photographs: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photographs[1].read_bytes()[:200])
    page.goto(stack.page)
    page.get_by_role("radio", name="colornet").check()
    page.locator("input[type=file]").set_input_files([photographs[0], broken, photographs[2]])
    downloads = page.get_by_role("link", name="Download")
    expect(downloads).to_have_count(2, timeout=WAIT_MILLISECONDS)
    expect(page.locator("#photographs").get_by_text("is damaged")).to_be_visible(
        timeout=WAIT_MILLISECONDS
    )
    with page.expect_download() as waiting:
        downloads.first.click()
    content = waiting.value.path().read_bytes()
    assert chroma(content) > 3
    sizes = [size(path.read_bytes()) for path in (photographs[0], photographs[2])]
    assert size(content) in sizes

    page.reload()
    expect(page.get_by_role("link", name="Download")).to_have_count(2, timeout=WAIT_MILLISECONDS)
    pictures = page.locator("figure img:visible")
    expect(pictures).to_have_count(4)  # the broken one shows none
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()  # they load when they come into view
        expect(picture).to_have_js_property("complete", value=True)
        assert picture.evaluate("image => image.naturalWidth") > 0
