"""The page in a real browser, its uploads going to another origin, the test playing the worker."""

from __future__ import annotations

import io
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from functions.contract.records import Status

if TYPE_CHECKING:
    from tests.web.conftest import MakeSite, Site

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--no-first-run",
]
START_SECONDS = 10

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="NO BROWSER: the page is not tested. Install chromium."
)


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The application under uvicorn, and leave for its page to upload from there."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        rule = {"AllowedOrigins": [address], "AllowedMethods": ["POST"], "AllowedHeaders": ["*"]}
        site.s3.put_bucket_cors(Bucket=site.uploads, CORSConfiguration={"CORSRules": [rule]})
        config = uvicorn.Config(site.app, log_level="warning", ws="none", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            assert time.monotonic() < deadline, "uvicorn did not start"
            time.sleep(0.01)
        yield address
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with served(site) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens the page as a new visitor; at the end, the console must have stayed empty."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_page(url: str, **options: Any) -> Page:
            context = browser.new_context(**options)
            stack.callback(context.close)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(url)
            return page

        yield open_page
    assert complaints == []


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=name))


def choose(page: Page, *paths: Path) -> None:
    page.get_by_label("Choose photographs").set_input_files(paths)


def expect_picture(picture: Locator, width: int) -> None:
    """Loaded, not only asked for."""
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    expect(picture).to_have_js_property("naturalWidth", width)


def test_a_photograph_gets_its_colors(
    visit: Visit, address: str, site: Site, tmp_path: Path, colored_jpeg: bytes
) -> None:
    noisy = tmp_path / "attic.jpg"
    Image.effect_noise((1200, 900), 90).save(noisy, quality=60)
    page = visit(address)
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 150_000}
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", slow)
    choose(page, noisy)
    attic = card(page, "attic.jpg")
    expect(attic).to_contain_text("Uploading")
    bar = attic.get_by_role("progressbar", name="Upload of attic.jpg")
    expect(bar).to_be_visible()
    expect(bar).not_to_have_js_property("value", 0)
    assert 0 < bar.evaluate("bar => bar.value") < 1
    network.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})

    key = site.arrived("attic.jpg")
    expect(attic).to_contain_text("On its way")
    expect(bar).to_be_hidden()
    site.record(key, Status.QUEUED)
    expect(attic).to_contain_text("Waiting for its turn")
    site.record(key, Status.RUNNING)
    expect(attic).to_contain_text("Coloring")
    expect(attic.get_by_role("link", name="Download")).to_be_hidden()
    site.color(key, colored_jpeg)
    expect_picture(attic.get_by_role("img", name="attic.jpg, in color"), 320)
    expect_picture(attic.get_by_role("img", name="attic.jpg, the original"), 1200)
    expect(page.get_by_role("log")).to_contain_text("attic.jpg: Colored")

    with page.expect_download() as download:
        attic.get_by_role("link", name="Download attic.jpg").click()
    assert download.value.suggested_filename == "attic-color.jpg"
    assert Path(download.value.path()).read_bytes() == colored_jpeg


def test_the_chosen_strategy_is_ordered(
    visit: Visit, address: str, site: Site, gray_file: Path
) -> None:
    page = visit(address)
    group = page.get_by_role("group", name="Strategy")
    expect(group.get_by_role("radio", name="colornet")).to_be_checked()
    expect(group.get_by_role("radio", name="Zhang et al. 2016")).to_be_disabled()
    expect(group).to_contain_text("Not ready. Its weights are not here yet.")
    painter = group.get_by_role("radio", name="The <b>Painter</b>")
    painter.check()
    choose(page, gray_file)
    head = site.s3.head_object(Bucket=site.uploads, Key=site.arrived(gray_file.name))
    assert head["Metadata"]["strategy"] == "painter"


def test_a_failure_stays_with_its_photograph(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_jpeg: bytes, colored_jpeg: bytes
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "sound.jpg").write_bytes(gray_jpeg)
    page = visit(address)
    choose(page, tmp_path / "broken.jpg", tmp_path / "sound.jpg")
    site.fail(site.arrived("broken.jpg"), "broken.jpg is not an image: <b>sorry</b>.")
    expect(card(page, "broken.jpg")).to_contain_text("broken.jpg is not an image: <b>sorry</b>.")
    site.color(site.arrived("sound.jpg"), colored_jpeg)
    expect_picture(page.get_by_role("img", name="sound.jpg, in color"), 320)
    expect(card(page, "broken.jpg").get_by_role("link", name="Download")).to_be_hidden()


def test_a_reload_finds_the_photographs_and_strangers_do_not(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_jpeg: bytes, colored_jpeg: bytes
) -> None:
    page = visit(address)
    for name in ("first.jpg", "second.jpg"):
        (tmp_path / name).write_bytes(gray_jpeg)
        choose(page, tmp_path / name)
        expect(card(page, name)).to_contain_text("On its way")
    site.color(site.arrived("first.jpg"), colored_jpeg)
    expect_picture(page.get_by_role("img", name="first.jpg, in color"), 320)

    page.reload()
    expect(page.get_by_role("heading", level=3)).to_have_text(["second.jpg", "first.jpg"])
    expect_picture(page.get_by_role("img", name="first.jpg, in color"), 320)
    expect_picture(page.get_by_role("img", name="first.jpg, the original"), 320)
    site.color(site.arrived("second.jpg"), colored_jpeg)
    expect_picture(page.get_by_role("img", name="second.jpg, in color"), 320)

    stranger = visit(address)
    stranger.wait_for_load_state("networkidle")
    expect(stranger.get_by_role("heading", name="Your photographs")).to_be_hidden()
    expect(stranger.get_by_role("article")).to_have_count(0)


