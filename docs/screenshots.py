"""Draws the README's pictures of the page: ``python docs/screenshots.py http://127.0.0.1:8000/``.

The address is that of a page that ``make run`` started. Chromium must be on the path.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
SHOWN = ("jersey-shore-1905", "killarney-1910", "dust-bowl")  # the last stands first in the album
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
WAIT_MILLISECONDS = 120_000
QUALITY = 82


def main(address: str) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        visitor = first_view(browser, address)
        photograph = album(browser, address, visitor)
        studio(browser, photograph, visitor)
        browser.close()


def first_view(browser: Browser, address: str) -> Path:
    """Uploads the photographs too; gives the visitor's state."""
    context = browser.new_context(viewport=DESKTOP, device_scale_factor=1.25)
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_label("Choose photographs")).to_be_enabled()
    page.wait_for_load_state("networkidle")
    take(page, "desktop")
    for name in SHOWN:
        page.get_by_label("Choose photographs").set_input_files(PICTURES / f"{name}.gray.jpg")
        expect(page.get_by_role("article").first).to_contain_text("Colored")
    state = PICTURES / ".visitor.json"
    context.storage_state(path=state)
    context.close()
    return state


def album(browser: Browser, address: str, visitor: Path) -> str:
    """On a phone, in the dark; gives the address of the newest photograph's own page."""
    context = browser.new_context(
        viewport=PHONE,
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        color_scheme="dark",
        storage_state=visitor,
    )
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_role("article")).to_have_count(len(SHOWN))
    page.wait_for_load_state("networkidle")
    page.evaluate("document.getElementById('album').scrollIntoView({behavior: 'instant'})")
    take(page, "phone")
    link = page.get_by_role("link", name="Change the colors").first
    path = link.get_attribute("href") or ""
    context.close()
    return address.rstrip("/") + path


def studio(browser: Browser, photograph: str, visitor: Path) -> None:
    context = browser.new_context(viewport=DESKTOP, device_scale_factor=1.25, storage_state=visitor)
    page = context.new_page()
    page.goto(photograph)
    expect(page.locator(".state")).to_contain_text("Colored")
    page.wait_for_load_state("networkidle")
    take(page, "photograph")
    context.close()
    visitor.unlink()


def take(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"page-{name}.jpg", type="jpeg", quality=QUALITY)


if __name__ == "__main__":
    main(sys.argv[1])
