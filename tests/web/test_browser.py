"""The page in a real browser, its uploads going to another origin, the test playing the worker."""

from __future__ import annotations

import io
import math
import re
import shutil
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import httpx2
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import (
    Browser,
    Dialog,
    Locator,
    Page,
    Request,
    Response,
    Route,
    expect,
    sync_playwright,
)

from functions.contract import manifest
from functions.contract.records import Status
from tests.web.conftest import MANIFEST

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
MOST_TABS = 60
REFUSED = ("Failed to load resource",)
NEW_YORK = ZoneInfo("America/New_York")
WAIT_MILLISECONDS = 20_000
HASTY_MILLISECONDS = 500  # in which a page that does not wait would have asked

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="NO BROWSER: the page is not tested. Install chromium."
)


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The application under uvicorn, and leave for its page to use the buckets from there."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        methods = ["GET", "POST"]
        rule = {"AllowedOrigins": [address], "AllowedMethods": methods, "AllowedHeaders": ["*"]}
        for bucket in (site.uploads, site.results):
            site.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
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
        expect.set_options(timeout=WAIT_MILLISECONDS)
        yield chromium
        expect.set_options(timeout=None)
        chromium.close()


Visit = Callable[..., Page]


@contextmanager
def visiting(browser: Browser, complaints: list[str]) -> Iterator[Visit]:
    """Opens the page as a new visitor; hears what the console says meanwhile."""
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


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """At the end, the console must have stayed empty."""
    complaints: list[str] = []
    with visiting(browser, complaints) as open_page:
        yield open_page
    assert complaints == []


@pytest.fixture
def visit_refused(browser: Browser) -> Iterator[Visit]:
    """The browser itself notes refused requests in the console: only scripts may not fail."""
    complaints: list[str] = []
    with visiting(browser, complaints) as open_page:
        yield open_page
    assert [each for each in complaints if not each.startswith(REFUSED)] == []


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=name))


def uploads_to(site: Site) -> str:
    return f"{site.s3.meta.endpoint_url}/{site.uploads}*"


@contextmanager
def held(page: Page, url: str) -> Iterator[list[Route]]:
    """Requests that are made meanwhile get no answer by themselves."""
    routes: list[Route] = []

    def hold(route: Route) -> None:
        routes.append(route)

    page.route(url, hold)
    yield routes
    page.unroute(url)


def choose(page: Page, *paths: Path) -> None:
    page.get_by_label("Choose photographs").set_input_files(paths)


def expect_picture(picture: Locator, width: int) -> None:
    """Loaded, not only asked for."""
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    expect(picture).to_have_js_property("naturalWidth", width)


