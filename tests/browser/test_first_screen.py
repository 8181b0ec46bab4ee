"""The analysis page's first screen: the answer, the maps and what can be done, without much scrolling or reading."""

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from app.pages.analysis.page import TAB_TITLES
from app.pages.gallery import SAMPLES, Sample
from tests.browser.pictures import (
    expect_drawn,
    find_canvas,
    find_overflow,
    make_payload,
    make_striped_png,
    open_drawn,
    open_gallery_picture,
    open_photograph,
    open_tab,
    read_address,
    read_canvas,
    read_query,
    show_panel,
    wait_for_frames,
)
from tests.browser.views import send_picture

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}

MOST_PIXELS = 1400
MOST_WORDS = 350

COUNT_WORDS = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let words = 0;
    while (walker.nextNode()) {
        const { parentElement: parent, textContent } = walker.currentNode;
        if (parent.checkVisibility() && !parent.closest("option, .visually-hidden, .skip-link")) {
            words += textContent.trim().split(/\\s+/).filter(Boolean).length;
        }
    }
    return words;
}"""


@pytest.fixture(params=SIZES)
def sized_page(request: pytest.FixtureRequest, browser: Browser, site: str) -> Any:
    """A page in a desktop's window and in a phone's."""
    width, height = SIZES[request.param]
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": height}, has_touch=request.param == "phone"
    )
    yield context.new_page()
    context.close()


def is_phone(page: Page) -> bool:
    return page.viewport_size is not None and page.viewport_size["width"] == SIZES["phone"][0]


def find_top_of_bar(page: Page) -> float:
    """The upper edge of the bar that lies over the lower edge of a phone's window."""
    bar = page.locator(".phone").bounding_box()
    assert bar is not None
    return bar["y"]


def find_bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return box["y"] + box["height"]


def test_page_is_short_before_anything_is_opened(sized_page: Page) -> None:
    open_drawn(sized_page, "motorcycle")
    assert sized_page.evaluate("document.documentElement.scrollHeight") <= MOST_PIXELS
    words = sized_page.evaluate(COUNT_WORDS)
    assert 50 < words <= MOST_WORDS
    assert find_overflow(sized_page) == []


SHAPES = {"square": (400, 400), "tall": (400, 1600), "strip": (150, 3000), "panorama": (4000, 800), "tiny": (8, 8)}


