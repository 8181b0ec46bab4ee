"""Reading the comparison view's maps at a place: by pointer, touch and keyboard."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.comparison import (
    PANELS,
    place,
    read_answer,
    say,
)
from tests.browser.pictures import (
    AT_BOTH_WIDTHS,
    expect_drawn,
    find_canvas,
    open_cropped,
    open_drawn,
    read_address,
    show_panel,
    wait_for_frames,
)

pytestmark = pytest.mark.slow


@AT_BOTH_WIDTHS
def test_pointing_reads_all_maps_at_the_same_place(page: Page) -> None:
    open_drawn(page, "motorcycle")
    answer = read_answer(page)
    heat_map, geometry = answer["networks"]["cbam"]["heat_map"], answer["geometry"]
    x, y = heat_map["peak_x"] / geometry["picture_width"], heat_map["peak_y"] / geometry["picture_height"]
    expect(page.locator("[data-readout=cbam]")).to_have_text(
        f"Highest {heat_map['max']:.3g} at x {heat_map['peak_x']:.0f}, y {heat_map['peak_y']:.0f}"
    )
    for kind in PANELS:
        page.mouse.move(*place(find_canvas(page, kind), x, y))
        wait_for_frames(page)
        found = re.fullmatch(r"At x (\d+), y (\d+)", say(page, "position"))
        assert found is not None
        # A pixel of a small panel is several of the picture's.
        assert np.hypot(int(found[1]) - heat_map["peak_x"], int(found[2]) - heat_map["peak_y"]) < 8
        assert re.fullmatch(r"Here [\d.]+, (100|9\d) % of its highest", say(page, "cbam")), say(page, "cbam")
        values = [float(re.findall(r"-?[\d.]+", say(page, name).replace("−", "-"))[0]) for name in PANELS[1:]]
        assert values[2] == pytest.approx(values[1] - values[0], abs=0.02)
        for other in PANELS:
            if not find_canvas(page, other).is_visible():
                continue
            marker = page.locator(f"[data-map={other}] .marker")
            expect(marker).to_be_visible()
            assert float(str(marker.evaluate("(marker) => parseFloat(marker.style.left)"))) == pytest.approx(
                100 * x, abs=1.5
            )
    page.mouse.move(1, 1)
    expect(page.locator("[data-readout=cbam]")).to_contain_text("Highest")
    expect(page.locator(".marker:visible")).to_have_count(0)


@AT_BOTH_WIDTHS
def test_place_that_no_network_saw_says_so(page: Page) -> None:
    open_cropped(page)
    page.mouse.move(*place(find_canvas(page, "baseline"), 0.02, 0.5))
    expect(page.locator("[data-readout=baseline]")).to_have_text("Not seen by the networks")


@AT_BOTH_WIDTHS
def test_click_keeps_a_place_in_the_address_and_escape_lets_it_go(page: Page) -> None:
    open_drawn(page)
    page.mouse.click(*place(find_canvas(page, "cbam"), 0.5, 0.5))
    page.mouse.move(1, 1)
    expect(page.locator("[data-readout=cbam]")).to_contain_text("Here")
    kept = say(page, "cbam")
    page.goto(read_address(page))
    expect_drawn(page)
    expect(page.locator("[data-readout=cbam]")).to_have_text(kept)
    page.locator("#maps").focus()
    page.keyboard.press("Escape")
    expect(page.locator("[data-readout=cbam]")).to_contain_text("Highest")
    expect(page).not_to_have_url(re.compile("point="))


def test_tap_reads_the_maps(phone_page: Page) -> None:
    open_drawn(phone_page)
    show_panel(phone_page, "baseline")
    find_canvas(phone_page, "baseline").tap()
    for kind in PANELS[1:]:
        expect(phone_page.locator(f"[data-readout={kind}]")).to_contain_text("Here")


@AT_BOTH_WIDTHS
def test_keyboard_alone_reads_zooms_and_pans(page: Page) -> None:
    open_drawn(page)
    maps = page.locator("#maps")
    maps.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer-said")).to_have_text(
        re.compile(r"x \d+, y \d+: Baseline [\d.]+, CBAM [\d.]+, difference [+−]?[\d.]+")
    )
    page.wait_for_function("() => location.search.includes('point=0.52')")
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(page.locator("#zoom-value")).to_have_text("156 %")
    page.wait_for_function("() => location.search.includes('zoom=1.5625')")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("() => parseFloat(new URLSearchParams(location.search).get('centre')) > 0.56")
    page.keyboard.press("-")
    expect(page.locator("#zoom-value")).to_have_text("125 %")
    page.keyboard.press("0")
    expect(page.locator("#zoom-value")).to_have_text("100 %")
    expect(maps).to_be_focused()
