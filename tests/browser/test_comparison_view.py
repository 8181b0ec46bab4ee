"""The comparison view: everything here is drawn by the browser, from maps that were sent once."""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from app.render.colour_scale import colour_table
from tests.browser.pictures import (
    expect_drawn,
    find_canvas,
    list_data_requests,
    open_cropped,
    open_drawn,
    read_address,
    read_canvas,
    read_query,
    wait_for_frames,
    watch_requests,
)

PANELS = ("picture", "baseline", "cbam", "difference")

STEPS = 2
"""How far the browser's colours may be from the server's, of 255: two roundings."""


def expect_same_colours(drawn: np.ndarray, expected: np.ndarray, colormap: str, opacity: float) -> None:
    """Within two steps; where a value is on the border of two colours of the table, it may have the other one."""
    distance = np.abs(drawn - expected)
    assert (distance <= STEPS).mean() > 0.99
    neighbours = np.abs(np.diff(colour_table(colormap).astype(int), axis=0)).max()
    assert distance.max() <= STEPS + neighbours * opacity


@pytest.fixture(params=[1280, 390])
def page(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(base_url=site, viewport={"width": request.param, "height": 900})
    yield context.new_page()
    context.close()


def read_all(page: Page) -> list[np.ndarray]:
    return [read_canvas(page, kind) for kind in PANELS]


def name_of(canvas: Locator) -> str:
    return canvas.get_attribute("aria-label") or ""


def say(page: Page, kind: str, *, row: int = 0) -> str:
    """The line that reads a panel's map at the place that is pointed at."""
    return page.locator(f"[data-row='{row}'] [data-readout={kind}]").inner_text()


def place(canvas: Locator, x: float, y: float) -> tuple[float, float]:
    """Where a share of a canvas is in the window, scrolled to."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def read_answer(page: Page) -> dict[str, Any]:
    target = read_query(page).get("target", "")
    answer: dict[str, Any] = page.request.get(f"/api/v1{urlsplit(page.url).path}", params={"target": target}).json()
    return answer


def draw_on_server(page: Page, kind: str, **options: str) -> np.ndarray:
    """The server's drawing of the panel, (H, W, 3)."""
    path = f"/api/v1{urlsplit(page.url).path}/heatmaps/{kind}.png"
    response = page.request.get(path, params={"max_side": "640", **options})
    return np.asarray(Image.open(io.BytesIO(response.body())).convert("RGB"), dtype=np.int16)


def set_slider(page: Page, name: str, value: str) -> None:
    page.locator(f"#{name}").fill(value)


@pytest.mark.parametrize("colormap", ["viridis", "jet"])
@pytest.mark.parametrize(("scale", "stage"), [("shared", "4"), ("own", "2")])
@pytest.mark.parametrize("size", [(600, 400), (300, 420), (20, 24)], ids=["landscape", "portrait", "small"])
def test_canvases_are_as_the_server_draws_them(
    *, browser: Browser, site: str, scale: str, stage: str, colormap: str, size: tuple[int, int]
) -> None:
    page = browser.new_page(base_url=site)
    buffer = io.BytesIO()
    # One colour, which JPEG carries to the page unchanged; the networks' maps of it are not flat.
    Image.new("RGB", size, (90, 120, 60)).save(buffer, format="PNG")
    page.goto("/")
    page.set_input_files("#image", {"name": "plain.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    page.wait_for_url("**/analyses/*")
    # A class that both networks see some evidence for.
    options = {"target": "pizza", "scale": scale, "stage": stage, "colormap": colormap, "opacity": "0.6"}
    page.goto(f"{page.url}?{'&'.join(f'{name}={value}' for name, value in options.items())}")
    expect_drawn(page)
    for kind in ("baseline", "cbam", "difference"):
        drawn, expected = read_canvas(page, kind), draw_on_server(page, kind, **options)
        assert drawn.shape == expected.shape
        if "no positive evidence" not in name_of(find_canvas(page, kind)):
            used = "RdBu_r" if kind == "difference" else colormap
            expect_same_colours(drawn, expected, used, opacity=0.6)
    page.close()


def test_maps_of_a_photograph_are_as_the_server_draws_them(page: Page) -> None:
    open_cropped(page)
    set_slider(page, "opacity", "1")
    answer = read_answer(page)
    ratio = 640 / answer["geometry"]["picture_width"]
    left, right = (round(answer["geometry"][side] * ratio) for side in ("left", "right"))
    for kind in ("baseline", "cbam", "difference"):
        drawn, expected = read_canvas(page, kind), draw_on_server(page, kind, opacity="1")
        used = "RdBu_r" if kind == "difference" else "viridis"
        expect_same_colours(drawn[:, left:right], expected[:, left:right], used, opacity=1)
        # What no network saw is covered with gray, over a picture that JPEG has changed a little.
        covered = np.abs(drawn - expected)[:, : left - 1]
        assert covered.mean() < STEPS
        assert drawn[:, :left].std() < 0.6 * read_canvas(page, "picture")[:, :left].std()


CHANGES: list[tuple[Callable[[Page], object], dict[str, str]]] = [
    (lambda page: page.get_by_label("Scale", exact=True).select_option("own"), {"scale": "own"}),
    (lambda page: page.get_by_label("Colour map").select_option("magma"), {"colormap": "magma"}),
    (lambda page: set_slider(page, "opacity", "0.8"), {"opacity": "0.8"}),
    (lambda page: set_slider(page, "threshold", "0.5"), {"threshold": "0.5"}),
    (lambda page: page.get_by_role("button", name="Zoom in").click(), {"zoom": "1.5625", "centre": "0.5000,0.5000"}),
]


def test_look_changes_without_a_request_and_back_undoes_it(page: Page) -> None:
    open_drawn(page, "motorcycle")
    before, first = read_all(page), read_address(page)
    # Not a fixture: what was asked for until here is not asked about.
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
    # A colour map's own table, once.
    asked = [path for path in list_data_requests(requests) if not path.startswith("/api/v1/colormaps/")]
    assert asked == []
    page.goto(link)
    expect_drawn(page)
    expect_same(page, after)


def expect_change(page: Page, before: list[np.ndarray]) -> None:
    for _ in range(20):
        after = read_all(page)
        # The stronger map's own scale is the shared one.
        if (after[1] != before[1]).any() or (after[2] != before[2]).any():
            return
    raise AssertionError("the maps did not change")


def expect_same(page: Page, wanted: list[np.ndarray]) -> None:
    for _ in range(20):
        if all((found == expected).all() for found, expected in zip(read_all(page), wanted, strict=True)):
            return
    raise AssertionError("the maps are others")


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


def test_links_carry_what_is_seen(page: Page) -> None:
    open_drawn(page)
    set_slider(page, "opacity", "0.8")
    page.get_by_label("Colour map").select_option("turbo")
    for link in (page.locator(".downloads a").first, page.locator(".ranked").nth(1)):
        expect(link).to_have_attribute("href", re.compile("colormap=turbo.*opacity=0.8|opacity=0.8.*colormap=turbo"))
    page.locator(".ranked").nth(1).click()
    expect(page.locator(".ranked").nth(1)).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile(r"opacity=0\.8"))
    expect(page.locator("#opacity")).to_have_value("0.8")


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
            marker = page.locator(f"[data-map={other}] .marker")
            expect(marker).to_be_visible()
            assert float(str(marker.evaluate("(marker) => parseFloat(marker.style.left)"))) == pytest.approx(
                100 * x, abs=1.5
            )
    page.mouse.move(1, 1)
    expect(page.locator("[data-readout=cbam]")).to_contain_text("Highest")
    expect(page.locator(".marker:visible")).to_have_count(0)


def test_place_that_no_network_saw_says_so(page: Page) -> None:
    open_cropped(page)
    page.mouse.move(*place(find_canvas(page, "baseline"), 0.02, 0.5))
    expect(page.locator("[data-readout=baseline]")).to_have_text("Not seen by the networks")


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


def test_tap_reads_the_maps(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_drawn(page)
    find_canvas(page, "baseline").tap()
    for kind in PANELS[1:]:
        expect(page.locator(f"[data-readout={kind}]")).to_contain_text("Here")
    context.close()


def test_keyboard_alone_reads_zooms_and_pans(page: Page) -> None:
    open_drawn(page)
    maps = page.locator("#maps")
    maps.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer-said")).to_have_text(
        re.compile(r"x \d+, y \d+: baseline [\d.]+, CBAM [\d.]+, difference [+−]?[\d.]+")
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


def test_wheel_alone_scrolls_the_page(page: Page) -> None:
    open_drawn(page)
    page.mouse.move(*place(find_canvas(page, "picture"), 0.5, 0.5))
    page.mouse.wheel(0, 200)
    page.wait_for_function("() => window.scrollY > 50")
    expect(page.locator("#zoom-value")).to_have_text("100 %")


def test_two_fingers_zoom_all_panels(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_drawn(page)
    x, y = place(find_canvas(page, "baseline"), 0.5, 0.5)
    session = context.new_cdp_session(page)

    def touch(kind: str, reach: float) -> None:
        points = [{"x": x - reach, "y": y, "id": 1}, {"x": x + reach, "y": y, "id": 2}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if reach else []})

    touch("touchStart", 15)
    for reach in (20, 25, 30, 35, 40):
        touch("touchMove", reach)
    touch("touchEnd", 0)
    page.wait_for_function("() => Number(new URLSearchParams(location.search).get('zoom')) > 1.8")
    context.close()


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
    assert float(found[2]) == pytest.approx(0.6 * answer["comparison"]["shared_max"], rel=0.01)
    # From the server: the same map, alone, where it reaches 0.6 of the scale's 255 steps.
    response = page.request.get(
        f"/api/v1{urlsplit(page.url).path}/heatmaps/cbam.png", params={"render": "gray", "max_side": "640"}
    )
    steps = np.asarray(Image.open(io.BytesIO(response.body())).convert("LA"))
    rows, columns = np.nonzero((steps[..., 0] >= 0.6 * 255) & (steps[..., 1] > 0))
    ratio = answer["geometry"]["picture_width"] / 640
    expected = [columns.min() * ratio, (columns.max() + 1) * ratio, rows.min() * ratio, (rows.max() + 1) * ratio]
    assert [int(found[group]) for group in (3, 4, 5, 6)] == pytest.approx(expected, abs=3)
    # Lines are where the box is, and nowhere outside of it.
    changed = np.nonzero((drawn != before).any(axis=2))
    assert changed[1].min() == pytest.approx(columns.min(), abs=8)
    assert changed[0].max() == pytest.approx(rows.max(), abs=8)
    inside = (changed[0] > rows.min() + 10) & (changed[0] < rows.max() - 10)
    assert inside.any()


def test_contour_that_nothing_reaches_says_so(page: Page) -> None:
    open_drawn(page, "motorcycle")
    set_slider(page, "threshold", "1")
    names = [name_of(find_canvas(page, kind)) for kind in ("baseline", "cbam")]
    answer = read_answer(page)
    maxima = [answer["networks"][name]["heat_map"]["max"] for name in ("baseline", "cbam")]
    weaker = int(maxima[0] > maxima[1])
    assert "nothing reaches" in names[weaker]


def test_why_not_shows_a_second_class_in_a_row_on_the_same_scale(page: Page) -> None:
    open_drawn(page, "motorcycle")
    first = page.locator("h1").inner_text()
    page.locator("#ranking-cbam + ol .ranked-versus").first.click()
    expect_drawn(page, rows=2)
    expect(page.locator("h1")).to_contain_text("and why not")
    second = page.locator(".panel-versus h2").inner_text()
    assert "Why not" in second
    expect(page.locator(".versus-table tbody tr")).to_have_count(2)
    expect(page.locator(".probability-value")).to_have_count(4)
    ends = page.locator("[data-scale=shared] .colour-bar-highest").all_inner_texts()
    assert len(ends) == 2
    assert ends[0] == ends[1]
    expect(page.locator("[data-scale=shared] .colour-bar-label").first).to_contain_text("one scale for all four")
    page.mouse.move(*place(find_canvas(page, "cbam", row=1), 0.5, 0.5))
    for row in (0, 1):
        expect(page.locator(f"[data-row='{row}'] [data-readout=cbam]")).to_contain_text("Here")
    link, pixels = read_address(page), read_canvas(page, "cbam", row=1)
    page.get_by_role("link", name="Without the second class").click()
    expect_drawn(page)
    expect(page.locator("h1")).to_have_text(first)
    page.go_back()
    expect_drawn(page, rows=2)
    page.goto(link)
    expect_drawn(page, rows=2)
    assert (read_canvas(page, "cbam", row=1) == pixels).all()


def test_second_class_is_picked_by_search_and_taken_away_again(page: Page) -> None:
    open_drawn(page)
    picker = page.get_by_role("combobox", name="Why not")
    picker.fill("umbr")
    picker.press("Enter")
    expect(page.locator(".panel-versus h2")).to_contain_text("umbrella")
    expect(picker).to_have_value("umbrella")
    expect(picker).to_be_focused()
    expect_drawn(page, rows=2)
    picker.fill("no second")
    picker.press("Enter")
    expect_drawn(page)
    expect(page).not_to_have_url(re.compile("versus="))


def test_every_canvas_has_a_name_with_its_numbers(page: Page) -> None:
    open_drawn(page)
    for kind in PANELS:
        canvas = find_canvas(page, kind)
        expect(canvas).to_have_role("img")
        assert len(re.findall(r"\d", name_of(canvas))) >= 3, name_of(canvas)


def test_server_draws_nothing_that_the_browser_draws(page: Page) -> None:
    requests = watch_requests(page)
    open_drawn(page)
    paths = list_data_requests(requests)
    assert [path for path in paths if "/heatmaps/" in path] == []
    assert len([path for path in paths if path.endswith("/maps.json")]) == 1


def test_server_draws_where_the_maps_do_not_come(page: Page) -> None:
    page.route("**/maps.json*", lambda route: route.abort())
    page.goto("/")
    page.get_by_role("button", name="Rocket").click()
    page.wait_for_url("**/analyses/*")
    expect(page.locator("#analysis-error")).to_contain_text("cannot be reached")
    image = page.locator("[data-map=cbam] img")
    image.scroll_into_view_if_needed()
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", value=True)
    assert image.evaluate("(image) => image.naturalWidth") > 0


def test_second_class_is_named_without_javascript(plain_page: Page) -> None:
    plain_page.goto("/")
    plain_page.get_by_role("button", name="Rocket").click()
    plain_page.get_by_label("Why not").fill("umbrella")
    plain_page.get_by_role("button", name="Apply").click()
    expect(plain_page.locator("h1")).to_contain_text("and why not ‘umbrella’?")
    expect(plain_page.locator("[data-row='1'] .frame img")).to_have_count(3)
    expect(plain_page.locator("#versus")).to_have_value("umbrella")
    expect(plain_page.locator("#threshold")).to_be_hidden()