def middle(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def tab_to(page: Page, target: Locator) -> None:
    """Presses the tabulator until the target has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} cannot be reached by the keyboard")


def asked_again(site: Site, key: str, before: str) -> dict[str, str]:
    """The metadata of an upload, once its order is another than ``before``."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        metadata: dict[str, str] = site.s3.head_object(Bucket=site.uploads, Key=key)["Metadata"]
        if metadata["correlation-id"] != before:
            return metadata
        time.sleep(0.02)
    raise AssertionError(f"{key} was not asked for again")


def order_of(site: Site, key: str) -> str:
    return site.s3.head_object(Bucket=site.uploads, Key=key)["Metadata"]["correlation-id"]


Colored = Callable[..., str]


@pytest.fixture
def colored(site: Site, colored_jpeg: bytes) -> Colored:
    """Chooses a file and colors it; gives its key."""

    def upload(page: Page, path: Path) -> str:
        choose(page, path)
        key = site.arrived(path.name)
        site.color(key, colored_jpeg)
        expect(card(page, path.name)).to_contain_text("Colored")
        return key

    return upload


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
    expect(page.get_by_role("log")).to_contain_text("attic.jpg: Colored · colornet")

    with page.expect_download() as download:
        attic.get_by_role("link", name="Download attic.jpg").click()
    assert download.value.suggested_filename == "attic-color.jpg"
    assert Path(download.value.path()).read_bytes() == colored_jpeg


def test_strategy_and_knobs_are_ordered(
    visit: Visit, address: str, site: Site, gray_file: Path
) -> None:
    page = visit(address)
    group = page.get_by_role("group", name="How shall they be colored?")
    expect(group.get_by_role("radio", name="colornet")).to_be_checked()
    group.get_by_text("Not ready yet: 1").click()
    expect(group.get_by_role("radio", name="Zhang et al. 2016")).to_be_disabled()
    expect(group.get_by_text("This way of coloring is not ready here.")).to_be_visible()
    expect(group).to_contain_text("Not for commercial use.")
    group.get_by_role("radio", name="The <b>Painter</b>").check()
    group.get_by_text("Advanced").locator("visible=true").click()
    saturation, detail = (group.get_by_label(name) for name in ("Saturation", "Detail"))
    for knob in (saturation, detail):
        knob.locator("visible=true").press("End")
    outputs = group.locator("output:visible")
    expect(outputs).to_have_text(["2", "1024"])
    group.get_by_role("button", name="Back to the suggestion").click()
    expect(outputs).to_have_text(["1", "256"])
    saturation.locator("visible=true").press("Home")
    choose(page, gray_file)
    head = site.s3.head_object(Bucket=site.uploads, Key=site.arrived(gray_file.name))
    assert head["Metadata"].items() >= {"strategy": "painter", "saturation": "0"}.items()
    assert "size" not in head["Metadata"]


def test_a_failure_stays_with_its_photograph(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_jpeg: bytes, colored_jpeg: bytes
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "sound.jpg").write_bytes(gray_jpeg)
    page = visit(address)
    choose(page, tmp_path / "broken.jpg", tmp_path / "sound.jpg")
    site.fail(site.arrived("broken.jpg"), "broken.jpg is not an image: <b>sorry</b>.")
    broken = card(page, "broken.jpg")
    expect(broken).to_contain_text("broken.jpg is not an image: <b>sorry</b>.")
    site.color(site.arrived("sound.jpg"), colored_jpeg)
    expect_picture(page.get_by_role("img", name="sound.jpg, in color"), 320)
    expect(broken).to_contain_text("broken.jpg is not an image")


def test_another_try_is_offered_where_it_can_help(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_jpeg: bytes, colored_jpeg: bytes
) -> None:
    page = visit(address)
    for name, code in (("unlucky.jpg", "gave_up"), ("torn.jpg", "damaged_photograph")):
        (tmp_path / name).write_bytes(gray_jpeg)
        choose(page, tmp_path / name)
        site.fail(site.arrived(name), "It failed.", code)
    again = page.get_by_role("button", name="Try again")
    expect(card(page, "torn.jpg")).to_contain_text("This photograph is damaged.")
    expect(card(page, "torn.jpg").get_by_role("button", name="Try again")).to_be_hidden()
    for name, is_offered in (("torn.jpg", False), ("unlucky.jpg", True)):
        change = card(page, name).get_by_role("link", name="Change the colors")
        expect(change).to_be_visible(visible=is_offered)
    for name, is_offered in (("torn.jpg", False), ("unlucky.jpg", True)):
        page.goto(f"{address}/photographs/{site.arrived(name).split('/')[2]}")
        expect(page.locator("#unstarted")).to_have_count(0)
        expect(again).to_be_visible(visible=is_offered)
        recolor = page.get_by_role("button", name="Color again")
        expect(recolor).to_be_visible(visible=is_offered)
        expect(page.get_by_role("button", name="Color a copy to compare")).to_be_hidden()
    page.goto(address)
    key = site.arrived("unlucky.jpg")
    before = order_of(site, key)
    again.click()
    assert asked_again(site, key, before)["strategy"] == "colornet"
    site.color(key, colored_jpeg)
    expect_picture(page.get_by_role("img", name="unlucky.jpg, in color"), 320)


def test_a_reload_finds_the_photographs_again_and_a_stranger_none(
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
    own = card(page, "first.jpg").get_by_role("link", name="Change the colors")
    path = own.get_attribute("href")

    stranger = visit(address)
    stranger.wait_for_load_state("networkidle")
    expect(stranger.get_by_role("heading", name="Your photographs")).to_be_hidden()
    expect(stranger.get_by_role("article")).to_have_count(0)
    answer = stranger.context.request.get(f"{address}{path}")
    assert answer.status == 404
    assert "first.jpg" not in answer.text()


def test_the_album_lists_photographs_as_they_were_chosen(
    visit: Visit, address: str, tmp_path: Path, gray_jpeg: bytes
) -> None:
    page = visit(address)
    page.evaluate(
        """() => {
          const real = window.fetch;
          window.fetch = async (url, options) => {
            const isFirst = options?.body?.includes('"0.jpg"');
            if (isFirst) await new Promise((resolve) => setTimeout(resolve, 500));
            return real(url, options);
          };
        }"""
    )
    paths = [tmp_path / f"{number}.jpg" for number in range(3)]
    for path in paths:
        path.write_bytes(gray_jpeg)
    choose(page, *paths)
    names = page.get_by_role("heading", level=3)
    for number in range(3):
        expect(card(page, f"{number}.jpg")).to_contain_text("On its way")
    expect(names).to_have_text(["2.jpg", "1.jpg", "0.jpg"])
    page.reload()
    expect(names).to_have_text(["2.jpg", "1.jpg", "0.jpg"])


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_photographs_can_be_dropped_or_pasted_anywhere(
    visit: Visit, address: str, site: Site, colored_jpeg: bytes, way: str
) -> None:
    page = visit(address)
    expect(page.get_by_label("Choose photographs")).to_be_enabled()
    page.evaluate(
        """async (way) => {
          const canvas = Object.assign(document.createElement("canvas"), {width: 80, height: 60});
          const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
          const data = new DataTransfer();
          data.items.add(new File([blob], `${way}.png`, {type: "image/png"}));
          const options = {bubbles: true, cancelable: true};
          const event = way === "drop"
            ? new DragEvent("drop", {dataTransfer: data, ...options})
            : new ClipboardEvent("paste", {clipboardData: data, ...options});
          document.body.dispatchEvent(event);
        }""",
        way,
    )
    site.color(site.arrived(f"{way}.png"), colored_jpeg)
    expect_picture(page.get_by_role("img", name=f"{way}.png, in color"), 320)


def test_a_phone_offers_its_camera(visit: Visit, address: str, site: Site, gray_file: Path) -> None:
    page = visit(address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    expect(page.get_by_text("Take a photograph")).to_be_visible()
    camera = page.get_by_label("Take a photograph")
    assert camera.get_attribute("capture") == "environment"
    camera.set_input_files(gray_file)
    site.arrived(gray_file.name)
    expect(card(page, gray_file.name)).to_contain_text("On its way")
    expect(visit(address).get_by_text("Take a photograph")).to_be_hidden()


def test_the_keyboard_suffices(
    visit: Visit, address: str, site: Site, gray_file: Path, colored_jpeg: bytes
) -> None:
    page = visit(address)
    # Playwright asks the browser to hand over file choosers without waiting for its answer, so a
    # listener of the last moment could come too late.
    page.on("filechooser", lambda chooser: None)
    tab_to(page, page.get_by_label("Choose photographs"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(gray_file)
    site.color(site.arrived(gray_file.name), colored_jpeg)
    photograph = card(page, gray_file.name)
    expect(photograph).to_contain_text("Colored")

    line = photograph.get_by_role("slider", name=f"{gray_file.name}: compare the original")
    tab_to(page, line)
    page.keyboard.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuetext", "51 % original")
    original = photograph.get_by_role("button", name="Original", exact=True)
    tab_to(page, original)
    page.keyboard.press("Enter")
    expect(original).to_have_attribute("aria-pressed", "true")
    expect(line).to_have_attribute("aria-valuetext", "100 % original")

    tab_to(page, photograph.get_by_role("button", name="Look closely"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    tab_to(page, photograph.get_by_role("button", name="Delete"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("dialog").get_by_role("button", name="Delete"))
    page.keyboard.press("Enter")
    expect(photograph).to_have_count(0)


def test_the_line_follows_the_mouse(
    visit: Visit, address: str, gray_file: Path, colored: Colored
) -> None:
    page = visit(address)
    colored(page, gray_file)
    photograph = card(page, gray_file.name)
    stage = photograph.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=4)
    page.mouse.up()
    line = photograph.get_by_role("slider")
    assert abs(float(line.input_value()) - 80) <= 1
    shown = photograph.locator(".line").bounding_box()
    assert shown is not None
    assert abs(shown["x"] + shown["width"] / 2 - box["x"] - box["width"] * 0.8) < 4
    color = photograph.get_by_role("button", name="Color", exact=True)
    color.click()
    expect(line).to_have_value("0")
    expect(color).to_have_attribute("aria-pressed", "true")


def test_looking_closely_shows_every_pixel(
    visit: Visit, address: str, tmp_path: Path, site: Site
) -> None:
    large = tmp_path / "large.jpg"
    Image.linear_gradient("L").resize((2000, 1500)).save(large)
    page = visit(address)
    choose(page, large)
    site.color(site.arrived("large.jpg"), large.read_bytes())
    card(page, "large.jpg").get_by_role("button", name="Look closely").click()
    dialog = page.get_by_role("dialog", name="large.jpg")
    picture = dialog.get_by_role("img", name="large.jpg, in color")
    expect(picture).to_have_js_property("clientWidth", 2000)
    pane = dialog.get_by_role("region")
    expect(pane).not_to_have_js_property("scrollLeft", 0)
    before = pane.evaluate("pane => pane.scrollLeft")
    box = pane.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 300, steps=4)
    page.mouse.up()
    expect(pane).to_have_js_property("scrollLeft", before + 100)
    dialog.get_by_role("button", name="Original").click()
    expect(dialog.get_by_role("img", name="large.jpg, the original")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_a_long_name_leaves_room_for_the_way_out(
    visit: Visit, address: str, tmp_path: Path, gray_jpeg: bytes, colored: Colored
) -> None:
    path = tmp_path / f"{'grandmother' * 9}.jpg"
    path.write_bytes(gray_jpeg)
    page = visit(address, viewport={"width": 390, "height": 844})
    colored(page, path)
    page.get_by_role("button", name="Look closely").click()
    dialog = page.get_by_role("dialog")
    color, close = (dialog.get_by_role("button", name=name) for name in ("Color", "Close"))
    expect(close).to_be_in_viewport(ratio=1)
    assert abs(middle(close)[1] - middle(color)[1]) < 2


def test_deleting_asks_first_and_leaves_nothing(
    visit: Visit, address: str, site: Site, gray_file: Path, colored: Colored
) -> None:
    page = visit(address)
    key = colored(page, gray_file)
    photograph = card(page, gray_file.name)
    dialog = page.get_by_role("dialog", name=f"Delete {gray_file.name}?")
    photograph.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    expect(photograph).to_be_visible()
    photograph.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(photograph).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="is deleted")).to_be_visible()
    expect(page.get_by_role("heading", name="Your photographs")).to_be_hidden()
    for bucket in (site.uploads, site.results):
        listed = site.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        assert not [item["Key"] for item in listed if key.split("/")[2] in item["Key"]]


def test_a_link_can_be_copied(
    visit: Visit, address: str, gray_file: Path, colored: Colored, colored_jpeg: bytes
) -> None:
    page = visit(address, permissions=["clipboard-read", "clipboard-write"])
    colored(page, gray_file)
    card(page, gray_file.name).get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Link copied.")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert httpx2.get(link).content == colored_jpeg


def test_colors_are_guided_by_hand(
    visit: Visit, address: str, site: Site, gray_file: Path, colored: Colored, colored_jpeg: bytes
) -> None:
    page = visit(address)
    key = colored(page, gray_file)
    order = order_of(site, key)
    card(page, gray_file.name).get_by_role("link", name="Change the colors").click()
    page.get_by_role("button", name="Place colors").click()
    surface = page.get_by_role("application", name="Photograph: move the cross")
    box = surface.bounding_box()
    assert box is not None
    surface.click(position={"x": box["width"] * 0.25, "y": box["height"] * 0.5})
    palette = page.get_by_role("dialog", name="Which color belongs here?")
    wanted = palette.get_by_role("button", name="soft green")
    color = str(wanted.get_attribute("value"))
    with Image.open(gray_file) as photograph:
        gray = photograph.convert("L").resize((1, 1), box=(79, 119, 82, 122)).getpixel((0, 0))
    assert abs(lab(color)[0] - lab(f"#{gray:02x}{gray:02x}{gray:02x}")[0]) < 3
    wanted.click()
    metadata = asked_again(site, key, order)
    x, y, sent = re.fullmatch(r"(\d+),(\d+),(#\w{6})", metadata["hints"]).groups()
    assert abs(int(x) - 80) <= 1
    assert abs(int(y) - 120) <= 1
    assert sent == color
    expect(page.locator(".marker")).to_have_count(1)
    expect(page.locator(".state")).to_have_text("On its way")
    site.color(key, colored_jpeg)
    expect(page.locator(".state")).to_contain_text("Colored")

    order = metadata["correlation-id"]
    surface.focus()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    metadata = asked_again(site, key, order)
    assert len(metadata["hints"].split()) == 2
    assert abs(int(metadata["hints"].split()[1].split(",")[1]) - 108) <= 1
    page.get_by_role("button", name="Undo").click()
    metadata = asked_again(site, key, metadata["correlation-id"])
    assert metadata["hints"] == f"{x},{y},{color}"
    page.reload()
    named = "Remove soft green, 25 % from the left, 50 % from the top"
    expect(page.get_by_role("button", name=named)).to_be_visible()
    page.get_by_role("button", name="Clear all").click()
    assert "hints" not in asked_again(site, key, metadata["correlation-id"])
    site.color(key, colored_jpeg)
    expect(page.locator(".state")).to_contain_text("Colored")
    page.get_by_role("radio", name="The <b>Painter</b>").check()
    expect(page.get_by_role("button", name="Place colors")).to_be_hidden()


def test_as_many_colors_as_may_be_are_placed(
    visit: Visit,
    address: str,
    site: Site,
    gray_file: Path,
    colored: Colored,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.page.MAX_HINTS", 1)
    page = visit(address)
    key = colored(page, gray_file)
    order = order_of(site, key)
    card(page, gray_file.name).get_by_role("link", name="Change the colors").click()
    page.get_by_role("button", name="Place colors").click()
    surface = page.get_by_role("application", name="Photograph: move the cross")
    surface.click()
    page.get_by_role("dialog").get_by_role("button", name="soft green").click()
    metadata = asked_again(site, key, order)
    assert len(metadata["hints"].split()) == 1
    surface.click(position={"x": 20, "y": 20})
    expect(page.get_by_role("status").last).to_contain_text("More than 1 colors are not possible.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    # Nor do the colors go with a way of coloring that takes none.
    page.get_by_role("radio", name="The <b>Painter</b>").check()
    page.get_by_role("button", name="Color again").click()
    metadata = asked_again(site, key, metadata["correlation-id"])
    assert metadata["strategy"] == "painter"
    assert "hints" not in metadata


def test_the_focus_stays_where_colors_are_taken_away(
    visit: Visit, address: str, site: Site, gray_file: Path, colored: Colored, colored_jpeg: bytes
) -> None:
    page = visit(address)
    key = colored(page, gray_file)
    hints = [{"x": x, "y": 120, "color": "#5b7f5a"} for x in (80, 160, 240)]
    order = {"strategy": "colornet", "knobs": {}, "hints": hints}
    api = f"{address}/api/images/{key.split('/')[2]}/recolor"
    assert page.context.request.post(api, data=order).ok
    site.color(key, colored_jpeg)
    page.goto(f"{address}/photographs/{key.split('/')[2]}")
    chips = page.locator(".chip")
    undo, clear = (page.get_by_role("button", name=name) for name in ("Undo", "Clear all"))
    expect(chips).to_have_count(3)
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    chips.first.press("Enter")
    expect(chips).to_have_count(2)
    expect(chips.first).to_be_focused()
    # Pictures that arrive draw the chips anew.
    page.locator(".stage .after").dispatch_event("load")
    expect(chips.first).to_be_focused()
    chips.last.press("Enter")
    expect(undo).to_be_focused()
    clear.press("Enter")
    expect(chips).to_have_count(0)
    expect(undo).to_be_focused()
    for count in (1, 2, 3, 2, 1):
        undo.press("Enter")
        expect(chips).to_have_count(count)
        expect(undo).to_be_focused()
    undo.press("Enter")
    expect(undo).to_be_hidden()
    expect(page.get_by_role("button", name="Place colors")).to_be_focused()


def test_colors_are_seen_where_the_system_picks_its_own(
    visit: Visit, address: str, gray_file: Path, colored: Colored
) -> None:
    page = visit(address, forced_colors="active", reduced_motion="reduce")
    colored(page, gray_file)
    page.get_by_role("link", name="Change the colors").click()
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    line = page.locator(".stage .line")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert color_at(page, line) == (255, 255, 255)
    original, color = (page.locator(f"#studio .show-{which}") for which in ("before", "after"))
    original.click()
    assert color_at(page, original, (8, 22)) != color_at(page, color, (8, 22))
    page.get_by_role("button", name="Place colors").click()
    page.get_by_role("application").click(position={"x": 90, "y": 90})
    swatches = page.locator(".swatch")
    expect(swatches.first).to_be_focused()
    seen = {color_at(page, swatches.nth(index)) for index in range(swatches.count())}
    assert len(seen) > swatches.count() / 2  # at the ends of L* some are the same
    page.get_by_role("button", name="strong green").click()
    expect(page.locator(".marker")).to_have_count(1)
    marker, chip = page.locator(".marker"), page.locator(".chip")
    red, green, blue = color_at(page, marker)
    assert green > max(red, blue) + 20
    red, green, blue = color_at(page, chip, (8, 22))
    assert green > max(red, blue) + 20


def color_at(page: Page, element: Locator, place: tuple[int, int] | None = None) -> Any:
    """The color that is seen in the middle of an element, or at a place in it."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    x, y = place or (box["width"] / 2, box["height"] / 2)
    clip: Any = {"x": box["x"] + x, "y": box["y"] + y, "width": 1, "height": 1}
    with Image.open(io.BytesIO(page.screenshot(clip=clip))) as pixel:
        return pixel.convert("RGB").getpixel((0, 0))


def test_the_palette_does_not_hide_the_place(
    visit: Visit, address: str, gray_file: Path, colored: Colored
) -> None:
    page = visit(address, viewport={"width": 390, "height": 700})
    colored(page, gray_file)
    page.get_by_role("link", name="Change the colors").click()
    page.get_by_role("button", name="Place colors").click()
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    surface = page.get_by_role("application")
    box = surface.bounding_box()
    assert box is not None
    surface.click(position={"x": box["width"] / 2, "y": box["height"] - 5})
    palette = page.get_by_role("dialog", name="Which color belongs here?").bounding_box()
    assert palette is not None
    assert 0 < middle(page.locator(".cross"))[1] < palette["y"]


def lab(color: str) -> tuple[float, float, float]:
    """L*, a*, b* of "#rrggbb", as the library has them."""
    import torch

    from deepcolor.lab import rgb_to_lab

    codes = torch.tensor(list(bytes.fromhex(color[1:])), dtype=torch.uint8)
    l, a, b = rgb_to_lab(codes.reshape(3, 1, 1)).flatten().tolist()
    return l, a, b


def test_the_scripts_colors_are_the_librarys(visit: Visit, address: str) -> None:
    page = visit(address)
    module = page.get_attribute("script[type=module]", "src").replace("page.js", "lab.js")
    colors = page.evaluate(
        """async (module) => {
          const { hexOf, lightness } = await import(module);
          const found = [];
          for (let l = 20; l <= 90; l += 10) {
            for (let hue = 0; hue < 360; hue += 30) {
              const color = hexOf(l, 12, hue);
              const codes = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
              found.push([color, l, hue, lightness(...codes)]);
            }
          }
          return [found, hexOf(50, 200, 0)];
        }""",
        module,
    )
    for color, wanted, hue, seen in colors[0]:
        l, a, b = lab(color)
        assert seen == pytest.approx(l, abs=0.01)
        assert l == pytest.approx(wanted, abs=0.6)
        assert a == pytest.approx(12 * math.cos(math.radians(hue)), abs=1.2)
        assert b == pytest.approx(12 * math.sin(math.radians(hue)), abs=1.2)
    assert colors[1] is None


def test_two_ways_are_compared(
    visit: Visit, address: str, site: Site, gray_file: Path, colored: Colored, colored_jpeg: bytes
) -> None:
    page = visit(address)
    colored(page, gray_file)
    card(page, gray_file.name).get_by_role("link", name="Change the colors").click()
    # Until the script is there, the form would be sent without it.
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    page.get_by_role("radio", name="The <b>Painter</b>").check()
    page.get_by_role("button", name="Color a copy to compare").click()
    page.wait_for_url("**/photographs/*?beside=*")
    beside = page.url.rpartition("=")[2]
    copy = next(
        item["Key"]
        for item in site.s3.list_objects_v2(Bucket=site.uploads)["Contents"]
        if beside in item["Key"]
    )
    site.color(copy, colored_jpeg)
    name = gray_file.name
    for _ in range(2):
        expect_picture(page.get_by_role("img", name=f"{name}, colored by colornet"), 320)
        expect_picture(page.get_by_role("img", name=f"{name}, colored by The <b>Painter</b>"), 320)
        expect(page.get_by_role("button", name="The <b>Painter</b>")).to_be_visible()
        expect(page.get_by_text("Two versions, side by side.").first).to_be_visible()
        german = str(page.get_by_role("link", name="Deutsch").get_attribute("href"))
        assert f"beside={beside}" in german
        assert "lang=de" in german
        page.reload()
    page.get_by_role("button", name="Look closely").click()
    closely = page.get_by_role("dialog", name=name)
    closely.get_by_role("button", name="colornet").click()
    expect_picture(closely.get_by_role("img", name=f"{name}, colored by colornet"), 320)
    closely.get_by_role("button", name="The <b>Painter</b>").click()
    expect_picture(closely.get_by_role("img", name=f"{name}, colored by The <b>Painter</b>"), 320)
    expect(closely.get_by_role("button", name="Original")).to_have_count(0)
    closely.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Show only colornet").click()
    expect_picture(page.get_by_role("img", name=f"{name}, the original"), 320)
    expect(page.get_by_role("button", name="Place colors")).to_be_visible()
    page.get_by_role("link", name="All photographs").click()
    expect(card(page, name)).to_have_count(2)
    expect(page.get_by_role("heading", name="Your photographs")).to_be_in_viewport()


def beside(page: Page, site: Site, colored_jpeg: bytes) -> None:
    """Colors a copy to compare with, as the form on the page now stands."""
    page.get_by_role("button", name="Color a copy to compare").click()
    page.wait_for_url("**/photographs/*?beside=*")
    copy = page.url.rpartition("=")[2]
    uploads = site.s3.list_objects_v2(Bucket=site.uploads)["Contents"]
    site.color(next(item["Key"] for item in uploads if copy in item["Key"]), colored_jpeg)
    expect(page.get_by_text("Two versions, side by side.").first).to_be_visible()


def test_versions_of_one_strategy_are_told_apart(
    visit: Visit, address: str, site: Site, gray_file: Path, colored: Colored, colored_jpeg: bytes
) -> None:
    page = visit(address)
    colored(page, gray_file)
    card(page, gray_file.name).get_by_role("link", name="Change the colors").click()
    name = gray_file.name
    expect_picture(page.get_by_role("img", name=f"{name}, in color"), 320)
    beside(page, site, colored_jpeg)
    for number in (1, 2):
        expect(page.get_by_role("button", name=f"colornet · Version {number}")).to_be_visible()

    page.goto(page.url.partition("?")[0])
    page.get_by_text("Advanced").locator("visible=true").click()
    page.get_by_label("Saturation").locator("visible=true").press("End")
    beside(page, site, colored_jpeg)
    kept, turned = "colornet · Saturation 1", "colornet · Saturation 2"
    for title in (kept, turned):
        expect(page.get_by_role("button", name=title, exact=True)).to_be_visible()
        expect_picture(page.get_by_role("img", name=f"{name}, colored by {title}"), 320)
    expect(page.get_by_role("link", name=f"Show only {kept}")).to_be_visible()
    note = f"Download, copy and delete are for the version on the left: {kept}."
    expect(page.get_by_text(note)).to_be_visible()
    for deed in (page.locator(".download"), page.get_by_role("button", name="Copy link")):
        expect(deed).to_have_accessible_description(note)
    page.get_by_role("button", name="Delete").click()
    asked = page.get_by_role("dialog", name=f"Delete {name} ({kept})?")
    asked.get_by_role("button", name="Keep it").click()
    page.get_by_role("link", name=f"Open {turned}").click()
    expect_picture(page.get_by_role("img", name=f"{name}, the original"), 320)
    expect(page.get_by_text("Download, copy and delete")).to_be_hidden()
    state = "Colored · colornet · Saturation 2"
    expect(page.locator(".state")).to_have_text(state)
    page.get_by_role("link", name="All photographs").click()
    expect(card(page, name).locator(".state").filter(has_text=state)).to_have_count(1)
    expect(card(page, name)).to_have_count(3)


def test_a_refused_recoloring_is_told_where_one_looks(
    visit_refused: Visit, address: str, gray_file: Path, colored: Colored
) -> None:
    page = visit_refused(address, viewport={"width": 390, "height": 844})
    colored(page, gray_file)
    page.get_by_role("link", name="Change the colors").click()
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    page.route("**/recolor", lambda route: route.fulfill(status=503, body="busy"))
    page.get_by_role("button", name="Color again").click()
    expect(page.locator("#order-problem")).to_be_in_viewport()
    expect(page.locator(".state")).to_contain_text("Colored")


def test_a_photograph_deleted_elsewhere_is_waited_for_no_longer(
    browser: Browser, address: str, site: Site, gray_file: Path
) -> None:
    """The browser itself notes refused requests in the console, so it is not looked at here."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    choose(page, gray_file)
    key = site.arrived(gray_file.name)
    site.record(key, Status.QUEUED)
    image_id = key.split("/")[2]
    page.goto(f"{address}/photographs/{image_id}")
    expect(page.locator(".state")).to_have_text("Waiting for its turn")
    expect(page.locator(".busy")).to_have_count(1)
    assert context.request.delete(f"{address}/api/images/{image_id}").ok
    sentence = re.compile("You have no such photograph in this browser.")
    expect(page.locator("[data-status=failed] .state")).to_have_text(sentence)
    expect(page.locator(".busy")).to_have_count(0)
    expect(page.get_by_role("log")).to_contain_text(sentence)
    context.close()


SIGNED = re.compile("[?&](Signature|X-Amz-Signature)=")


def refuse_signed(route: Route) -> None:
    """As S3 does when an address's time is over."""
    route.fulfill(status=403, headers={"Access-Control-Allow-Origin": "*"})


def test_pictures_whose_addresses_expired_are_found_again(
    visit_refused: Visit,
    address: str,
    gray_file: Path,
    colored: Colored,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = visit_refused(address)
    key = colored(page, gray_file)
    expired: set[str] = set()

    def refuse_first(route: Route) -> None:
        if len(expired) < 2:
            expired.add(route.request.url)
        if route.request.url in expired:
            refuse_signed(route)
        else:
            route.continue_()

    def renew(route: Route) -> None:
        monkeypatch.setattr("web.addresses.LASTING_SECONDS", 1800)  # else it is the same address
        route.continue_()

    page.route(SIGNED, refuse_first)
    page.route(re.compile("/api/images/"), renew)
    for path in ("/", f"/photographs/{key.split('/')[2]}"):
        monkeypatch.setattr("web.addresses.LASTING_SECONDS", 3600)
        expired.clear()
        page.goto(f"{address}{path}")
        for title in ("in color", "the original"):
            expect_picture(page.get_by_role("img", name=f"{gray_file.name}, {title}"), 320)
        assert len(expired) == 2


def test_pictures_that_cannot_be_fetched_are_not_blamed_on_the_browser(
    browser: Browser, address: str, gray_file: Path, colored: Colored
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    colored(page, gray_file)
    refused: list[str] = []
    page.on("request", lambda request: SIGNED.search(request.url) and refused.append(request.url))
    page.route(SIGNED, refuse_signed)
    page.reload()
    note = card(page, gray_file.name).locator(".unshown")
    expect(note).to_have_text(re.compile("This picture cannot be fetched just now."))
    page.wait_for_timeout(HASTY_MILLISECONDS)
    del refused[:]
    page.wait_for_timeout(HASTY_MILLISECONDS)
    assert refused == []  # it is not asked for on and on
    context.close()


def test_what_a_browser_cannot_show(
    visit: Visit, address: str, site: Site, tmp_path: Path, colored_jpeg: bytes
) -> None:
    tiff = io.BytesIO()
    Image.linear_gradient("L").save(tiff, "TIFF")
    (tmp_path / "scan.tif").write_bytes(tiff.getvalue())
    page = visit(address, reduced_motion="reduce")
    choose(page, tmp_path / "scan.tif")
    scan = card(page, "scan.tif")
    note = scan.get_by_text("Your browser cannot show this kind of file.")
    expect(note).to_be_visible()
    assert abs(middle(note)[1] - middle(scan.locator(".mat"))[1]) < 2
    site.arrived("scan.tif")
    page.reload()
    expect(note).to_be_visible()
    site.color(site.arrived("scan.tif"), colored_jpeg)
    expect_picture(scan.get_by_role("img", name="scan.tif, in color"), 320)
    expect(scan.get_by_role("slider")).to_be_hidden()


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


def test_earlier_photographs_appear_once_and_get_the_focus(
    visit_refused: Visit,
    address: str,
    tmp_path: Path,
    gray_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.photographs.PAGE_LENGTH", 2)
    page = visit_refused(address, viewport={"width": 390, "height": 700})
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(gray_jpeg)
        choose(page, tmp_path / f"{number}.jpg")
        expect(card(page, f"{number}.jpg")).to_contain_text("On its way")
    page.reload()
    earlier = page.get_by_role("button", name="Show earlier photographs")
    notice = page.get_by_text("The page cannot be reached just now.")
    page.route("**/api/images?after=*", lambda route: route.abort())
    earlier.click()
    expect(notice).to_be_in_viewport(ratio=0.9)
    expect(earlier).to_be_focused()

    page.unroute("**/api/images?after=*")
    with held(page, "**/api/images?after=*") as asked:
        earlier.dblclick()
        expect(earlier).to_be_disabled()
        expect(notice).to_be_hidden()
        [question] = asked
        question.continue_()
    expect(page.get_by_role("heading", level=3)).to_have_text(["2.jpg", "1.jpg", "0.jpg"])
    expect(earlier).to_be_hidden()
    expect(page.get_by_role("heading", name="0.jpg")).to_be_focused()


def test_photographs_that_wait_are_asked_for_together(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_jpeg: bytes, colored_jpeg: bytes
) -> None:
    paths = [tmp_path / f"together-{number}.jpg" for number in range(8)]
    for path in paths:
        path.write_bytes(gray_jpeg)
    page = visit(address)
    choose(page, *paths)
    cards = page.get_by_role("article")
    expect(cards.filter(has_text="On its way")).to_have_count(len(paths))
    asked: list[str] = []
    times: list[float] = []

    def note(request: Request) -> None:
        asked.append(request.url)
        if "/api/images?ids=" in request.url:
            times.append(time.monotonic())

    page.on("request", note)
    page.reload()
    deadline = time.monotonic() + START_SECONDS
    while len(times) < 7:
        assert time.monotonic() < deadline, "the page asked too rarely"
        page.wait_for_timeout(100)
    assert times[6] - times[5] > 1.5 * (times[2] - times[1]), "it asks ever more rarely"
    questions = [url for url in asked if "/api/images?ids=" in url]
    assert all(url.count(",") == len(paths) - 1 for url in questions)
    assert not [url for url in asked if "/api/images/" in url]
    for path in paths:
        site.color(site.arrived(path.name), colored_jpeg)
    expect(cards.filter(has_text="Colored · colornet")).to_have_count(len(paths))
    page.wait_for_timeout(500)
    del asked[:]
    page.wait_for_timeout(1000)
    assert asked == []


def test_photographs_before_many_that_never_arrived_can_be_reached(
    visit: Visit, address: str, tmp_path: Path, gray_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.photographs.PAGE_LENGTH", 1)
    page = visit(address)
    for name in ("oldest.jpg", "old.jpg"):
        (tmp_path / name).write_bytes(gray_jpeg)
        choose(page, tmp_path / name)
        expect(card(page, name)).to_contain_text("On its way")

    def open_and_leave(times: int) -> None:
        for _ in range(times):
            page.goto(f"{address}/upload?strategy=colornet")
        page.goto(address)

    monkeypatch.setattr("web.photographs.UPLOAD_SECONDS", 0)
    names = page.get_by_role("heading", level=3)
    open_and_leave(2)
    expect(names).to_have_text(["old.jpg"])
    open_and_leave(2)
    earlier = page.get_by_role("button", name="Show earlier photographs")
    expect(earlier).to_be_visible()
    expect(names).to_have_count(0)
    earlier.click()
    expect(names).to_have_text(["old.jpg"])
    earlier.click()
    expect(names).to_have_text(["old.jpg", "oldest.jpg"])
    expect(earlier).to_be_hidden()


def test_all_are_downloaded_as_one_archive(
    visit: Visit,
    address: str,
    site: Site,
    tmp_path: Path,
    gray_jpeg: bytes,
    colored_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.photographs.PAGE_LENGTH", 2)
    page = visit(address, timezone_id="America/New_York")
    contents = {}
    for folder, name in [("a", "Oma Käthe.jpg"), ("b", "Oma Käthe.jpg"), ("c", "späte Äpfel.jpg")]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(gray_jpeg)
        choose(page, tmp_path / folder / name)
        expect(card(page, name).first).to_contain_text("On its way")
        contents[folder] = colored_jpeg + folder.encode()
        site.color(site.arrived(name), contents[folder])
        expect(card(page, name).first).to_contain_text("Colored")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    assert download.value.suggested_filename == "photographs in color.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        packed = {name: archive.read(name) for name in archive.namelist()}
        dates = [datetime(*one.date_time, tzinfo=NEW_YORK) for one in archive.infolist()]
    now = datetime.now(NEW_YORK)
    assert all(now - timedelta(minutes=5) < date <= now for date in dates)
    assert packed == {
        "späte Äpfel-color.jpg": contents["c"],
        "Oma Käthe-color.jpg": contents["b"],
        "Oma Käthe-color (2).jpg": contents["a"],
    }
    expect(page.get_by_role("button", name="Download all")).to_be_enabled()


def test_what_is_gone_is_left_out_of_the_archive_and_named(
    visit_refused: Visit,
    address: str,
    site: Site,
    tmp_path: Path,
    gray_jpeg: bytes,
    colored: Colored,
) -> None:
    page = visit_refused(address)
    keys = []
    for name in ("kept-one.jpg", "gone-one.jpg"):
        (tmp_path / name).write_bytes(gray_jpeg)
        keys.append(colored(page, tmp_path / name))
    site.s3.delete_object(Bucket=site.results, Key=keys[1])
    status = page.get_by_role("status").last
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    expect(status).to_contain_text("Photographs in it: 1. No longer kept in color: ")
    expect(status).to_contain_text("gone-one.jpg")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["kept-one-color.jpg"]
    site.s3.delete_object(Bucket=site.results, Key=keys[0])
    page.get_by_role("button", name="Download all").click()
    expect(status).to_contain_text("No photograph is in color yet. No longer kept in color: ")


def test_the_archive_asks_anew_where_an_addresss_time_is_over(
    visit_refused: Visit, address: str, site: Site, gray_file: Path, colored: Colored
) -> None:
    page = visit_refused(address)
    colored(page, gray_file)
    asked: list[str] = []
    answers = [403, 500, None]

    def answer(route: Route) -> None:
        if "response-content-disposition" not in route.request.url:
            route.continue_()
            return
        asked.append(route.request.url)
        status = answers[len(asked) - 1]
        cors = {"Access-Control-Allow-Origin": "*"}
        route.continue_() if status is None else route.fulfill(status=status, headers=cors)

    page.route(f"{site.s3.meta.endpoint_url}/{site.results}/**", answer)
    status = page.get_by_role("status").last
    archive = page.get_by_role("button", name="Download all")
    archive.click()
    expect(status).to_contain_text("The page cannot be reached just now.")
    assert len(asked) == 2, "an address anew, and no guess that the picture is gone"
    expect(archive).to_be_enabled()
    with page.expect_download() as download:
        archive.click()
    with zipfile.ZipFile(download.value.path()) as packed:
        assert len(packed.namelist()) == 1


@pytest.mark.parametrize("path", ["/", "/photographs/"])
def test_the_page_fits_a_phone(
    visit: Visit, address: str, gray_file: Path, colored: Colored, path: str
) -> None:
    page = visit(address, viewport={"width": 320, "height": 640})
    colored(page, gray_file)
    if path != "/":
        card(page, gray_file.name).get_by_role("link", name="Change the colors").click()
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, a.button, a.action, .button, summary")]
          .filter((each) => each.checkVisibility() && !each.closest(".unseen"))
          .filter((each) => each.getBoundingClientRect().height < 44)
          .map((each) => each.outerHTML)"""
    )
    assert small == []


def test_the_colors_for_a_black_place_fit_a_phone_and_are_seen(
    visit: Visit, address: str, site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "night.jpg"
    Image.new("RGB", (320, 240)).save(path)
    page = visit(address, viewport={"width": 320, "height": 640})
    choose(page, path)
    site.color(site.arrived(path.name), path.read_bytes())
    page.get_by_role("link", name="Change the colors").click()
    expect_picture(page.get_by_role("img", name="night.jpg, in color"), 320)
    page.get_by_role("button", name="Place colors").click()
    page.get_by_role("application").click()
    palette = page.get_by_role("dialog", name="Which color belongs here?")
    swatches = palette.locator(".swatch")
    expect(swatches.first).to_be_focused()
    assert palette.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    values = [str(swatches.nth(i).get_attribute("value")) for i in range(swatches.count())]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("width", [320, 375])
def test_the_upload_without_scripts_fits_a_phone(visit: Visit, address: str, width: int) -> None:
    page = visit(f"{address}/upload?strategy=colornet", viewport={"width": width, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == width


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


def test_a_script_that_does_not_start(
    browser: Browser, address: str, site: Site, gray_file: Path
) -> None:
    """The browser itself notes refused requests in the console, so it is not looked at here."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.route("**/watch.js", lambda route: route.fulfill(status=429))
    page.goto(address)
    notice = page.get_by_text("Part of this page has not arrived yet.")
    expect(notice).to_be_hidden()
    expect(notice).to_be_visible()
    expect_accessible(page)
    page.get_by_role("button", name="Continue to the upload").click()
    page.get_by_label("Photograph").set_input_files(gray_file)
    page.unroute("**/watch.js")
    page.goto(address)
    expect(page.get_by_label("Choose photographs")).to_be_enabled()
    expect(notice).to_have_count(0)
    context.close()


def test_a_part_that_does_not_arrive_is_told(
    browser: Browser, address: str, gray_file: Path, colored: Colored
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route("**/zip.js", lambda route: route.fulfill(status=429))
    page.goto(address)
    colored(page, gray_file)
    page.get_by_role("button", name="Download all").click()
    expect(page.get_by_role("status")).to_contain_text("Reload this page and try again.")
    context.close()


def test_where_only_restricted_strategies_are_ready(
    visit: Visit, make_site: MakeSite, gray_file: Path
) -> None:
    site = make_site(published=False)
    unready = [{**each, "ready": each["name"] == "painter"} for each in MANIFEST["strategies"]]
    manifest.publish(site.s3, site.results, MANIFEST | {"strategies": unready})
    with served(site) as address:
        page = visit(address)
        chooser = page.get_by_label("Choose photographs")
        page.wait_for_load_state("networkidle")
        expect(chooser).to_be_disabled()
        page.get_by_role("radio", name="The <b>Painter</b>").check()
        expect(chooser).to_be_enabled()
        choose(page, gray_file)
        site.arrived(gray_file.name)
        page.context.close()


def test_refusals_are_told_by_name_and_the_others_go_on(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_file: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "huge.png").write_bytes(bytes(2**20 + 1))
    page = visit(address)
    names = ("notes.txt", "empty.jpg", "huge.png")
    choose(page, *(tmp_path / name for name in names), gray_file)
    expect(page.get_by_role("alert").get_by_role("listitem")).to_have_text(
        [
            re.compile("notes.txt is not of a kind that can be colored: JPEG, .* or HEIC."),
            "empty.jpg is empty. Choose the photograph itself.",
            "huge.png is larger than 1 MB. Make it smaller and choose it again.",
        ]
    )
    site.arrived(gray_file.name)
    expect(page.get_by_role("article")).to_have_count(1)


def test_an_upload_that_is_cut_off_can_be_tried_again(
    visit_refused: Visit, address: str, site: Site, gray_file: Path, colored_jpeg: bytes
) -> None:
    page = visit_refused(address)
    bucket = f"{site.s3.meta.endpoint_url}/{site.uploads}"
    page.route(f"{bucket}*", lambda route: route.abort())
    choose(page, gray_file)
    expect(card(page, gray_file.name)).to_contain_text("The upload was interrupted.")
    page.unroute(f"{bucket}*")
    page.get_by_role("button", name="Try again").click()
    site.color(site.arrived(gray_file.name), colored_jpeg)
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    expect(page.get_by_role("article")).to_have_count(1)
    page.reload()
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    expect(page.get_by_role("article")).to_have_count(1)


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, "<Error><Code>EntityTooLarge</Code></Error>", "is larger than"),
        (403, "<Error><Code>AccessDenied</Code></Error>", "The upload was refused."),
        (503, "", "The upload was refused."),
    ],
)
def test_an_upload_that_the_storage_refuses(
    visit_refused: Visit,
    address: str,
    site: Site,
    gray_file: Path,
    status: int,
    body: str,
    told: str,
) -> None:
    page = visit_refused(address)
    cors = {"Access-Control-Allow-Origin": "*"}
    page.route(
        uploads_to(site), lambda route: route.fulfill(status=status, body=body, headers=cors)
    )
    choose(page, gray_file)
    expect(card(page, gray_file.name)).to_contain_text(told)


def is_deletion(response: Response) -> bool:
    return response.request.method == "DELETE"


def test_an_upload_that_failed_does_not_come_back(
    browser: Browser, address: str, site: Site, gray_file: Path
) -> None:
    """Not even when its note can be deleted only once there is a connection again."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.route(uploads_to(site), lambda route: route.abort())
    with page.expect_response(is_deletion):
        choose(page, gray_file)
    page.route("**/api/images/*", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: request.method == "DELETE"):
        page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("article")).to_contain_text("The upload was interrupted.")
    page.unroute("**/api/images/*")
    context.set_offline(True)
    with page.expect_response(is_deletion):
        context.set_offline(False)
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("article")).to_have_count(0)
    context.close()


def test_uploads_can_be_cancelled(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_jpeg: bytes
) -> None:
    names = ("1.jpg", "2.jpg", "3.jpg", "turn.jpg", "next.jpg")
    for name in names:
        (tmp_path / name).write_bytes(gray_jpeg)
    page = visit(address)
    cards = page.get_by_role("article")
    with held(page, uploads_to(site)) as uploads:
        choose(page, *(tmp_path / name for name in names[:4]))
        expect(cards.filter(has_text="Uploading")).to_have_count(3)
        expect(card(page, "turn.jpg")).to_contain_text("Getting ready")
        page.get_by_role("button", name="Cancel the upload (turn.jpg)").click()
        for name in names[:3]:
            with page.expect_response(is_deletion):
                page.get_by_role("button", name=f"Cancel the upload ({name})").click()
        expect(cards).to_have_count(0)
        assert len(uploads) == 3
    choose(page, tmp_path / "next.jpg")
    site.arrived("next.jpg")
    expect(page.get_by_role("button", name="Delete (next.jpg)")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=3)).to_have_text(["next.jpg"])


def test_an_upload_that_stalls_is_interrupted(
    browser: Browser, address: str, site: Site, gray_file: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(address)
    with held(page, uploads_to(site)):
        choose(page, gray_file)
        expect(page.get_by_role("article")).to_contain_text("Uploading")
        page.clock.fast_forward(50_000)
        page.wait_for_timeout(HASTY_MILLISECONDS)
        expect(page.get_by_role("article")).to_contain_text("Uploading")
        page.clock.fast_forward(10_000)
        expect(page.get_by_role("article")).to_contain_text("The upload was interrupted.")
    context.close()


def test_leaving_asks_first_while_uploads_run(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_jpeg: bytes, colored: Colored
) -> None:
    for name in ("there.jpg", "travels.jpg"):
        (tmp_path / name).write_bytes(gray_jpeg)
    page = visit(address)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    colored(page, tmp_path / "there.jpg")
    with held(page, uploads_to(site)) as uploads:
        choose(page, tmp_path / "travels.jpg")
        expect(card(page, "travels.jpg")).to_contain_text("Uploading")
        with page.expect_download():  # which leaves no page
            page.get_by_role("link", name="Download there.jpg").click()
        with page.expect_download():
            page.get_by_role("button", name="Download all").click()
        assert asked == []
        with page.expect_event("dialog"):
            page.evaluate("location.reload()")
        assert asked == ["beforeunload"]
        uploads[0].continue_()
        expect(card(page, "travels.jpg")).to_contain_text("On its way")
    page.reload()
    expect(page.get_by_role("article")).to_have_count(2)
    assert asked == ["beforeunload"]


def test_what_another_tab_did_meanwhile(
    visit_refused: Visit, address: str, gray_file: Path, colored: Colored
) -> None:
    page = visit_refused(address)
    image_id = colored(page, gray_file).split("/")[2]
    api = f"{address}/api/images/{image_id}"
    download = page.get_by_role("link", name="Download", exact=False)
    status = page.get_by_role("status")
    assert page.context.request.post(f"{api}/recolor", data={}).status == 202
    download.click()
    expect(status).to_have_text(f"{gray_file.name}: On its way")
    assert page.context.request.delete(api).status == 204
    download.click()
    expect(status).to_contain_text("You have no such photograph in this browser.")
    assert page.url == f"{address}/"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(status).to_have_text(f"{gray_file.name} is deleted.")
    expect(page.get_by_role("article")).to_have_count(0)


def without_cookies(app: Any) -> Any:
    """To the browser as if it were to keep none."""

    async def called(scope: Any, receive: Any, send: Any) -> None:
        async def send_without(message: Any) -> None:
            headers = message.get("headers", [])
            kept = [(name, value) for name, value in headers if name.lower() != b"set-cookie"]
            await send(message | {"headers": kept} if headers else message)

        await app(scope, receive, send_without)

    return called


def test_where_cookies_are_blocked_nothing_travels(
    browser: Browser, make_site: MakeSite, tmp_path: Path, gray_jpeg: bytes
) -> None:
    """The browser itself notes refused requests in the console, so it is not looked at here."""
    paths = [tmp_path / f"{number}.jpg" for number in range(5)]
    for path in paths:
        path.write_bytes(gray_jpeg)
    site = make_site()
    site = replace(site, app=without_cookies(site.app))
    with served(site) as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        created: list[str] = []
        page.on("request", lambda each: created.append(each.url) if each.method == "POST" else None)
        choose(page, *paths)
        needy = page.get_by_role("article").filter(has_text="This page needs a cookie")
        expect(needy).to_have_count(len(paths))
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)
        assert created == [f"{address}/api/images"]
        assert "Contents" not in site.s3.list_objects_v2(Bucket=site.uploads)
        context.close()


def test_whether_cookies_work_is_asked_once(
    visit: Visit, address: str, tmp_path: Path, gray_jpeg: bytes
) -> None:
    paths = [tmp_path / f"once-{number}.jpg" for number in range(3)]
    for path in paths:
        path.write_bytes(gray_jpeg)
    page = visit(address)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    choose(page, *paths)
    waiting = page.get_by_role("article").filter(has_text="On its way")
    expect(waiting).to_have_count(3)
    assert sum("/api/images/" in url for url in asked) == 1
    page.reload()
    expect(waiting).to_have_count(3)
    del asked[:]
    choose(page, paths[0])
    expect(waiting).to_have_count(4)
    assert not [url for url in asked if "/api/images/" in url]


def test_what_is_chosen_before_the_album_is_there_appears_once(
    browser: Browser, address: str, site: Site, gray_file: Path, colored_jpeg: bytes
) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "GET":
            asked.append(route)
        else:
            route.continue_()

    page.route("**/api/images", hold)
    page.goto(address)
    choose(page, gray_file)
    expect(page.get_by_role("article")).to_have_count(1)
    page.wait_for_timeout(HASTY_MILLISECONDS)
    [album] = asked
    album.continue_()
    expect(page.get_by_role("article").first).to_contain_text("On its way")
    site.color(site.arrived(gray_file.name), colored_jpeg)
    expect(card(page, gray_file.name)).to_contain_text("Colored")
    expect(page.get_by_role("article")).to_have_count(1)
    context.close()


def test_who_asks_too_often_is_patient(
    browser: Browser, address: str, site: Site, gray_file: Path, colored_jpeg: bytes
) -> None:
    """A gateway refuses without problem details; the browser notes it in the console."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)

    def refuse(route: Route) -> None:
        route.fulfill(status=429, json={"message": "Too Many Requests"})

    page.route("**/api/images", refuse)
    choose(page, gray_file)
    expect(card(page, gray_file.name)).to_contain_text("Too much is asked for at once.")
    page.unroute("**/api/images")
    page.route(re.compile(r"/api/images\?ids="), refuse, times=1)
    page.get_by_role("button", name="Try again").click()
    site.color(site.arrived(gray_file.name), colored_jpeg)
    expect_picture(page.get_by_role("img", name=f"{gray_file.name}, in color"), 320)
    context.close()


def test_without_scripts_a_form_does_it(
    visit: Visit,
    address: str,
    site: Site,
    gray_file: Path,
    colored_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.page.REFRESH_SECONDS", 1)
    page = visit(address, java_script_enabled=False)
    expect(page.get_by_text("up to 1 MB each.")).to_be_visible()
    expect(page.get_by_text("Several at once")).to_be_hidden()
    page.get_by_role("radio", name="The <b>Painter</b>").check()
    page.get_by_role("button", name="Continue to the upload").click()
    expect(page.get_by_text("It will be colored by The <b>Painter</b>.")).to_be_visible()
    page.get_by_label("Photograph").set_input_files(gray_file)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/photographs/*")
    image_id = page.url.partition("?")[0].rpartition("/")[2]
    expect(page.get_by_text("On its way")).to_be_visible()
    key = next(
        item["Key"]
        for item in site.s3.list_objects_v2(Bucket=site.uploads)["Contents"]
        if image_id in item["Key"]
    )
    assert site.s3.head_object(Bucket=site.uploads, Key=key)["Metadata"]["strategy"] == "painter"
    site.color(key, colored_jpeg)
    # It looks again by itself.
    expect_picture(page.get_by_role("img", name="Photograph, in color"), 320)
    expect_picture(page.get_by_role("img", name="Photograph, the original"), 320)
    page.get_by_role("link", name="All photographs").click()
    expect(page.get_by_role("listitem")).to_have_text(
        re.compile(r"^Photograph Colored · \d{4}-\d\d-\d\d \d\d:\d\d UTC$")
    )
    page.get_by_role("link", name="Choose photographs").click()
    page.get_by_role("link", name="Album").click()
    page.get_by_role("link", name="Photograph", exact=True).click()
    page.get_by_role("radio", name="colornet").check()
    page.get_by_role("button", name="Color again").click()
    expect(page.get_by_text("On its way")).to_be_visible()
    assert site.s3.head_object(Bucket=site.uploads, Key=key)["Metadata"]["strategy"] == "colornet"
    site.color(key, colored_jpeg)
    expect_picture(page.get_by_role("img", name="Photograph, in color"), 320)
    page.locator("summary").filter(has_text="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url(f"{address}/")
    headers = {"Accept": "text/html"}
    gone = page.context.request.get(f"{address}/photographs/{image_id}", headers=headers)
    assert gone.status == 404
    assert "There is nothing here" in gone.text()


def test_german(
    visit: Visit, address: str, site: Site, gray_file: Path, colored_jpeg: bytes
) -> None:
    page = visit(address, locale="de-DE")
    expect(page.get_by_role("heading", level=1)).to_have_text("Alte Fotos, in Farbe.")
    page.get_by_label("Fotos auswählen").set_input_files(gray_file)
    key = site.arrived(gray_file.name)
    error = {"code": "damaged_photograph", "message": "It is damaged."}
    site.record(key, Status.FAILED, error=error)
    expect(page.get_by_role("article")).to_contain_text("Dieses Foto ist beschädigt.")
    page.get_by_text("Feineinstellungen").locator("visible=true").click()
    page.get_by_label("Sättigung").locator("visible=true").fill("1.37")
    expect(page.locator("output:visible").nth(1)).to_have_text("1,37")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Old photographs, in color.")
    expect(page.get_by_role("article")).to_contain_text("This photograph is damaged.")
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Old photographs, in color.")


def test_going_back_leads_to_where_one_was_in_the_album(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_jpeg: bytes
) -> None:
    page = visit(address, reduced_motion="reduce")
    paths = [tmp_path / f"many-{number}.jpg" for number in range(8)]
    for path in paths:
        path.write_bytes(gray_jpeg)
    choose(page, *paths)
    expect(page.get_by_role("article").filter(has_text="On its way")).to_have_count(8)
    page.evaluate("scrollTo(0, 0)")
    page.goto(f"{address}/#album")
    expect(page.get_by_role("article").filter(has_text="On its way")).to_have_count(8)
    last = card(page, "many-0.jpg")
    last.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    page.goto(f"{address}/upload?strategy=colornet")
    page.go_back()
    expect(last).to_be_in_viewport()
    page.wait_for_function("top => Math.abs(scrollY - top) < 2", arg=before)


def test_the_first_view_is_light_and_asks_nobody_else(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    answers: list[Response] = []
    page.on("requestfinished", lambda request: answers.append(request.response()))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert {answer.url.startswith(address) for answer in answers} == {True}
    kinds = {"document", "script", "stylesheet", "fetch"}
    sizes = [len(each.body()) for each in answers if each.request.resource_type in kinds]
    assert len(sizes) > 5
    assert sum(sizes) <= 100_000
    context.close()


def test_examples_are_loaded_when_they_come_near(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "bessborough" in url]
    last = page.get_by_role("img", name="Servants of Bessborough House, Ireland, 1908")
    last.scroll_into_view_if_needed()
    expect_picture(last, 800)
    context.close()


SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]


def expect_accessible(page: Page) -> None:
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{scheme}\n{found.generate_report()}"


def test_axe_finds_nothing_in_the_album(
    visit: Visit, address: str, site: Site, tmp_path: Path, gray_jpeg: bytes, colored: Colored
) -> None:
    page = visit(address, reduced_motion="reduce")
    page.get_by_text("Advanced").locator("visible=true").click()
    page.get_by_text("Not ready yet: 1").click()
    expect_accessible(page)
    for name in ("colored.jpg", "failed.jpg", "waiting.jpg"):
        (tmp_path / name).write_bytes(gray_jpeg)
    (tmp_path / "notes.txt").write_text("no picture")
    colored(page, tmp_path / "colored.jpg")
    choose(page, tmp_path / "failed.jpg", tmp_path / "waiting.jpg", tmp_path / "notes.txt")
    site.fail(site.arrived("failed.jpg"), "It broke.")
    site.arrived("waiting.jpg")
    expect(card(page, "failed.jpg")).to_contain_text("It broke.")
    expect(card(page, "waiting.jpg")).to_contain_text("On its way")
    expect_accessible(page)
    card(page, "colored.jpg").get_by_role("button", name="Look closely").click()
    expect_accessible(page)
    page.keyboard.press("Escape")
    card(page, "colored.jpg").get_by_role("button", name="Delete").click()
    expect_accessible(page)


def test_axe_finds_nothing_on_a_photographs_page(
    visit: Visit, address: str, gray_file: Path, colored: Colored
) -> None:
    page = visit(address, reduced_motion="reduce")
    colored(page, gray_file)
    card(page, gray_file.name).get_by_role("link", name="Change the colors").click()
    page.get_by_role("button", name="Place colors").click()
    expect_accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Which color belongs here?")).to_be_visible()
    expect_accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your colors")).to_be_visible()
    expect_accessible(page)


def test_axe_finds_nothing_on_the_pages_of_few_words(
    visit: Visit, address: str, browser: Browser, make_site: MakeSite
) -> None:
    page = visit(f"{address}/upload?strategy=colornet")
    expect_accessible(page)
    context = browser.new_context()
    page = context.new_page()
    for path in ("/album", "/photographs/none", "/upload?strategy=none"):
        page.goto(f"{address}{path}")
        expect_accessible(page)
    with served(make_site(published=False)) as waiting:
        page.goto(waiting)
        expect_accessible(page)
        context.close()
