"""The gate controls, opened blocks and the sanity check, in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import (
    AT_BOTH_WIDTHS,
    open_advanced,
    open_drawn,
    open_photograph,
    open_tab,
    read_address,
    read_canvas,
)

pytestmark = pytest.mark.slow

ALL_SPATIAL = "Spatial gates of all blocks, CBAM"
FIRST_BLOCK_CHANNEL = "Channel gates of stage 1, block 1, CBAM"
CBAM_TITLE = "#panels .panel-cbam .panel-title"


def change_gates(page: Page, gates: str, state: str) -> None:
    """Choose a state of some gates, inside of their block where they are of one."""
    group = page.get_by_role("group", name=gates, include_hidden=True)
    if not group.is_visible():
        group.locator("xpath=ancestor::details").locator("summary").click()
    group.get_by_role("link", name=state).click()


def expect_gates(page: Page, gates: str, state: str) -> None:
    group = page.get_by_role("group", name=gates, include_hidden=True)
    expect(group.locator("[aria-current]")).to_have_text(state)


@AT_BOTH_WIDTHS
def test_a_changed_gate_changes_the_network_in_place(page: Page, width: int) -> None:
    open_photograph(page, "motorcycle")
    open_tab(page, "Attention")
    page.evaluate("window.stays = true")
    learned = page.locator(".probability[data-network=cbam]").inner_text()
    change_gates(page, ALL_SPATIAL, "inverted")
    expect(page.locator(".gates-changed")).to_contain_text(
        re.compile(r"with changed gates and 0\.[5-9]\d* with learned gates")
    )
    assert page.locator(".probability[data-network=cbam]").inner_text() != learned
    expect(page.locator(CBAM_TITLE).first).to_have_text("CBAM, gates changed")
    expect(page).to_have_url(re.compile("interventions=cbam(:|%3A)all"))
    assert page.evaluate("window.stays")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_back_undoes_a_change_and_the_address_brings_it_again(page: Page) -> None:
    open_photograph(page, "motorcycle")
    open_tab(page, "Attention")
    change_gates(page, ALL_SPATIAL, "off")
    expect(page.locator(".gates-changed")).to_be_visible()
    expect(page).to_have_url(re.compile("interventions=cbam(:|%3A)all"))
    address = read_address(page)
    page.go_back()
    expect(page.locator(".gates-changed")).to_have_count(0)
    expect_gates(page, ALL_SPATIAL, "as learned")
    page.goto(address)
    expect_gates(page, ALL_SPATIAL, "off")


def test_several_changes_add_up_and_stay_when_the_method_changes(page: Page) -> None:
    open_photograph(page, "motorcycle")
    open_tab(page, "Attention")
    change_gates(page, ALL_SPATIAL, "off")
    expect(page.locator(".gates-changed")).to_be_visible()
    change_gates(page, FIRST_BLOCK_CHANNEL, "without max pooling")
    expect_gates(page, FIRST_BLOCK_CHANNEL, "without max pooling")
    page.wait_for_url("**drop-max**")
    open_advanced(page)
    page.select_option("#method", "hirescam")
    page.wait_for_url("**hirescam**")
    expect_gates(page, ALL_SPATIAL, "off")
    expect_gates(page, FIRST_BLOCK_CHANNEL, "without max pooling")
    page.click("#gates-reset")
    expect(page.locator(".gates-changed")).to_have_count(0)
    expect(page.locator("#method")).to_have_value("hirescam")


def test_gates_can_be_changed_without_script(plain_page: Page) -> None:
    open_photograph(plain_page, "motorcycle")
    open_tab(plain_page, "Attention")
    change_gates(plain_page, ALL_SPATIAL, "inverted")
    expect(plain_page.locator(".gates-changed")).to_be_visible()


def test_changed_gates_are_what_the_explorer_draws(page: Page) -> None:
    open_photograph(page, "motorcycle")
    open_tab(page, "Attention")
    change_gates(page, ALL_SPATIAL, "off")
    expect(page.locator(".gates-changed")).to_be_visible()
    flat = page.locator("#blocks .flat", has_text="treats every position alike")
    expect(flat).to_have_count(page.locator("#blocks .block").count())
    assert "interventions=cbam:all" in (page.locator("#blocks img.gate-spatial").first.get_attribute("src") or "")


@AT_BOTH_WIDTHS
@pytest.mark.slow
def test_sanity_check_shows_seven_steps_of_both_networks(page: Page, width: int) -> None:
    open_drawn(page, "motorcycle")
    open_tab(page, "Sanity")
    expect(page.locator(".sanity-verdict")).to_have_text(re.compile(r"^(Yes|Partly|No): the maps? of .* → "))
    expect(page.locator(".sanity-strip")).to_have_count(2)
    expect(page.locator(".sanity-map")).to_have_count(14)
    expect(page.locator(".sanity-strip li").last).to_contain_text("random: everything")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sizes = page.evaluate(
        """async () => {
            for (const image of document.images) image.loading = "eager";
            await Promise.all(Array.from(document.images, (image) => image.decode()));
            return Array.from(document.images, (image) => image.naturalWidth);
        }"""
    )
    assert min(sizes) > 100


def test_page_says_that_the_sanity_check_takes_a_while(page: Page) -> None:
    open_drawn(page, "motorcycle")
    page.route("**tab=sanity**", lambda route: None)  # never answered
    page.locator("#tab-sanity").click()
    expect(page.locator("#busy")).to_have_text("Randomising weights and computing the maps again …")
    expect(page.locator("#main")).to_have_attribute("aria-busy", "true")


@AT_BOTH_WIDTHS
def test_a_block_opens_and_the_walk_goes_on(page: Page, width: int) -> None:
    open_photograph(page, "motorcycle")
    open_tab(page, "Attention")
    page.click("#blocks .block >> nth=1 >> h3 a")
    page.wait_for_url("**/blocks/cbam/layer1.1")
    expect(page.locator("h1")).to_contain_text("Stage 1, block 2")
    expect(page.locator(".channel")).to_have_count(12)
    expect(page.locator("main")).to_contain_text("gate’s input comes from max pooling")
    page.click("a[rel=next]")
    page.wait_for_url("**/blocks/cbam/layer2.0")
    page.click("a[rel=prev]")
    page.wait_for_url("**/blocks/cbam/layer1.1")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sizes = page.evaluate(
        """async () => {
            for (const image of document.images) image.loading = "eager";
            await Promise.all(Array.from(document.images, (image) => image.decode()));
            return Array.from(document.images, (image) => image.naturalWidth);
        }"""
    )
    assert min(sizes) > 100
    page.click("text=Back to the picture")
    page.wait_for_url("**/analyses/*")


@AT_BOTH_WIDTHS
def test_learned_map_is_beside_the_changed_one_on_one_scale(page: Page, width: int) -> None:
    open_drawn(page, "motorcycle")
    open_tab(page, "Attention")
    learned = read_canvas(page, "cbam")
    end = page.locator("[data-scale=shared] .colour-bar-highest")
    before = end.inner_text()
    change_gates(page, ALL_SPATIAL, "inverted")
    expect(page.locator("#panels .panel-title")).to_have_text(
        ["Picture", "Baseline", "CBAM, gates changed", "CBAM as learned", "Difference"]
    )
    expect(page.locator(".map-canvas")).to_have_count(5)
    # The baseline's maximum is the highest with and without the change.
    expect(end).to_have_text(before)
    assert (read_canvas(page, "'cbam.learned'") == learned).all()
    assert (read_canvas(page, "cbam") != learned).any()
    image = page.locator("[data-map='cbam.learned'] img")
    assert "as_learned=true" in (image.get_attribute("src") or "")
    assert page.request.get(str(image.get_attribute("src"))).ok
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".map-canvas")).to_have_count(4)
    expect_gates(page, ALL_SPATIAL, "as learned")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_maps_stay_in_view_while_gates_are_changed(page: Page) -> None:
    open_drawn(page, "motorcycle")
    open_tab(page, "Attention")
    page.locator("#blocks .block").last.scroll_into_view_if_needed()
    page.evaluate("() => window.scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator("[data-map=cbam]")).to_be_in_viewport(ratio=1)
    expect(page.locator("#blocks .block summary").first).to_be_in_viewport(ratio=1)
    change_gates(page, "Spatial gates of stage 1, block 1, CBAM", "off")
    expect(page.locator("[data-map='cbam.learned']")).to_be_in_viewport(ratio=1)
    expect_gates(page, "Spatial gates of stage 1, block 1, CBAM", "off")
