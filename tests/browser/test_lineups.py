"""The page of lineups of two, three and five networks: nothing depends on their number or their names."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from app.settings import Settings
from tests.browser.pictures import (
    find_canvas,
    find_overflow,
    make_payload,
    open_advanced,
    read_canvas,
    read_query,
    wait_for_frames,
)
from tests.browser.site import ALLOWED, FAKE_DEVICE, HEIGHT, WIDTHS, serve
from tests.browser.test_accessibility import AXE, AXE_WIDTHS, SCHEMES, find_violations
from tests.browser.test_camera import open_browser
from tests.conftest import skip_here

pytestmark = pytest.mark.slow

PLAIN = "untrained:resnet18"

LINEUPS = {
    "two": {"plain": f"plain:{PLAIN}", "gated": f"gated:{PLAIN}+se"},
    "three": {"baseline": PLAIN, "se": f"{PLAIN}+se", "cbam": f"{PLAIN}+cbam"},
    "five": {
        "baseline": PLAIN,
        "se": f"{PLAIN}+se",
        "cbam": f"{PLAIN}+cbam",
        "cbam-k3": f"{PLAIN}+cbam-k3",
        "channel-both": f"{PLAIN}+channel-both",
    },
}
"""The sources of each lineup's networks, by their names; those of two have names of their own."""

TITLES = {
    "two": ("Baseline", "SE"),
    "three": ("Baseline", "SE", "CBAM"),
    "five": ("Baseline", "SE", "CBAM", "CBAM (3x3)", "channel gate"),
}

SLOW_FIVE = pytest.param("five", marks=pytest.mark.slow)

EACH = pytest.mark.parametrize("name", [pytest.param("two", marks=pytest.mark.slow), "three", SLOW_FIVE])
MANY = pytest.mark.parametrize("name", ["three", SLOW_FIVE])


@pytest.fixture(scope="module")
def site(browser: Browser) -> Iterator[str]:  # no browser, no server
    lineups = tuple(f"{name}={','.join(sources.values())}" for name, sources in LINEUPS.items())
    with serve(Settings(device="cpu", lineups=lineups)) as address:
        yield address


def analyse(page: Page, name: str, *, geometry: str = "whole") -> str:
    """The path of a picture's analysis by a lineup."""
    made = page.request.post(
        "/api/v1/analyses",
        multipart={"image": make_payload("motorcycle"), "lineup": name, "geometry": geometry},
    )
    assert made.ok, made.text()
    return f"/analyses/{made.json()['id']}"


def open_lineup(page: Page, name: str, query: str = "") -> None:
    """Open a lineup's comparison and wait for its maps."""
    page.goto(analyse(page, name) + query)
    expect_maps(page, name)


def expect_maps(page: Page, name: str) -> None:
    """Wait until the browser has drawn picture, maps and difference."""
    expect(page.locator("#panels .map-canvas")).to_have_count(len(LINEUPS[name]) + 2)
    expect(page.locator("#maps[role=group]")).to_be_visible()
    wait_for_frames(page)


def find_bottom(part: Locator) -> float:
    """Where a part of the page ends, in the window's pixels."""
    box = part.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


@EACH
def test_every_network_has_a_drawn_panel_with_its_name(page: Page, complaints: list[str], name: str) -> None:
    open_lineup(page, name)
    titles = [f"{title}, untrained" for title in TITLES[name]]
    expect(page.locator(".panel-lineup .panel-title")).to_have_text(titles)
    for network, title in zip(LINEUPS[name], titles, strict=True):
        canvas = find_canvas(page, network)
        expect(canvas).to_have_accessible_name(re.compile(f"^{re.escape(title)}: "))
        assert len(np.unique(read_canvas(page, network).reshape(-1, 3), axis=0)) > 100
        expect(page.locator(f".probability[data-network={network}] .probability-value")).to_contain_text("P ")
    expect(page.locator(".ranking h3")).to_have_text(titles)
    assert complaints == []


