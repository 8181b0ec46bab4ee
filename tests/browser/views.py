"""Every view of the page and the way to it, for tests of all views and for screenshots."""

from collections.abc import Callable

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.pictures import (
    expect_drawn,
    find_canvas,
    make_payload,
    open_advanced,
    open_drawn,
    open_photograph,
    open_tab,
)

BROKEN: FilePayload = {
    "name": "a-very-long-name-without-any-space-" * 4 + ".jpg",
    "mimeType": "image/jpeg",
    "buffer": b"no picture at all",
}


def send_picture(page: Page, content: bytes, name: str) -> None:
    """Send a PNG from the first page and wait for its analysis."""
    page.set_input_files("#image", {"name": name, "mimeType": "image/png", "buffer": content})
    page.wait_for_url("**/analyses/*")


def open_upload(page: Page) -> None:
    """The first page with all its parts opened."""
    page.goto("/")
    page.get_by_text("How the networks see the picture").click()
    page.get_by_text("Which classes does it know?").click()


def open_models(page: Page) -> None:
    """The table of networks."""
    page.goto("/models")
    expect(page.locator("h1")).to_be_visible()


def open_evidence(page: Page) -> None:
    """The measurements."""
    page.goto("/evidence")
    expect(page.locator("h1")).to_be_visible()


def open_cbam(page: Page) -> None:
    """The page about CBAM, with the gates of a picture."""
    open_drawn(page, "motorcycle")
    open_tab(page, "Attention")
    page.get_by_role("link", name="CBAM in 60 seconds").click()
    page.wait_for_url("**/cbam")
    expect(page.locator("h1")).to_have_text("CBAM in 60 seconds")


def open_camera(page: Page) -> None:
    """The camera, or the sentence that says why there is none."""
    page.goto("/camera")
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#camera-maps:visible, [role=alert]:visible").first).to_be_visible(timeout=20_000)


def open_comparison(page: Page) -> None:
    """A picture with a second class, contours and a reading point."""
    open_drawn(page, "motorcycle")
    page.locator(".ranked-versus").first.click()
    expect_drawn(page, rows=2)
    page.locator("#threshold").fill("0.6")
    find_canvas(page, "cbam").click()


def open_gate_controls(page: Page) -> None:
    """An analysis with changed gates."""
    open_drawn(page, "motorcycle")
    open_tab(page, "Attention")
    page.get_by_role("group", name="Spatial gates of all blocks").get_by_role("link", name="inverted").click()
    expect(page.locator(".gates-changed")).to_be_visible()
    expect(page.locator(".map-canvas")).to_have_count(5)


def open_block(page: Page) -> None:
    """A block from within."""
    open_photograph(page, "motorcycle")
    open_tab(page, "Attention")
    page.locator("#blocks .block h3 a").nth(4).click()
    page.wait_for_url("**/blocks/cbam/layer3.0")


def open_concepts(page: Page) -> None:
    """The parts that each network treats alike."""
    open_drawn(page, "motorcycle")
    open_advanced(page)
    page.get_by_role("link", name="Concepts").click()
    expect(page.locator(".concept-number").last).to_be_visible()


def open_sanity(page: Page) -> None:
    """The sanity check."""
    open_drawn(page, "motorcycle")
    open_tab(page, "Sanity")
    expect(page.locator(".sanity-strip").last).to_be_visible()


def open_sheet(page: Page) -> None:
    """A sheet of several pictures, one of them broken."""
    page.goto("/")
    page.set_input_files("#image", [make_payload("cat"), BROKEN, make_payload("rocket")])
    page.wait_for_url("**/sheets/*")


VIEWS: dict[str, Callable[[Page], None]] = {
    "upload": open_upload,
    "comparison": open_comparison,
    "gates": open_gate_controls,
    "block": open_block,
    "sanity": open_sanity,
    "concepts": open_concepts,
    "sheet": open_sheet,
    "camera": open_camera,
    "evidence": open_evidence,
    "models": open_models,
    "cbam": open_cbam,
}