def test_photographs_can_be_dropped_anywhere(
    visit: Visit, address: str, site: Site, colored_jpeg: bytes
) -> None:
    page = visit(address)
    page.evaluate(
        """async () => {
          const canvas = Object.assign(document.createElement("canvas"), {width: 80, height: 60});
          const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([blob], "dropped.png", {type: "image/png"}));
          for (const type of ["dragover", "drop"]) {
            document.body.dispatchEvent(
              new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
          }
        }"""
    )
    site.color(site.arrived("dropped.png"), colored_jpeg)
    expect_picture(page.get_by_role("img", name="dropped.png, in color"), 320)


def test_the_keyboard_suffices(visit: Visit, address: str) -> None:
    page = visit(address)
    # Playwright asks the browser to hand over file choosers without waiting for its answer, so a
    # listener of the last moment could come too late.
    page.on("filechooser", lambda chooser: None)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Choose photographs")).to_be_focused()
    with page.expect_file_chooser():
        page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="colornet")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="The <b>Painter</b>")).to_be_checked()


def test_what_a_browser_cannot_show(
    visit: Visit, address: str, site: Site, tmp_path: Path, colored_jpeg: bytes
) -> None:
    tiff = io.BytesIO()
    Image.linear_gradient("L").save(tiff, "TIFF")
    (tmp_path / "scan.tif").write_bytes(tiff.getvalue())
    page = visit(address)
    choose(page, tmp_path / "scan.tif")
    scan = card(page, "scan.tif")
    original = scan.get_by_role("figure").filter(has_text="Original")
    expect(original).to_contain_text("Your browser cannot show this kind of file.")
    site.color(site.arrived("scan.tif"), colored_jpeg)
    expect_picture(scan.get_by_role("img", name="scan.tif, in color"), 320)


def test_more_than_a_page_of_photographs(
    visit: Visit,
    address: str,
    site: Site,
    tmp_path: Path,
    gray_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.photographs.PAGE_LENGTH", 2)
    page = visit(address)
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(gray_jpeg)
        choose(page, tmp_path / f"{number}.jpg")
        expect(card(page, f"{number}.jpg")).to_contain_text("On its way")
    page.reload()
    names = page.get_by_role("heading", level=3)
    expect(names).to_have_text(["2.jpg", "1.jpg"])
    page.get_by_role("button", name="Show earlier photographs").click()
    expect(names).to_have_text(["2.jpg", "1.jpg", "0.jpg"])
    expect(page.get_by_role("button", name="Show earlier photographs")).to_be_hidden()


def test_the_page_fits_a_phone(
    visit: Visit, address: str, site: Site, gray_file: Path, colored_jpeg: bytes
) -> None:
    page = visit(address, viewport={"width": 320, "height": 640})
    choose(page, gray_file)
    site.color(site.arrived(gray_file.name), colored_jpeg)
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_page_waits_for_the_first_worker(
    visit: Visit, make_site: MakeSite, gray_file: Path
) -> None:
    site = make_site(published=False)
    with served(site) as address:
        page = visit(address)
        expect(page.get_by_text("still starting")).to_be_visible()
        expect(page.get_by_label("Choose photographs")).to_be_disabled()
        site.publish()
        expect(page.get_by_role("radio", name="colornet")).to_be_checked()
        expect(page.get_by_text("still starting")).to_have_count(0)
        choose(page, gray_file)
        site.arrived(gray_file.name)
        page.context.close()


def test_refusals_are_told_by_name(browser: Browser, address: str, tmp_path: Path) -> None:
    """The browser itself notes refused requests in the console, so it is not looked at here."""
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "huge.png").write_bytes(bytes(2**20 + 1))
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    choose(page, tmp_path / "notes.txt", tmp_path / "huge.png")
    expect(card(page, "notes.txt")).to_contain_text(
        "notes.txt is not of a kind that can be colored: JPEG, PNG, WebP, TIFF or BMP."
    )
    expect(card(page, "huge.png")).to_contain_text(re.compile("up to 1 MB can be colored"))
    context.close()


def test_an_upload_that_is_cut_off(
    browser: Browser, address: str, site: Site, gray_file: Path, colored_jpeg: bytes
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    bucket = f"{site.s3.meta.endpoint_url}/{site.uploads}"
    page.route(f"{bucket}*", lambda route: route.abort())
    choose(page, gray_file)
    expect(card(page, gray_file.name)).to_contain_text("The upload was interrupted.")
    page.unroute(f"{bucket}*")
    choose(page, gray_file)
    site.color(site.arrived(gray_file.name), colored_jpeg)
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    context.close()