@EACH
def test_answer_is_on_the_first_screen_and_nothing_scrolls_sideways(page: Page, name: str) -> None:
    open_lineup(page, name)
    assert page.viewport_size == {"width": WIDTHS[0], "height": HEIGHT}
    for frame in page.locator("#panels .frame").all():
        assert find_bottom(frame) <= HEIGHT
    for probability in page.locator("#panels .probability").all():
        assert find_bottom(probability) <= HEIGHT
    for width in (390, 768, 1024, 1280, 1920):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.wait_for_function("(width) => window.innerWidth === width", arg=width)
        wait_for_frames(page)
        assert find_overflow(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.slow(rare=True)
@EACH
def test_maps_are_side_by_side_and_of_one_size(page: Page, name: str) -> None:
    open_lineup(page, name)
    boxes = [frame.bounding_box() for frame in page.locator(".panel-lineup .frame").all()]
    assert len(boxes) == len(LINEUPS[name])
    assert len({(round(box["y"]), round(box["width"]), round(box["height"])) for box in boxes if box}) == 1
    if name != "five":
        picture, difference = (
            page.locator(f".panel-{kind} .frame").bounding_box() for kind in ("picture", "difference")
        )
        assert picture is not None
        assert difference is not None
        assert boxes[0] is not None
        assert round(picture["y"]) == round(difference["y"]) == round(boxes[0]["y"])


@pytest.mark.slow(rare=True)
@EACH
def test_phone_shows_the_maps_without_scrolling_sideways(phone_page: Page, name: str) -> None:
    open_lineup(phone_page, name)
    assert phone_page.evaluate("document.documentElement.scrollWidth") == 390
    assert find_overflow(phone_page) == []
    last = list(LINEUPS[name])[-1]
    for step, shown in enumerate((last, "picture", "difference", *LINEUPS[name])):
        if step > 0:
            phone_page.locator(f"[data-shows={shown}]").click()
        expect(phone_page.locator("#maps .frame:visible")).to_have_attribute("data-map", shown)
    phone_page.evaluate("() => window.scrollTo(0, 0)")
    box = phone_page.locator("#maps .frame:visible").bounding_box()
    assert box is not None
    # The guesses and doubts of five networks that are not sure leave room for the upper half.
    assert box["y"] + box["height"] * (0.5 if name == "five" else 1) <= 844


@pytest.mark.slow(rare=True)
def test_two_networks_leave_no_choice_of_difference(page: Page) -> None:
    open_lineup(page, "two")
    expect(page.locator("#of, #minus")).to_have_count(0)
    expect(page.locator("[data-readout=difference]")).to_have_text("SE minus Baseline")


@MANY
def test_difference_is_chosen_with_the_keyboard(page: Page, name: str) -> None:
    open_lineup(page, name)
    last, last_title = list(LINEUPS[name])[-1], TITLES[name][-1]
    said = page.locator("[data-readout=difference]")
    expect(said).to_have_text(f"{last_title} minus Baseline")
    before = read_canvas(page, "difference")
    page.evaluate("window.stays = true")
    open_advanced(page)
    page.get_by_label("minus", exact=True).focus()
    page.keyboard.press("ArrowDown")
    expect(said).to_have_text(f"{last_title} minus SE")
    expect_maps(page, name)
    assert read_query(page)["minus"] == "se"
    expect(page.get_by_label("minus", exact=True)).to_be_focused()
    assert (read_canvas(page, "difference") != before).any()
    assert page.evaluate("window.stays")
    expect(find_canvas(page, "difference")).to_have_accessible_name(re.compile(f"^{re.escape(last_title)} minus SE"))
    page.go_back()
    expect(said).to_have_text(f"{last_title} minus Baseline")
    expect(page.get_by_label("Difference of")).to_have_value(last)


@pytest.mark.slow(rare=True)
def test_address_chooses_the_difference_and_a_wrong_name_is_refused(page: Page) -> None:
    path = analyse(page, "three")
    page.goto(f"{path}?of=se&minus=cbam")
    expect_maps(page, "three")
    expect(page.locator("[data-readout=difference]")).to_have_text("SE minus CBAM")
    for query in ("of=other", "of=se&minus=se"):
        assert page.request.get(f"{path}?{query}").status == 422


@pytest.mark.slow(rare=True)
@MANY
def test_reading_a_place_tells_the_value_of_every_network(page: Page, name: str) -> None:
    open_lineup(page, name)
    find_canvas(page, "baseline").click()
    for network in LINEUPS[name]:
        expect(page.locator(f"[data-readout={network}]")).to_contain_text("Here ")
    page.locator("#maps").focus()
    page.keyboard.press("ArrowRight")
    spoken = ", ".join(f"{re.escape(title)} \\S+" for title in TITLES[name])
    expect(page.locator("#viewer-said")).to_have_text(re.compile(f": {spoken}, difference "))
    page.keyboard.press("Escape")
    page.mouse.move(0, 0)
    expect(page.locator("[data-readout=difference]")).to_have_text(f"{TITLES[name][-1]} minus Baseline")


@pytest.mark.slow(rare=True)
@MANY
def test_second_class_has_a_map_of_every_network(page: Page, name: str) -> None:
    open_lineup(page, name)
    page.locator(".ranked-versus").first.click()
    expect(page.locator("#panels .map-canvas")).to_have_count(2 * len(LINEUPS[name]) + 3)
    expect(page.locator(".versus-table thead th")).to_have_count(len(LINEUPS[name]) + 1)
    assert find_overflow(page) == []


@pytest.mark.slow(rare=True)
def test_changed_gates_are_those_of_the_chosen_network_and_its_controls_stay_open(page: Page) -> None:
    open_lineup(page, "three", "?tab=attention")
    page.locator("#stages-of-cbam summary").click()
    page.locator("#stages-of-se summary").click()
    page.get_by_role("group", name="Channel gates of all blocks, SE").get_by_role("link", name="off").click()
    expect(page.locator(".gates-changed")).to_contain_text("by SE is")
    expect(page.locator(".panel-lineup .panel-title")).to_have_text(
        ["Baseline, untrained", "SE, gates changed, untrained", "SE as learned", "CBAM, untrained"]
    )
    assert read_query(page)["interventions"] == "se:all:channel:neutral"
    for network in ("se", "cbam"):
        expect(page.locator(f"#stages-of-{network}")).to_have_attribute("open", "")
    # SE has no spatial gates.
    expect(page.get_by_role("group", name="Spatial gates of all blocks, SE")).to_have_count(0)
    expect(page.get_by_role("group", name="Spatial gates of all blocks, CBAM")).to_have_count(1)


@pytest.mark.slow(rare=True)
def test_walk_through_blocks_stays_with_its_network_until_another_is_chosen(page: Page) -> None:
    path = analyse(page, "three")
    page.goto(f"{path}/blocks/se/layer1.1")
    expect(page).to_have_title(re.compile("of SE"))
    page.click("a[rel=next]")
    page.wait_for_url("**/blocks/se/layer2.0")
    networks = page.get_by_role("navigation", name="Networks")
    expect(networks.get_by_role("link")).to_have_text(["SE", "CBAM"])
    networks.get_by_role("link", name="CBAM").click()
    page.wait_for_url("**/blocks/cbam/layer2.0")
    expect(networks.get_by_role("link", name="CBAM")).to_have_attribute("aria-current", "page")
    page.go_back()
    page.get_by_role("link", name="Back to the picture").click()
    page.wait_for_url("**tab=attention#blocks-se")
    expect(page.locator("#blocks-se h2")).to_be_in_viewport()


@pytest.mark.parametrize(
    "view",
    [
        "",
        *(pytest.param(view, marks=pytest.mark.slow) for view in ("?tab=attention", "/blocks/se/layer1.0", "/sanity")),
    ],
)
def test_pages_of_three_networks_have_no_serious_violation(page: Page, view: str) -> None:
    if not AXE.exists():
        skip_here("axe-core is not installed; run npm install --no-package-lock --prefix tests/browser")
    page.emulate_media(reduced_motion="reduce")
    page.goto(analyse(page, "three") + view)
    if "/" not in view:
        expect_maps(page, "three")
    if view == "?tab=attention":
        page.locator("#stages-of-se summary").click()
        page.locator("#blocks-se-list > summary").click()
        page.locator("#blocks-se .block-details > summary").first.click()
    found = {}
    for width in AXE_WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.evaluate("() => Promise.all(document.getAnimations().map((animation) => animation.finished))")
            found[f"{width}, {scheme}"] = find_violations(page, AXE.read_text())
        assert find_overflow(page) == []
    assert {place: what for place, what in found.items() if what} == {}


def test_page_without_script_shows_every_network(browser: Browser, site: str) -> None:
    context: BrowserContext = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{analyse(page, 'five')}?of=cbam&minus=se")
    for kind in ("picture", *LINEUPS["five"], "difference"):
        image = page.locator(f"[data-map={kind}] img")
        image.scroll_into_view_if_needed()
        assert page.request.get(str(image.get_attribute("src"))).ok
    expect(page.locator("[data-readout=difference]")).to_have_text("CBAM minus SE")
    open_advanced(page)
    page.get_by_label("minus", exact=True).select_option("cbam-k3")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("[data-readout=difference]")).to_have_text("CBAM minus CBAM (3x3)")
    context.close()