@pytest.mark.slow(every=True)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
def test_page_of_three_networks_is_short_whatever_the_pictures_shape(
    browser: Browser, shipped_site: str, size: str, shape: str
) -> None:
    width, height = SIZES[size]
    page = browser.new_page(base_url=shipped_site, viewport={"width": width, "height": height})
    page.goto("/")
    # No class fits the stripes: the warning takes room, too.
    send_picture(page, make_striped_png(*SHAPES[shape]), "stripes.png")
    expect_drawn(page, networks=3)
    expect(page.locator(".doubt")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= MOST_PIXELS
    assert 50 < page.evaluate(COUNT_WORDS) <= MOST_WORDS
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


@pytest.mark.slow
def test_p_of_three_networks_stands_above_the_phones_bar(browser: Browser, shipped_site: str) -> None:
    width, height = SIZES["phone"]
    page = browser.new_page(base_url=shipped_site, viewport={"width": width, "height": height}, has_touch=True)
    for sample in SAMPLES[:3]:
        open_gallery_picture(page, sample)
        expect_drawn(page, networks=3)
        assert find_bottom(page, "[data-network=cbam]") <= find_top_of_bar(page)
    page.close()


def test_first_screen_has_the_verdict_and_the_maps_with_their_p(sized_page: Page) -> None:
    open_drawn(sized_page, "motorcycle")
    height = find_top_of_bar(sized_page) if is_phone(sized_page) else SIZES["desktop"][1]
    expect(sized_page.locator(".verdict-line")).to_have_text(
        re.compile(r"Baseline: motorbikes \d\d %, CBAM: motorbikes \d\d %, maps agree 0\.\d\d")
    )
    for part in ("#toolbar", ".verdict-line", "[data-map=cbam]", "[data-network=cbam]"):
        assert find_bottom(sized_page, part) <= height, part
    if not is_phone(sized_page):
        for part in ("[data-map=baseline]", "[data-map=difference]", "#controls", "nav.tabs"):
            assert find_bottom(sized_page, part) <= height, part


def test_bar_names_the_picture_and_offers_the_likeliest_classes_first(page: Page) -> None:
    page.goto("/")
    send_picture(page, make_striped_png(300, 200), "../my holiday\u202e.png")
    expect(page.locator(".toolbar-name")).to_have_text("my holiday .png")
    picker = page.get_by_role("combobox", name="Class")
    picker.click()
    notes = page.locator(".picker-option .picker-note").all_inner_texts()
    percents = [int(re.sub(r"\D", "", note)) for note in notes]
    assert len(percents) == 5
    assert percents == sorted(percents, reverse=True)
    expect(page.locator(".picker-option .picker-note").first).to_be_visible()
    expect(page.locator("#link-expiry time")).to_have_text(re.compile(r"\d\d:\d\d"))


@pytest.mark.slow
def test_file_name_is_shown_as_its_owner_wrote_it(page: Page) -> None:
    name = 'My "best" <b>day & 100 %41 \u05e9\u05dc\u05d5\u05dd \U0001f3d6.png'
    page.goto("/")
    send_picture(page, make_striped_png(300, 200), name)
    expect(page.locator(".toolbar-name")).to_have_text(name)
    page.goto("/")
    quoted = make_payload("rocket")
    quoted["name"] = 'a "b".jpg'
    page.set_input_files("#image", [make_payload("cat"), quoted])
    page.wait_for_url("**/sheets/*")
    expect(page.locator(".sheet-name a")).to_have_text(["cat.jpg", 'a "b".jpg'])


def test_link_is_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_drawn(page)
    page.get_by_label("Colour map").select_option("magma")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#link-said")).to_have_text("Copied.")
    assert page.evaluate("() => navigator.clipboard.readText()") == read_address(page)


@pytest.mark.slow
def test_figure_is_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_drawn(page)
    page.locator("#export summary").click()
    page.get_by_role("button", name="Copy the figure").click()
    expect(page.locator("#link-said")).to_have_text("The figure is copied.")
    kinds = page.evaluate("async () => (await navigator.clipboard.read()).flatMap((item) => item.types)")
    assert kinds == ["image/png"]


def test_undo_takes_back_one_step_after_the_other(page: Page) -> None:
    open_drawn(page)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    before = read_canvas(page, "cbam")
    page.get_by_label("Colour map").select_option("magma")
    page.locator(".ranked").nth(1).click()
    expect(page.locator(".ranked").nth(1)).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".ranked").nth(0)).to_have_attribute("aria-current", "true")
    expect(page.get_by_label("Colour map")).to_have_value("magma")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Colour map")).to_have_value("viridis")
    expect_drawn(page)
    assert (read_canvas(page, "cbam") == before).all()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


@pytest.mark.parametrize(
    "title",
    # The sanity check computes seven more maps of every network.
    [pytest.param(title, marks=pytest.mark.slow if title == "Sanity" else ()) for title in TAB_TITLES.values()],
)
def test_tab_has_an_address_and_needs_no_javascript(plain_page: Page, title: str) -> None:
    open_photograph(plain_page)
    open_tab(plain_page, title)
    assert "tab=" in plain_page.url
    assert len(plain_page.locator("#tabs").inner_text().split()) > 30
    expect(plain_page.locator("#maps .frame img:visible")).to_have_count(4)


def test_tab_opens_in_place_and_the_maps_stay(page: Page) -> None:
    open_drawn(page, "motorcycle")
    canvas = find_canvas(page, "cbam").element_handle()
    page.get_by_label("Colour map").select_option("magma")
    open_tab(page, "Numbers")
    expect(page.locator(".measures")).to_be_visible()
    assert read_query(page)["tab"] == "numbers"
    assert canvas is not None
    assert canvas.evaluate("(canvas) => canvas.isConnected")
    page.reload()
    expect(page.locator(".measures")).to_be_visible()
    # Another class keeps the tab.
    page.get_by_role("combobox", name="Class").fill("umbrella")
    page.get_by_role("combobox", name="Class").press("Enter")
    expect(page.locator("h1")).to_contain_text("umbrella")
    expect(page.locator(".measures")).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.locator("#rankings")).to_be_visible()


