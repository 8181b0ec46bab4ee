"""The comparison view's colours, scale and contours: changed without a request, kept in the address."""

import io
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.comparison import (
    expect_change,
    expect_same,
    name_of,
    place,
    read_all,
    read_answer,
    set_slider,
)
from tests.browser.pictures import (
    AT_BOTH_WIDTHS,
    expect_drawn,
    find_canvas,
    list_data_requests,
    open_drawn,
    read_address,
    read_canvas,
    read_query,
    wait_for_frames,
    watch_requests,
)

pytestmark = pytest.mark.slow

CHANGES: list[tuple[Callable[[Page], object], dict[str, str]]] = [
    (lambda page: page.get_by_label("Scale", exact=True).select_option("own"), {"scale": "own"}),
    (lambda page: page.get_by_label("Colour map").select_option("magma"), {"colormap": "magma"}),
    (lambda page: set_slider(page, "opacity", "0.8"), {"opacity": "0.8"}),
    (lambda page: set_slider(page, "threshold", "0.5"), {"threshold": "0.5"}),
    (lambda page: page.get_by_role("button", name="Zoom in").click(), {"zoom": "1.5625", "centre": "0.5000,0.5000"}),
]


@pytest.mark.slow
@AT_BOTH_WIDTHS
def test_look_changes_without_a_request_and_back_undoes_it(page: Page) -> None:
    open_drawn(page, "motorcycle")
    before, first = read_all(page), read_address(page)
    # Not a fixture: earlier requests do not count.
    requests = watch_requests(page)
    for change, address in CHANGES:
        change(page)
        page.wait_for_function("(first) => location.href !== first", arg=first)
        assert read_query(page) == address
        expect_change(page, before)
        after, link = read_all(page), read_address(page)
        page.go_back()
        page.wait_for_function("(first) => location.href === first", arg=first)
        expect_same(page, before)
        page.go_forward()
        expect_same(page, after)
        page.go_back()
        page.wait_for_function("(first) => location.href === first", arg=first)
    # The table of a colour map, once.
    asked = [path for path in list_data_requests(requests) if not path.startswith("/api/v1/colormaps/")]
    assert asked == []
    page.goto(link)
    expect_drawn(page)
    expect_same(page, after)


@AT_BOTH_WIDTHS
def test_slider_that_is_dragged_draws_at_once_asks_nothing_and_makes_one_step_back(page: Page) -> None:
    open_drawn(page)
    first, before = read_address(page), read_all(page)
    requests = watch_requests(page)
    slider = page.locator("#opacity")
    page.mouse.move(*place(slider, 0.5, 0.5))
    page.mouse.down()
    for share in (0.55, 0.6, 0.65, 0.7, 0.75, 0.8):
        page.mouse.move(*place(slider, share, 0.5))
    expect(page.locator("#opacity-value")).to_have_text(re.compile("8[05] %"))
    assert (read_canvas(page, "cbam") != before[2]).any()
    page.mouse.up()
    page.wait_for_function("() => location.search.includes('opacity=0.8')")
    wait_for_frames(page)
    assert list_data_requests(requests) == []
    page.go_back()
    expect(page).to_have_url(first)
    expect_same(page, before)
    expect(page.locator("#opacity-value")).to_have_text("50 %")


@AT_BOTH_WIDTHS
def test_links_carry_what_is_seen(page: Page) -> None:
    open_drawn(page)
    set_slider(page, "opacity", "0.8")
    page.get_by_label("Colour map").select_option("turbo")
    for link in (page.locator("#export a").first, page.locator(".ranked").nth(1)):
        expect(link).to_have_attribute("href", re.compile("colormap=turbo.*opacity=0.8|opacity=0.8.*colormap=turbo"))
    page.locator(".ranked").nth(1).click()
    expect(page.locator(".ranked").nth(1)).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile(r"opacity=0\.8"))
    expect(page.locator("#opacity")).to_have_value("0.8")


@AT_BOTH_WIDTHS
def test_contour_is_drawn_with_the_box_of_what_reaches_it(page: Page) -> None:
    open_drawn(page, "motorcycle")
    set_slider(page, "opacity", "0")
    before = read_canvas(page, "cbam")
    set_slider(page, "threshold", "0.6")
    drawn = read_canvas(page, "cbam")
    expect(page.locator("#threshold-value")).to_have_text("60 %")
    name = name_of(find_canvas(page, "cbam"))
    found = re.search(r"(\d+) % reaches ([\d.]+): x (\d+)–(\d+), y (\d+)–(\d+)", name)
    assert found is not None, name
    expect(page.locator("[data-contour=cbam]")).to_contain_text(found[0])
    answer = read_answer(page)
    assert float(found[2]) == pytest.approx(0.6 * answer["shared_max"], rel=0.01)
    # From the server: the same map, alone, where it reaches 0.6 of the scale's 255 steps.
    response = page.request.get(
        f"/api/v1{urlsplit(page.url).path}/heatmaps/cbam.png", params={"render": "gray", "max_side": "640"}
    )
    steps = np.asarray(Image.open(io.BytesIO(response.body())).convert("LA"))
    rows, columns = np.nonzero((steps[..., 0] >= 0.6 * 255) & (steps[..., 1] > 0))
    ratio = answer["geometry"]["picture_width"] / 640
    expected = [columns.min() * ratio, (columns.max() + 1) * ratio, rows.min() * ratio, (rows.max() + 1) * ratio]
    assert [int(found[group]) for group in (3, 4, 5, 6)] == pytest.approx(expected, abs=3)
    # Lines are inside of the box only.
    changed = np.nonzero((drawn != before).any(axis=2))
    assert changed[1].min() == pytest.approx(columns.min(), abs=8)
    assert changed[0].max() == pytest.approx(rows.max(), abs=8)
    inside = (changed[0] > rows.min() + 10) & (changed[0] < rows.max() - 10)
    assert inside.any()


@AT_BOTH_WIDTHS
def test_contour_that_nothing_reaches_says_so(page: Page) -> None:
    open_drawn(page, "motorcycle")
    set_slider(page, "threshold", "1")
    names = [name_of(find_canvas(page, kind)) for kind in ("baseline", "cbam")]
    answer = read_answer(page)
    maxima = [answer["networks"][name]["heat_map"]["max"] for name in ("baseline", "cbam")]
    weaker = int(maxima[0] > maxima[1])
    assert "nothing reaches" in names[weaker]