@pytest.mark.slow(rare=True)
@MANY
def test_figure_of_two_networks_is_offered(page: Page, name: str) -> None:
    open_lineup(page, name, "?of=cbam&minus=se")
    page.locator("#export > summary").click()
    link = page.get_by_role("link", name="Figure of SE and CBAM as PDF")
    answer = page.request.get(str(link.get_attribute("href")))
    assert answer.ok
    assert answer.headers["content-type"] == "application/pdf"


@pytest.mark.slow(rare=True)
@EACH
def test_first_page_offers_the_lineups_with_their_networks(page: Page, name: str) -> None:
    page.goto("/")
    option = page.locator(f"#lineup-choice option[value={name}]")
    for title in TITLES[name][1:]:
        expect(option).to_contain_text(title)


@EACH
def test_sheet_has_a_map_of_every_network_in_each_row(page: Page, name: str) -> None:
    ids = [analyse(page, name).rpartition("/")[2] for _ in range(2)]
    rows = {"rows": [{"name": f"{identifier[:3]}.jpg", "analysis": identifier} for identifier in ids]}
    page.goto(page.request.post("/sheets/rows", data=rows).json()["address"])
    expect(page.locator(".sheet-row")).to_have_count(2)
    titles = [f"{title}, untrained" for title in TITLES[name]]
    first = page.locator(".sheet-row").first
    expect(first.locator("figcaption")).to_have_text(["Picture", *titles, "Difference"])
    others = len(titles) - 1
    expect(first.locator("dt").filter(has_text="Overlap")).to_have_count(others)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.wait_for_function("(width) => window.innerWidth === width", arg=width)
        assert find_overflow(page) == []


