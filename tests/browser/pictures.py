"""Pictures for the browser tests, and helpers for reading a page."""

import base64
import io
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Request, Route, expect

from app.pages.gallery import Sample
from tests.browser.site import WIDTHS
from tests.photographs import read_photograph

AT_BOTH_WIDTHS = pytest.mark.parametrize("width", [WIDTHS[0], pytest.param(WIDTHS[1], marks=pytest.mark.slow)])
"""For a test with `page`: once in a desktop's window and once in a phone's, where panels are below each other."""

ANALYSIS_PATH = "**/analyses/*"

BLOCK_COUNT = 8

HELD_SECONDS = 20

_KEPT: dict[tuple[str, str], str] = {}
"""The path of a photograph's analysis, by server and name."""


def make_payload(name: str = "rocket") -> FilePayload:
    """A photograph as a file to choose."""
    return {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": read_photograph(name)}


def make_striped_png(width: int, height: int) -> bytes:
    """A picture of any shape."""
    stripes = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    buffer = io.BytesIO()
    stripes.save(buffer, format="PNG")
    return buffer.getvalue()


def open_photograph(page: Page, name: str = "rocket") -> None:
    """Compare a photograph."""
    page.goto("/")
    choose_photograph(page, name)


def choose_photograph(page: Page, name: str) -> None:
    """Compare a photograph with the options chosen on the page."""
    page.set_input_files("#image", make_payload(name))
    if "is-live" not in (page.locator("#upload-form").get_attribute("class") or ""):
        # Without JavaScript nothing is sent until the button is pressed.
        page.get_by_role("button", name="Compare").click()
    page.wait_for_url(ANALYSIS_PATH)


def open_gallery_picture(page: Page, sample: Sample) -> None:
    """Compare a gallery picture."""
    page.goto("/")
    page.locator(f".gallery button[value={sample.name}]").click()
    page.wait_for_url(ANALYSIS_PATH)


def expect_drawn(page: Page, *, rows: int = 1, networks: int = 2) -> None:
    """Wait until the browser has drawn the maps: a picture, and per class each network's map and a difference."""
    expect(page.locator(".map-canvas")).to_have_count(1 + (networks + 1) * rows)
    expect(page.locator("#maps[role=group]")).to_be_visible()
    wait_for_frames(page)


def open_drawn(page: Page, name: str = "rocket") -> None:
    """Open the comparison of a photograph, which a server makes once for all tests, and wait for its maps."""
    site = page.request.get("/healthz").url.removesuffix("/healthz")
    address = _KEPT.get((site, name))
    if address is None or not page.request.get(f"{site}/api/v1{address}").ok:
        made = page.request.post("/api/v1/analyses", multipart={"image": make_payload(name)})
        assert made.ok, made.text()
        address = _KEPT[site, name] = f"/analyses/{made.json()['id']}"
    page.goto(address)
    expect_drawn(page)


def open_tab(page: Page, title: str) -> None:
    """Open one of the tabs below the maps."""
    link = page.get_by_role("navigation", name="Details").get_by_role("link", name=title)
    link.click()
    expect(link).to_have_attribute("aria-current", "page")


def open_advanced(page: Page) -> None:
    """Open the menu with method, stage and the difference's scale, unless it is open."""
    if not page.locator("#method").is_visible():
        page.locator("#advanced > summary").click()


def show_panel(page: Page, kind: str) -> None:
    """On a phone, show one panel in place of the others; a desktop shows all."""
    button = page.locator(f"[data-shows={kind}]")
    if button.is_visible():
        button.click()


def open_cropped(page: Page, name: str = "motorcycle") -> None:
    """Compare the centre crop of a photograph; the networks do not see the rest."""
    page.goto("/")
    page.get_by_text("How the networks see the picture").click()
    page.get_by_label("Geometry").select_option("center_crop")
    choose_photograph(page, name)
    expect_drawn(page)


def wait_for_frames(page: Page) -> None:
    """Wait until a request is drawn: for the next frame, and one more."""
    page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")


def read_address(page: Page) -> str:
    """The address as the page has it; `page.url` learns of a change some time later."""
    address: str = page.evaluate("() => location.href")
    return address


def read_query(page: Page) -> dict[str, str]:
    """The address's options."""
    return {name: values[0] for name, values in parse_qs(urlsplit(read_address(page)).query).items()}


def wait_for_held(page: Page, held: list[Route], count: int) -> None:
    """Wait until a route holds back a number of requests."""
    ends = time.monotonic() + HELD_SECONDS
    while len(held) < count:
        if time.monotonic() > ends:
            raise AssertionError(f"{len(held)} of {count} requests came within {HELD_SECONDS} s")
        # Handlers run only while playwright waits for something.
        page.wait_for_timeout(20)


def find_canvas(page: Page, kind: str, *, row: int = 0) -> Locator:
    """A panel's canvas: `picture`, `baseline`, `cbam` or `difference`."""
    return page.locator(f"[data-row='{row}'] [data-map={kind}] canvas")


def read_canvas(page: Page, kind: str, *, row: int = 0) -> np.ndarray:
    """A canvas's pixels, (H, W, 3) int16, for subtracting."""
    wait_for_frames(page)
    content: str = find_canvas(page, kind, row=row).evaluate("(canvas) => canvas.toDataURL('image/png')")
    picture = Image.open(io.BytesIO(base64.b64decode(content.partition(",")[2])))
    return np.asarray(picture.convert("RGB"), dtype=np.int16)


def watch_requests(page: Page) -> list[Request]:
    """The page's requests from now on."""
    found: list[Request] = []

    # Playwright needs a handler's signature, which a list's own method lacks.
    def note(request: Request) -> None:
        found.append(request)

    page.on("request", note)
    return found


def list_data_requests(requests: list[Request]) -> list[str]:
    """The requested paths, without the site's icon, which Chromium fetches again for each address."""
    return [path for request in requests if "favicon" not in (path := urlsplit(request.url).path)]


def expect_loaded(images: Locator, *, count: int) -> None:
    """Check that every image has loaded, lazy ones after scrolling."""
    expect(images).to_have_count(count)
    for image in images.all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", value=True)
        assert image.evaluate("(image) => image.naturalWidth") > 0, image.get_attribute("src")


def read_image(image: Locator) -> bytes:
    """The bytes behind an image."""
    source = image.get_attribute("src")
    assert source is not None
    response = image.page.request.get(source)
    assert response.ok
    return response.body()


def find_overflow(page: Page) -> list[str]:
    """The tags and classes of elements that reach beyond the window's right edge."""
    found: list[str] = page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            const clipped = ".visually-hidden, .skip-link, .table-frame, .blocks, .rankings, .busy";
            const isClipped = (element) => element.closest(clipped);
            return Array.from(document.body.querySelectorAll("*"))
                .filter((element) => element.getBoundingClientRect().right > width + 0.5 && !isClipped(element))
                .map((element) => `${element.tagName} ${element.getAttribute("class")}`);
        }"""
    )
    return found


def hand_over(page: Page, event: str, selector: str, content: bytes, media_type: str) -> None:
    """Dispatch `drop` or `paste` with one file."""
    arguments: dict[str, Any] = {
        "event": event,
        "selector": selector,
        "content": list(content),
        "mediaType": media_type,
    }
    page.evaluate(
        """({ event, selector, content, mediaType }) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], "picture", { type: mediaType }));
            const made = event === "paste"
                ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
                : new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true });
            document.querySelector(selector).dispatchEvent(made);
        }""",
        arguments,
    )
