"""One map, copied to the clipboard as it is shown, or saved where the browser has no clipboard for the page."""

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.comparison import PANELS, draw_on_server, expect_same_colours, set_slider
from tests.browser.pictures import expect_drawn, open_advanced, open_drawn, read_canvas, show_panel, wait_for_frames
from tests.browser.views import send_picture
from tests.conftest import decode, encode

READ_CLIPBOARD = """async () => {
    const [item] = await navigator.clipboard.read();
    const file = await item.getType("image/png");
    const bytes = new Uint8Array(await file.arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""

FORBID_CLIPBOARD = """() => {
    navigator.clipboard.write = () => Promise.reject(new DOMException("Write permission denied.", "NotAllowedError"));
}"""

HIDE_CLIPBOARD = """
    delete window.ClipboardItem;
    Object.defineProperty(Navigator.prototype, "clipboard", { value: undefined });
"""
"""As on a page that came over plain HTTP from another machine."""


def allow_clipboard(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])


def open_plain(page: Page) -> None:
    """A picture of one colour, which JPEG carries to the page unchanged, with a class that both networks find in it."""
    picture = encode(Image.new("RGB", (600, 400), (90, 120, 60)))
    page.goto("/")
    send_picture(page, picture, "plain.png")
    page.goto(f"{page.url}?target=pizza")
    expect_drawn(page)


def press_copy(page: Page, kind: str) -> None:
    show_panel(page, kind)
    page.locator(f"[data-row='0'] [data-panel={kind}] .panel-copy").press("Enter")


def read_clipboard(page: Page) -> np.ndarray:
    """The clipboard's PNG, (H, W, 3) int16."""
    picture = Image.open(io.BytesIO(base64.b64decode(page.evaluate(READ_CLIPBOARD))))
    return np.asarray(picture.convert("RGB"), dtype=np.int16)


def copy(page: Page, kind: str) -> np.ndarray:
    """Copy a panel by the keyboard, and read the clipboard back."""
    press_copy(page, kind)
    expect(page.locator("#viewer-said")).to_have_text(f"{title_of(page, kind)}: copied.")
    return read_clipboard(page)


def title_of(page: Page, kind: str) -> str:
    return (page.locator(f"[data-row='0'] [data-panel={kind}] .panel-title").text_content() or "").strip()


def test_map_on_the_clipboard_is_the_servers_png(page: Page) -> None:
    allow_clipboard(page)
    open_plain(page)
    copied = copy(page, "cbam")
    expect_same_colours(copied, draw_on_server(page, "cbam", target="pizza"), "viridis", 0.5)
    assert (copied == read_canvas(page, "cbam")).all()


LOOKS: dict[str, tuple[Callable[[Page], object], dict[str, str]]] = {
    "opacity": (lambda page: set_slider(page, "opacity", "0.8"), {"opacity": "0.8"}),
    "colours": (lambda page: page.get_by_label("Colour map").select_option("magma"), {"colormap": "magma"}),
    "scale": (lambda page: page.get_by_label("Scale", exact=True).select_option("own"), {"scale": "own"}),
}


@pytest.mark.slow(every=True)
@pytest.mark.parametrize("look", LOOKS)
def test_copied_map_has_the_look_of_the_screen(page: Page, look: str) -> None:
    allow_clipboard(page)
    open_plain(page)
    usual = copy(page, "cbam")
    change, options = LOOKS[look]
    change(page)
    wait_for_frames(page)
    copied = copy(page, "cbam")
    assert (copied != usual).any()
    expect_same_colours(
        copied,
        draw_on_server(page, "cbam", target="pizza", **options),
        options.get("colormap", "viridis"),
        float(options.get("opacity", 0.5)),
    )


@pytest.mark.slow
def test_copied_map_has_the_contour(page: Page) -> None:
    allow_clipboard(page)
    open_drawn(page, "motorcycle")
    usual = copy(page, "cbam")
    set_slider(page, "threshold", "0.5")
    wait_for_frames(page)
    copied = copy(page, "cbam")
    changed = (copied != usual).any(axis=2)
    # Lines, not areas.
    assert 0 < changed.mean() < 0.2
    assert (copied == read_canvas(page, "cbam")).all()