@pytest.mark.slow(rare=True)
@pytest.mark.slow
def test_sanity_check_shows_every_network_in_each_step(page: Page) -> None:
    page.goto(f"{analyse(page, 'five')}/sanity")
    expect(page.locator(".sanity-network")).to_have_text([f"{title}, untrained" for title in TITLES["five"]])
    expect(page.locator(".sanity-map")).to_have_count(7 * 5)
    expect(page.locator(".sanity-verdict")).to_contain_text("untrained")
    assert find_overflow(page) == []


@pytest.mark.slow(rare=True)
@EACH
def test_camera_shows_every_network_of_the_chosen_lineup(browser: Browser, site: str, name: str) -> None:
    with open_browser(browser, FAKE_DEVICE, ALLOWED) as camera:
        page = camera.new_context(base_url=site, viewport={"width": WIDTHS[0], "height": HEIGHT}).new_page()
        page.goto("/camera")
        page.get_by_label("Networks").select_option(name)
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#camera-rate")).to_contain_text("frames per second", timeout=30_000)
        expect(page.locator("#camera-maps .panel-title")).to_have_text(list(TITLES[name]))
        for network in LINEUPS[name]:
            expect(page.locator(f"[data-network={network}] .probability-value")).to_contain_text("P ")
        assert find_overflow(page) == []
