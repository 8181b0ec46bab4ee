"""Score-CAM with its cost and its progress, Finer-CAM with what it contrasts, and the page of concepts."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.pictures import expect_drawn, make_payload, open_advanced, open_drawn, read_canvas

pytestmark = pytest.mark.slow


def choose(page: Page, label: str, value: str) -> None:
    open_advanced(page)
    page.get_by_label(label, exact=True).select_option(value)


def test_score_cam_tells_its_cost_before_it_is_chosen(page: Page) -> None:
    # The smallest input, for machines that run other tests beside this one.
    made = page.request.post(
        "/api/v1/analyses", multipart={"image": make_payload(), "geometry": "center_crop", "resolution": "160"}
    )
    page.goto(f"/analyses/{made.json()['id']}")
    expect_drawn(page)
    choose(page, "Stage", "1")
    expect_drawn(page)
    expect(page.locator("#method-cost")).to_contain_text("128 more forward passes at this stage, about")
    before = read_canvas(page, "cbam")
    choose(page, "Method", "scorecam")
    label = page.locator("[data-scale=shared] .colour-bar-label").first
    expect(label).to_contain_text("activations", timeout=90_000)
    expect_drawn(page)
    expect(page.get_by_label("Method", exact=True)).to_have_value("scorecam")
    assert (read_canvas(page, "cbam") != before).any()
    assert "method=scorecam" in page.evaluate("location.href")


def test_progress_of_a_long_map_is_said_in_passes(page: Page) -> None:
    open_drawn(page)
    page.route("**/queue/*", lambda route: route.fulfill(json={"before": None, "passes_done": 16, "passes_total": 128}))
    held: list[Route] = []
    page.route("**/analyses/*?**", lambda route: held.append(route))  # noqa: PLW0108  # playwright writes on its handlers
    choose(page, "Method", "scorecam")
    expect(page.locator("#busy")).to_contain_text("Score-CAM: 16 of 128 forward passes …")
    expect(page.locator("#busy")).to_have_class(re.compile("has-share"))
    held[0].abort()
    expect(page.locator("#analysis-error")).to_be_visible()


def test_finer_cam_says_what_it_contrasts_and_takes_the_class_to_compare_with(page: Page) -> None:
    open_drawn(page)
    choose(page, "Method", "finercam")
    expect(page.locator(".panel-picture .panel-note")).to_contain_text(
        re.compile("Finer-CAM: why ‘.+’ and not ‘.+’, ‘.+’ or ‘.+’")
    )
    expect_drawn(page)
    near = read_canvas(page, "cbam")
    picker = page.get_by_role("combobox", name="Compare with")
    picker.fill("umbr")
    picker.press("Enter")
    expect_drawn(page, rows=2)
    expect(page.locator(".panel-picture .panel-note")).to_contain_text(re.compile("why ‘.+’ and not ‘umbrella’"))
    expect(page.locator(".panel-versus .panel-note")).to_contain_text(re.compile("why ‘umbrella’ and not ‘"))
    assert (read_canvas(page, "cbam") != near).any()


def test_concepts_have_their_own_page_with_colours_numbers_and_classes(page: Page) -> None:
    open_drawn(page, "motorcycle")
    open_advanced(page)
    page.get_by_role("link", name="Concepts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What do the networks treat alike?")
    expect(page.locator("figure img")).to_have_count(2)
    for image in page.locator("figure img").all():
        expect(image).to_have_js_property("complete", value=True)
        assert image.evaluate("(image) => image.naturalWidth") > 100
    expect(page.locator(".concept-number")).to_have_count(10)
    expect(page.locator("tbody tr").first.locator("td").nth(1)).not_to_be_empty()
    page.get_by_label("Concepts").select_option("3")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".concept-number")).to_have_count(6)
    colours = (
        page.locator("figure")
        .first.locator(".concept-number")
        .evaluate_all("(all) => all.map((each) => getComputedStyle(each).borderTopColor)")
    )
    assert len(set(colours)) == 3
    page.get_by_role("link", name="Back to the picture").click()
    expect_drawn(page)
