"""Progress, a busy server and a question that fails."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.pages.gallery import SAMPLES
from tests.browser.pictures import (
    ANALYSIS_PATH,
    expect_drawn,
    make_payload,
    open_advanced,
    open_drawn,
    open_gallery_picture,
    read_address,
    read_canvas,
    read_query,
)

pytestmark = pytest.mark.slow

BUSY_PAGE = "<p data-problem>the queue is full</p>"


def answer_busy(page: Page, pattern: str, times: int, *, method: str = "GET") -> list[Route]:
    """Answer 503 some times before the server is asked."""
    refused: list[Route] = []

    def handle(route: Route) -> None:
        if route.request.method != method or len(refused) >= times:
            route.continue_()
            return
        refused.append(route)
        route.fulfill(status=503, headers={"Retry-After": "1"}, content_type="text/html", body=BUSY_PAGE)

    page.route(pattern, handle)
    return refused


def test_picture_is_sent_again_by_itself_when_the_server_is_busy(page: Page) -> None:
    page.goto("/")
    refused = answer_busy(page, "**/", 2, method="POST")
    page.set_input_files("#image", make_payload())
    expect(page.locator("#busy")).to_have_text("The server is busy; trying again in 1 s …")
    page.wait_for_url(ANALYSIS_PATH)
    assert len(refused) == 2


def test_question_is_asked_again_by_itself_when_the_server_is_busy(page: Page) -> None:
    open_drawn(page)
    refused = answer_busy(page, "**/analyses/*?**", 1)
    page.locator(".ranked").nth(1).click()
    expect(page.locator("#busy")).to_have_text("The server is busy; trying again in 1 s …")
    expect(page.locator(".ranked").nth(1)).to_have_attribute("aria-current", "true")
    assert len(refused) == 1


def test_control_goes_back_when_its_question_fails_and_the_error_is_beside_it(page: Page) -> None:
    open_drawn(page)
    address, pixels = read_address(page), read_canvas(page, "cbam")
    page.route("**/analyses/*?**", lambda route: route.abort())
    open_advanced(page)
    page.get_by_label("Method", exact=True).select_option("layercam")
    alert = page.locator("#analysis-error")
    expect(alert).to_contain_text("cannot be reached")
    expect(page.get_by_label("Method", exact=True)).to_have_value("gradcam")
    expect(page.locator("#controls #analysis-error")).to_be_visible()
    picker = page.get_by_role("combobox", name="Class")
    before = picker.input_value()
    picker.fill("umbrella")
    picker.press("Enter")
    expect(page.locator("#toolbar #analysis-error")).to_contain_text("cannot be reached")
    expect(picker).to_have_value(before)
    assert read_address(page) == address
    assert (read_canvas(page, "cbam") == pixels).all()
    page.unroute_all()
    picker.fill("umbrella")
    picker.press("Enter")
    expect(page.locator("h1")).to_contain_text("umbrella")
    expect(alert).to_be_hidden()
    expect_drawn(page)


def test_colour_map_goes_back_when_its_colours_do_not_load(page: Page) -> None:
    open_drawn(page)
    pixels = read_canvas(page, "cbam")
    page.route("**/colormaps/magma*", lambda route: route.abort())
    colours = page.get_by_label("Colour map")
    colours.select_option("magma")
    expect(page.locator("#controls #analysis-error")).to_contain_text("A picture did not load")
    expect(colours).to_have_value("viridis")
    assert "colormap" not in read_query(page)
    assert (read_canvas(page, "cbam") == pixels).all()
    page.unroute_all()
    colours.select_option("magma")
    page.wait_for_function("() => location.search.includes('colormap=magma')")
    assert (read_canvas(page, "cbam") != pixels).any()


def test_keys_on_a_slider_make_one_step_of_the_history(page: Page) -> None:
    open_drawn(page)
    start = page.evaluate("history.length")
    slider = page.locator("#opacity")
    slider.focus()
    for _ in range(6):
        slider.press("ArrowRight")
    expect(page.locator("#opacity-value")).to_have_text("80 %")
    page.wait_for_function("(start) => history.length > start", arg=start)
    assert page.evaluate("history.length") == start + 1
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#opacity-value")).to_have_text("50 %")


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_handle_swipes_between_two_maps(page: Page, by: str) -> None:
    open_drawn(page, "motorcycle")
    page.get_by_role("link", name="Swipe").click()
    handle = page.get_by_role("slider", name="Border between Baseline and CBAM")
    expect(handle).to_be_visible()
    expect(page.locator("[data-map=picture], [data-map=difference]").locator("visible=true")).to_have_count(0)
    frames = [page.locator(f"[data-map={name}]").bounding_box() for name in ("baseline", "cbam")]
    assert frames[0] == frames[1]
    box = handle.bounding_box()
    assert box is not None
    assert frames[0] is not None
    middle = frames[0]["x"] + frames[0]["width"] / 2
    assert box["x"] + box["width"] / 2 == pytest.approx(middle, abs=1.5)
    if by == "mouse":
        page.mouse.move(middle, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(middle - frames[0]["width"] / 4, box["y"] + 30, steps=4)
        page.mouse.up()
        expect(handle).to_have_attribute("aria-valuenow", re.compile("^2[456]$"))
    else:
        handle.focus()
        handle.press("ArrowLeft")
        expect(handle).to_have_attribute("aria-valuenow", "48")
        handle.press("Home")
        expect(handle).to_have_attribute("aria-valuenow", "0")
    clip = page.locator("[data-map=cbam]").evaluate("(frame) => getComputedStyle(frame).clipPath")
    assert clip != "none"
    # The maps are still read under the pointer, on either side.
    page.mouse.move(frames[0]["x"] + 0.9 * frames[0]["width"], frames[0]["y"] + 50)
    expect(page.locator("[data-readout=cbam]")).to_contain_text("Here")


@pytest.mark.parametrize("size", [(820, 1180), (390, 844)], ids=["tablet", "phone"])
def test_finger_moves_the_handle_between_two_maps(browser: Browser, site: str, size: tuple[int, int]) -> None:
    width, height = size
    page = browser.new_page(base_url=site, viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
    open_drawn(page, "motorcycle")
    page.get_by_role("link", name="Swipe").click()
    handle = page.get_by_role("slider", name="Border between Baseline and CBAM")
    handle.scroll_into_view_if_needed()
    box, frame = handle.bounding_box(), page.locator("[data-map=cbam]").bounding_box()
    assert box is not None
    assert frame is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    scrolled = page.evaluate("scrollY")
    session = page.context.new_cdp_session(page)
    for kind, share in [("touchStart", 0), ("touchMove", 0.1), ("touchMove", 0.2), ("touchMove", 0.25)]:
        # Not quite along the map, as fingers go: the page must not scroll instead.
        points = [{"x": x + share * frame["width"], "y": y - 40 * share}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(handle).to_have_attribute("aria-valuenow", re.compile("^7[456]$"))
    assert page.evaluate("scrollY") == scrolled
    page.close()


def test_full_screen_shows_maps_names_and_p_and_leads_through_the_gallery(page: Page) -> None:
    open_gallery_picture(page, SAMPLES[0])
    expect_drawn(page)
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement?.id === 'analysis'")
    for part in ("#toolbar", "#controls", "#tabs", "#views"):
        expect(page.locator(part)).to_be_hidden()
    sizes = page.evaluate(
        """() => Array.from(document.querySelectorAll("#panels *"))
            .filter((part) => part.checkVisibility() && !part.closest(".visually-hidden")
                && Array.from(part.childNodes).some((node) => node.nodeType === 3 && node.textContent.trim()))
            .map((part) => parseFloat(getComputedStyle(part).fontSize))"""
    )
    assert len(sizes) > 8
    assert min(sizes) >= 20
    page.keyboard.press("ArrowRight")
    expect(page.locator(".toolbar-name")).to_have_text(SAMPLES[1].title)
    assert page.evaluate("document.fullscreenElement?.id") == "analysis"
    expect_drawn(page)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".toolbar-name")).to_have_text(SAMPLES[0].title)


def test_full_screen_leads_through_the_sheet_from_which_it_was_opened(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#image", [make_payload("cat"), make_payload("rocket"), make_payload("motorcycle")])
    page.wait_for_url("**/sheets/*")
    # The middle row is not on the sheet any more.
    page.locator("#row-2").get_by_role("link", name="Remove").click()
    expect(page.locator(".sheet-row")).to_have_count(2)
    page.get_by_role("link", name="cat.jpg", exact=True).click()
    page.wait_for_url(ANALYSIS_PATH)
    expect_drawn(page)
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement?.id === 'analysis'")
    for key, name, row in (("ArrowRight", "motorcycle", 3), ("ArrowRight", "cat", 1), ("ArrowLeft", "motorcycle", 3)):
        page.keyboard.press(key)
        expect(page.locator(".toolbar-name")).to_have_text(f"{name}.jpg")
        expect_drawn(page)
        expect(page.locator("[data-sheet]")).to_have_attribute("href", re.compile(f"#row-{row}$"))
    assert page.evaluate("document.fullscreenElement?.id") == "analysis"


def test_full_screen_says_what_went_wrong(page: Page) -> None:
    open_gallery_picture(page, SAMPLES[0])
    expect_drawn(page)
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement?.id === 'analysis'")
    page.route("**/", lambda route: route.abort())
    page.keyboard.press("ArrowRight")
    expect(page.locator("#analysis-error")).to_be_visible()
    expect(page.locator("#analysis-error")).to_contain_text("cannot be reached")