def test_view_changes_in_place_and_has_an_address(page: Page) -> None:
    open_drawn(page, "motorcycle")
    page.get_by_role("link", name="Difference", exact=True).click()
    expect(page.locator("[data-map=cbam]")).to_be_hidden()
    assert read_query(page)["view"] == "difference"
    box = page.locator("[data-map=difference]").bounding_box()
    assert box is not None
    assert box["width"] > 500
    page.reload()
    expect_drawn(page)
    expect(page.locator("[data-map=cbam]")).to_be_hidden()
    page.get_by_role("link", name="Side by side").click()
    expect(page.locator("[data-map=cbam]")).to_be_visible()


@pytest.mark.parametrize(
    "sample",
    [SAMPLES[0], *(pytest.param(sample, marks=pytest.mark.slow) for sample in SAMPLES[1:])],
    ids=lambda sample: sample.name,
)
def test_difference_is_seen_at_once(page: Page, sample: Sample) -> None:
    open_gallery_picture(page, sample)
    expect_drawn(page)
    drawn = read_canvas(page, "difference")
    # Colours over a grey picture: where nothing is coloured, the three channels are alike.
    saturation = drawn.max(axis=2) - drawn.min(axis=2)
    assert (saturation > 40).mean() > 0.05


def test_difference_has_its_own_scale_and_can_have_that_of_the_maps(page: Page) -> None:
    open_drawn(page, "motorcycle")
    ends = page.locator(".panel-difference .colour-bar-highest")
    shared = page.locator("[data-scale=shared] .colour-bar-highest").inner_text()
    own = float(ends.inner_text().removeprefix("+"))
    assert own < float(shared)
    expect(page.locator(".panel-difference .colour-bar-label")).to_have_text(
        f"in logits, {100 * own / float(shared):.0f} % of the maps’ scale"
    )
    before = read_canvas(page, "difference")
    page.locator("#advanced > summary").click()
    page.get_by_label("Scale of the difference").select_option("shared")
    expect(ends).to_have_text(f"+{shared}")
    expect(page.locator(".panel-difference .colour-bar-label")).to_have_text("in logits, the maps’ scale")
    assert read_query(page)["difference_scale"] == "shared"
    assert (read_canvas(page, "difference") != before).any()


def test_sign_of_the_difference_is_seen_without_colours(page: Page) -> None:
    open_drawn(page, "motorcycle")
    maps: dict[str, Any] = page.request.get(page.locator("#maps").get_attribute("data-maps") or "").json()
    assert maps["rows"]
    grey = read_canvas(page, "difference").mean(axis=2)
    # Hatching makes neighbours on a diagonal alike, and those across it unlike.
    across = np.abs(grey[1:, 1:] - grey[:-1, :-1]).mean(axis=1)
    assert across.max() > 2 * np.abs(grey[1:, :-1] - grey[:-1, 1:]).mean(axis=1)[across.argmax()]
    expect(page.locator(".panel-difference .colour-bar-meaning").first).to_have_text("Baseline more (hatched)")


def test_phone_shows_one_map_at_a_time_with_its_p(browser: Browser, site: str) -> None:
    width, height = SIZES["phone"]
    page = browser.new_page(base_url=site, viewport={"width": width, "height": height}, has_touch=True)
    open_drawn(page, "motorcycle")
    for kind in ("picture", "baseline", "cbam", "difference"):
        show_panel(page, kind)
        expect(page.locator("#maps .frame:visible")).to_have_count(1)
        expect(page.locator(f"[data-shows={kind}]")).to_have_attribute("aria-pressed", "true")
        box = page.locator(f"[data-map={kind}]").bounding_box()
        assert box is not None
        assert box["height"] <= 0.6 * height
        expect(page.locator("#maps .probability:visible")).to_have_count(int(kind in {"baseline", "cbam"}))
    page.close()


def test_strip_of_a_picture_makes_no_endless_page(sized_page: Page) -> None:
    sized_page.goto("/")
    send_picture(sized_page, make_striped_png(150, 3000), "strip.png")
    expect_drawn(sized_page)
    wait_for_frames(sized_page)
    assert sized_page.evaluate("document.documentElement.scrollHeight") < 2 * SIZES["desktop"][1]
    heights = [
        box["height"] for frame in sized_page.locator("#maps .frame:visible").all() if (box := frame.bounding_box())
    ]
    assert heights
    assert max(heights) <= 0.6 * (sized_page.viewport_size or {"height": 0})["height"] + 1
