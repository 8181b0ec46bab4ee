import re
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.pictures import (
    AT_BOTH_WIDTHS,
    BLOCK_COUNT,
    expect_drawn,
    expect_loaded,
    find_canvas,
    open_advanced,
    open_drawn,
    open_photograph,
    open_tab,
    read_address,
    read_canvas,
    read_image,
)

pytestmark = pytest.mark.slow


def mark(page: Page) -> None:
    """Put a mark on the page that a full reload would remove."""
    page.evaluate("document.body.dataset.stayed = 'true'")


def expect_no_reload(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-stayed", "true")


def pick_class(page: Page, search: str) -> None:
    picker = page.get_by_role("combobox", name="Class")
    picker.fill(search)
    picker.press("Enter")


def find_options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Classes").get_by_role("option")


def test_class_picker_changes_map_probability_and_address(page: Page, complaints: list[str]) -> None:
    open_drawn(page)
    mark(page)
    probability = page.locator("[data-network=baseline]")
    map_before, probability_before = read_canvas(page, "baseline"), probability.inner_text()
    pick_class(page, "umbrella")
    expect(page.locator("h1")).to_contain_text("umbrella")
    expect(probability).not_to_have_text(probability_before)
    expect_drawn(page)
    assert (read_canvas(page, "baseline") != map_before).any()
    expect(page).to_have_url(re.compile("target=."))
    expect(page).to_have_title(re.compile("umbrella"))
    expect_no_reload(page)
    assert complaints == []


def test_back_and_forward_restore_what_was_shown(page: Page) -> None:
    open_drawn(page)
    mark(page)
    address, title, pixels = read_address(page), page.locator("h1").inner_text(), read_canvas(page, "baseline")
    first_class = page.get_by_role("combobox", name="Class").input_value()
    pick_class(page, "umbrella")
    expect(page.locator("h1")).to_contain_text("umbrella")
    page.go_back()
    expect(page.locator("h1")).to_have_text(title)
    expect(page.get_by_role("combobox", name="Class")).to_have_value(first_class)
    expect_drawn(page)
    assert (read_canvas(page, "baseline") == pixels).all()
    expect(page).to_have_url(address)
    page.go_forward()
    expect(page.locator("h1")).to_contain_text("umbrella")
    expect_no_reload(page)


def test_class_picker_is_operated_with_the_keyboard_alone(page: Page) -> None:
    open_photograph(page)
    picker = page.get_by_role("combobox", name="Class")
    picker.focus()
    picker.press_sequentially("ele")
    expect(find_options(page)).to_have_text(["electric guitar", "elephant"])
    picker.press("ArrowDown")
    active = page.locator(".picker-option.is-active")
    expect(active).to_have_text("elephant")
    active_id = active.get_attribute("id")
    assert active_id is not None
    expect(picker).to_have_attribute("aria-activedescendant", active_id)
    picker.press("Enter")
    expect(page.locator("h1")).to_contain_text("elephant")
    expect(picker).to_be_focused()


def test_class_picker_keeps_the_class_when_it_is_left_with_escape(page: Page) -> None:
    open_photograph(page)
    address = read_address(page)
    picker = page.get_by_role("combobox", name="Class")
    first_class = picker.input_value()
    picker.fill("no such class")
    expect(page.get_by_text("No class name contains this.")).to_be_visible()
    picker.press("Enter")
    picker.press("Escape")
    expect(picker).to_have_value(first_class)
    expect(picker).to_have_attribute("aria-expanded", "false")
    expect(page).to_have_url(address)


def test_class_picker_offers_every_class_when_it_is_clicked(page: Page) -> None:
    open_photograph(page)
    page.get_by_role("combobox", name="Class").click()
    expect(find_options(page)).to_have_count(110)
    find_options(page).filter(has_text="wrench").click()
    expect(page.locator("h1")).to_contain_text("wrench")


@pytest.mark.parametrize(("label", "value", "name"), [("Method", "gradcam++", "method"), ("Stage", "3", "stage")])
def test_select_changes_the_maps_at_once(page: Page, label: str, value: str, name: str) -> None:
    open_drawn(page)
    mark(page)
    canvas, select = find_canvas(page, "baseline"), page.get_by_label(label, exact=True)
    open_advanced(page)
    before, said = read_canvas(page, "baseline"), canvas.get_attribute("aria-label")
    assert said is not None
    select.focus()
    select.select_option(value)
    expect(canvas).not_to_have_attribute("aria-label", said)
    assert (read_canvas(page, "baseline") != before).any()
    expect(page).to_have_url(re.compile(f"{name}={re.escape(quote(value))}"))
    expect(select).to_be_focused()
    expect_no_reload(page)


def test_class_in_a_list_is_explained_when_it_is_clicked(page: Page) -> None:
    open_photograph(page)
    mark(page)
    second = page.locator("#ranking-cbam + ol .ranked").nth(1)
    name = second.locator(".ranked-name").inner_text()
    second.click()
    expect(page.locator("h1")).to_contain_text(name)
    expect(second).to_have_attribute("aria-current", "true")
    expect(second).to_be_focused()
    expect_no_reload(page)


def test_failure_is_told_in_place_when_the_analysis_is_gone(page: Page) -> None:
    open_photograph(page)
    assert page.request.delete(f"/api/v1{urlsplit(page.url).path}").ok
    title = page.locator("h1").inner_text()
    pick_class(page, "umbrella")
    expect(page.locator("#analysis-error")).to_have_text(
        "No analysis has this id, or it is no longer on the server; send the picture again"
    )
    expect(page.locator("h1")).to_have_text(title)


def test_doubt_is_told_and_leads_to_the_classes_when_no_network_takes_it_for_the_class(page: Page) -> None:
    open_photograph(page, "motorcycle")
    expect(page.locator(".probability-value")).to_have_count(2)
    expect(page.locator(".doubt")).to_have_count(0)
    pick_class(page, "yin yang")
    expect(page.locator(".doubt")).to_contain_text("No network takes this for ‘yin yang’")
    page.locator(".doubt").get_by_role("link").click()
    expect(page.locator("#class-list")).to_be_visible()


def test_scale_of_its_own_gives_each_map_its_own_end(page: Page) -> None:
    open_drawn(page)
    expect(page.locator(".panel-lineup .colour-bar:visible")).to_have_count(1)
    page.get_by_label("Scale", exact=True).select_option("own")
    bars = page.locator(".panel-lineup .panel .colour-bar-ends:visible")
    expect(bars).to_have_count(2)
    answer = page.request.get(f"/api/v1{urlsplit(page.url).path}").json()
    ends = [f"{answer['networks'][name]['heat_map']['max']:.3g}" for name in ("baseline", "cbam")]
    expect(bars).to_contain_text(ends)
    assert ends[0] != ends[1]


def test_apply_changes_the_maps_without_javascript(plain_page: Page) -> None:
    open_photograph(plain_page)
    image = plain_page.locator(".panel-baseline img").first
    before = read_image(image)
    plain_page.get_by_label("Class", exact=True).select_option(label="umbrella")
    open_advanced(plain_page)
    plain_page.get_by_label("Method", exact=True).select_option("gradcam++")
    plain_page.get_by_role("button", name="Apply").click()
    expect(plain_page.locator("h1")).to_contain_text("umbrella")
    expect(plain_page.get_by_label("Method", exact=True)).to_have_value("gradcam++")
    assert read_image(image) != before


def test_class_in_a_list_is_explained_without_javascript(plain_page: Page) -> None:
    open_photograph(plain_page)
    second = plain_page.locator("#ranking-cbam + ol a").nth(1)
    name = second.locator(".ranked-name").inner_text()
    second.click()
    expect(plain_page.locator("h1")).to_contain_text(name)


@AT_BOTH_WIDTHS
@pytest.mark.slow
def test_downloads_give_files_that_are_named_for_the_picture_and_the_class(page: Page) -> None:
    open_photograph(page)
    page.locator("#export > summary").click()
    links = page.locator("#export a")
    assert links.count() > 3
    for link in links.all():
        address = link.get_attribute("href")
        assert address is not None
        assert page.request.get(address).ok, address
    with page.expect_download() as download:
        links.filter(has_text="PNG").first.click()
    target = page.request.get(f"/api/v1{urlsplit(page.url).path}").json()["target"]["class_name"]
    assert download.value.suggested_filename == f"cbam-lens-rocket-{target.replace(' ', '-')}-gradcam.png"


def test_error_page_says_what_is_wrong_and_leads_home(page: Page) -> None:
    response = page.goto("/analyses/unknown")
    assert response is not None
    assert response.status == 404
    expect(page.get_by_text("no analysis has this id")).to_be_visible()
    page.get_by_role("link", name="Choose a picture").click()
    expect(page.locator("#upload-form")).to_be_visible()


def test_attention_tab_shows_every_gate(page: Page, complaints: list[str]) -> None:
    open_drawn(page)
    open_tab(page, "Attention")
    for images in (page.locator("img.gate-spatial"), page.locator("img.gate-channel")):
        expect_loaded(images, count=BLOCK_COUNT)
    assert complaints == []


def test_word_is_explained_at_a_key_and_its_link_leads_to_the_page_about_cbam(page: Page) -> None:
    open_drawn(page)
    mark = page.get_by_role("button", name="What is a logit?").first
    explanation = page.locator("#term-logit")
    expect(explanation).to_be_hidden()
    mark.focus()
    page.keyboard.press("Enter")
    expect(explanation).to_be_visible()
    expect(mark).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(explanation).to_be_hidden()
    page.keyboard.press("Enter")
    # The explanation follows its button in the order of the keyboard.
    page.keyboard.press("Tab")
    expect(explanation.get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/cbam#logit")
    expect(page.locator("#logit")).to_be_in_viewport()
