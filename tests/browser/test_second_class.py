"""A second class in a row of its own below the first: "why not?"."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.comparison import place
from tests.browser.pictures import (
    AT_BOTH_WIDTHS,
    expect_drawn,
    find_canvas,
    open_drawn,
    open_photograph,
    read_address,
    read_canvas,
)

pytestmark = pytest.mark.slow


@AT_BOTH_WIDTHS
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
    expect(page.locator("[data-scale=shared] .colour-bar-label").first).to_contain_text("one scale for all")
    page.mouse.move(*place(find_canvas(page, "cbam", row=1), 0.5, 0.5))
    for row in (0, 1):
        expect(page.locator(f"[data-row='{row}'] [data-readout=cbam]")).to_contain_text("Here")
    link, pixels = read_address(page), read_canvas(page, "cbam", row=1)
    page.get_by_role("link", name="Remove the second class").click()
    expect_drawn(page)
    expect(page.locator("h1")).to_have_text(first)
    page.go_back()
    expect_drawn(page, rows=2)
    page.goto(link)
    expect_drawn(page, rows=2)
    assert (read_canvas(page, "cbam", row=1) == pixels).all()


@AT_BOTH_WIDTHS
def test_second_class_is_picked_by_search_and_taken_away_again(page: Page) -> None:
    open_drawn(page)
    picker = page.get_by_role("combobox", name="Compare with")
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


def test_second_class_is_named_without_javascript(plain_page: Page) -> None:
    open_photograph(plain_page)
    plain_page.get_by_label("Compare with").fill("umbrella")
    plain_page.get_by_role("button", name="Apply").click()
    expect(plain_page.locator("h1")).to_contain_text("and why not ‘umbrella’?")
    expect(plain_page.locator("[data-row='1'] .frame img")).to_have_count(3)
    expect(plain_page.locator("#versus")).to_have_value("umbrella")
    expect(plain_page.locator("#threshold")).to_be_hidden()
