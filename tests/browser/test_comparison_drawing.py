"""The comparison view's maps, drawn by the browser from values that were sent once."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.comparison import (
    PANELS,
    STEPS,
    draw_on_server,
    expect_same_colours,
    name_of,
    read_answer,
    set_slider,
)
from tests.browser.pictures import (
    ANALYSIS_PATH,
    AT_BOTH_WIDTHS,
    expect_drawn,
    expect_loaded,
    find_canvas,
    list_data_requests,
    open_cropped,
    open_drawn,
    open_photograph,
    read_canvas,
    watch_requests,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("colormap", ["viridis", pytest.param("jet", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("scale", "stage"), [("shared", "4"), pytest.param("own", "2", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "size",
    [
        pytest.param((600, 400), id="landscape"),
        pytest.param((300, 420), id="portrait", marks=pytest.mark.slow),
        pytest.param((20, 24), id="small"),
    ],
)
def test_canvases_are_as_the_server_draws_them(
    *, browser: Browser, site: str, scale: str, stage: str, colormap: str, size: tuple[int, int]
) -> None:
    page = browser.new_page(base_url=site)
    buffer = io.BytesIO()
    # One colour, which JPEG carries to the page unchanged; the networks' maps of it are not flat.
    Image.new("RGB", size, (90, 120, 60)).save(buffer, format="PNG")
    page.goto("/")
    page.set_input_files("#image", {"name": "plain.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    page.wait_for_url(ANALYSIS_PATH)
    # A class with evidence in both networks.
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


@AT_BOTH_WIDTHS
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
        # Grey covers the part that no network saw, over a picture that JPEG has changed a little.
        covered = np.abs(drawn - expected)[:, : left - 1]
        assert covered.mean() < STEPS
        assert drawn[:, :left].std() < 0.6 * read_canvas(page, "picture")[:, :left].std()


@AT_BOTH_WIDTHS
def test_every_canvas_has_a_name_with_its_numbers(page: Page) -> None:
    open_drawn(page)
    for kind in PANELS:
        canvas = find_canvas(page, kind)
        expect(canvas).to_have_role("img")
        assert len(re.findall(r"\d", name_of(canvas))) >= 3, name_of(canvas)


@AT_BOTH_WIDTHS
def test_server_draws_nothing_that_the_browser_draws(page: Page) -> None:
    requests = watch_requests(page)
    open_drawn(page)
    paths = list_data_requests(requests)
    assert [path for path in paths if "/heatmaps/" in path] == []
    assert len([path for path in paths if path.endswith("/maps.json")]) == 1


@AT_BOTH_WIDTHS
def test_server_draws_where_the_maps_do_not_come(page: Page) -> None:
    page.route("**/maps.json*", lambda route: route.abort())
    open_photograph(page)
    expect(page.locator("#analysis-error")).to_contain_text("cannot be reached")
    image = page.locator("[data-map=cbam] img")
    expect_loaded(image, count=1)
    expect(image).to_be_visible()