@pytest.mark.slow
def test_copied_difference_follows_its_scale(page: Page) -> None:
    allow_clipboard(page)
    open_plain(page)
    usual = copy(page, "difference")
    expect_same_colours(usual, draw_on_server(page, "difference", target="pizza"), "RdBu_r", 1)
    open_advanced(page)
    page.get_by_label("Scale of the difference").select_option("shared")
    page.keyboard.press("Escape")
    wait_for_frames(page)
    copied = copy(page, "difference")
    assert (copied != usual).any()
    expect_same_colours(
        copied, draw_on_server(page, "difference", target="pizza", difference_scale="shared"), "RdBu_r", 1
    )


@pytest.mark.slow
def test_every_panel_can_be_copied_on_a_phone_and_under_the_handle(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    allow_clipboard(page)
    open_drawn(page, "motorcycle")
    for kind in PANELS:
        assert (copy(page, kind) == read_canvas(page, kind)).all()
    page.locator("#phone-view").click()
    expect(page.locator(".swipe-handle")).to_be_visible()
    buttons = page.locator("[data-side] .panel-copy")
    boxes = [box for button in buttons.all() if (box := button.bounding_box())]
    assert len(boxes) == 2
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    for at, kind in enumerate(("baseline", "cbam")):
        buttons.nth(at).click()
        expect(page.locator("#viewer-said")).to_have_text(f"{title_of(page, kind)}: copied.")
        assert (read_clipboard(page) == read_canvas(page, kind)).all()
    context.close()


@pytest.mark.parametrize("way", ["none", pytest.param("forbidden", marks=pytest.mark.slow)])
def test_map_is_saved_where_the_browser_refuses_to_copy(
    page: Page, complaints: list[str], tmp_path: Path, way: str
) -> None:
    if way == "none":
        page.add_init_script(HIDE_CLIPBOARD)
    open_drawn(page, "motorcycle")
    if way == "forbidden":
        page.evaluate(FORBID_CLIPBOARD)
    press_copy(page, "cbam")
    panel = page.locator("[data-panel=cbam]")
    expect(panel.get_by_role("alert")).to_contain_text("This browser does not let the page copy pictures.")
    with page.expect_download() as started:
        panel.get_by_role("button", name="Save the picture instead").press("Enter")
    assert started.value.suggested_filename.endswith("-cbam.png")
    saved: Any = np.asarray(decode(Path(started.value.path()).read_bytes()).convert("RGB"))
    assert (saved == read_canvas(page, "cbam")).all()
    expect(panel.locator(".panel-problem")).to_be_hidden()
    assert complaints == []


@pytest.mark.slow
def test_figure_that_the_browser_refuses_to_copy_is_offered_as_a_file(page: Page, complaints: list[str]) -> None:
    open_drawn(page)
    page.evaluate(FORBID_CLIPBOARD)
    page.locator("#export summary").click()
    page.get_by_role("button", name="Copy the figure").click()
    expect(page.locator("#link-said")).to_have_text(
        "This browser does not let the page copy pictures. The menu “Export” saves the figure as a file."
    )
    assert complaints == []


@pytest.mark.slow
def test_copy_of_a_figure_that_is_gone_says_so(page: Page) -> None:
    allow_clipboard(page)
    page.goto("/")
    send_picture(page, encode(Image.new("RGB", (60, 40))), "plain.png")
    expect_drawn(page)
    path, origin = page.evaluate("[location.pathname, location.origin]")
    assert page.request.delete(f"/api/v1{path}", headers={"Origin": origin}).status == 204
    page.locator("#export summary").click()
    page.get_by_role("button", name="Copy the figure").click()
    expect(page.locator("#link-said")).to_have_text(
        "No analysis has this id, or it is no longer on the server; send the picture again"
    )
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_maps_that_the_browser_does_not_draw_have_no_button(page: Page, plain_page: Page) -> None:
    open_drawn(page)
    expect(page.locator(".panel-copy:visible")).to_have_count(4)
    page.route("**/maps.json*", lambda route: route.abort())
    page.reload()
    expect(page.locator("#analysis-error")).to_be_visible()
    expect(page.locator(".panel-copy:visible")).to_have_count(0)
    plain_page.goto(page.url)
    expect(plain_page.locator(".panel .frame img:visible")).to_have_count(4)
    expect(plain_page.locator(".panel-copy:visible")).to_have_count(0)
