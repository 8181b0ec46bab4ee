"""Zooming and panning all panels of the comparison view at once."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.comparison import expect_same, place, read_all, say
from tests.browser.pictures import AT_BOTH_WIDTHS, find_canvas, open_drawn, read_query, wait_for_frames

pytestmark = pytest.mark.slow


@AT_BOTH_WIDTHS
def test_wheel_zooms_all_panels_at_the_pointer_and_dragging_pans_them(page: Page) -> None:
    open_drawn(page, "motorcycle")
    before = read_all(page)
    canvas = find_canvas(page, "baseline")
    x, y = place(canvas, 0.25, 0.25)
    page.mouse.move(x, y)
    wait_for_frames(page)
    here = say(page, "baseline")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -240)
    page.keyboard.up("Control")
    expect(page.locator("#zoom-value")).to_have_text("223 %")
    zoomed = read_all(page)
    for old, new in zip(before, zoomed, strict=True):
        assert (old != new).any()
    page.mouse.move(x, y + 1)
    page.mouse.move(x, y)
    wait_for_frames(page)
    values = [float(text.split()[1].strip(",")) for text in (here, say(page, "baseline"))]
    assert values[1] == pytest.approx(values[0], rel=0.05), "the place under the pointer has stayed"
    page.wait_for_function("() => location.search.includes('zoom=2.2255')")
    centre = read_query(page)["centre"]
    page.mouse.down()
    page.mouse.move(x - 40, y - 30, steps=5)
    page.mouse.up()
    page.wait_for_function("(before) => new URLSearchParams(location.search).get('centre') !== before", arg=centre)
    for old, new in zip(zoomed, read_all(page), strict=True):
        assert (old != new).any()
    page.go_back()
    expect_same(page, zoomed)


@AT_BOTH_WIDTHS
def test_wheel_alone_scrolls_the_page(page: Page) -> None:
    open_drawn(page)
    page.mouse.move(*place(find_canvas(page, "picture"), 0.5, 0.5))
    page.mouse.wheel(0, 200)
    page.wait_for_function("() => window.scrollY > 50")
    expect(page.locator("#zoom-value")).to_have_text("100 %")


def test_two_fingers_zoom_all_panels(phone_page: Page) -> None:
    open_drawn(phone_page)
    x, y = place(find_canvas(phone_page, "baseline"), 0.5, 0.5)
    session = phone_page.context.new_cdp_session(phone_page)

    def touch(kind: str, reach: float) -> None:
        points = [{"x": x - reach, "y": y, "id": 1}, {"x": x + reach, "y": y, "id": 2}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if reach else []})

    touch("touchStart", 15)
    for reach in (20, 25, 30, 35, 40):
        touch("touchMove", reach)
    touch("touchEnd", 0)
    phone_page.wait_for_function("() => Number(new URLSearchParams(location.search).get('zoom')) > 1.8")
