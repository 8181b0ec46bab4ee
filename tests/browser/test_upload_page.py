import re

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, Request, Route, expect

from app.pages.gallery import DIRECTORY, SAMPLES
from tests.browser.pictures import (
    ANALYSIS_PATH,
    choose_photograph,
    expect_drawn,
    expect_loaded,
    hand_over,
    make_payload,
    make_striped_png,
    open_gallery_picture,
    open_photograph,
    wait_for_held,
)
from tests.photographs import read_photograph

TEXT_FILE: FilePayload = {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no picture at all"}


def test_upload_shows_all_panels_when_a_file_is_chosen(page: Page, complaints: list[str]) -> None:
    page.goto("/")
    page.set_input_files("#image", make_payload())
    page.wait_for_url(ANALYSIS_PATH)
    expect_drawn(page)
    expect_loaded(page.locator(".panels .colour-bar-image:visible"), count=2)
    assert complaints == []


def test_gallery_shows_a_thumbnail_of_every_sample(page: Page, complaints: list[str]) -> None:
    page.goto("/")
    expect_loaded(page.locator(".gallery img"), count=len(SAMPLES))
    assert complaints == []


@pytest.mark.parametrize(("event", "selector"), [("drop", ".drop-zone"), ("drop", "h1"), ("paste", "body")])
def test_picture_is_compared_when_it_is_handed_over(page: Page, event: str, selector: str) -> None:
    page.goto("/")
    hand_over(page, event, selector, read_photograph("cat"), "image/png")
    page.wait_for_url(ANALYSIS_PATH)
    expect(page.locator(".panel-picture img")).to_have_attribute("alt", "The picture, 451 × 300 pixels")


def test_picture_is_compared_when_it_is_pasted_on_an_analysis(page: Page) -> None:
    open_photograph(page)
    first = page.url
    hand_over(page, "paste", "body", read_photograph("cat"), "image/png")
    expect(page.locator(".panel-picture img")).to_have_attribute("alt", "The picture, 451 × 300 pixels")
    expect(page).not_to_have_url(first)


def test_drop_zone_is_marked_while_a_file_is_over_the_page(page: Page) -> None:
    page.goto("/")
    hand_over(page, "dragover", "h1", b"x", "image/png")
    expect(page.locator("#upload-form")).to_have_class(re.compile("is-dropping"))


def test_upload_says_beside_the_form_what_is_wrong_with_a_text_file(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#image", TEXT_FILE)
    alert = page.locator("#upload-form").get_by_role("alert")
    expect(alert).to_be_visible()
    expect(alert).to_contain_text("not")
    assert page.url.endswith("/")
    expect(page.locator(".busy-text")).to_be_empty()


def test_upload_clears_the_error_when_another_picture_is_sent(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#image", TEXT_FILE)
    expect(page.locator("#upload-error")).to_be_visible()
    page.route("**/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.set_input_files("#image", make_payload())
    expect(page.locator("#upload-error")).to_contain_text("The server cannot be reached")
    page.unroute_all()
    page.set_input_files("#image", make_payload())
    page.wait_for_url(ANALYSIS_PATH)


def test_upload_refuses_a_file_over_the_limit_without_sending_it(page: Page, requests: list[Request]) -> None:
    page.goto("/")
    page.locator("#upload-form").evaluate("(form) => { form.dataset.maxBytes = '1000'; }")
    page.set_input_files("#image", make_payload())
    expect(page.locator("#upload-error")).to_contain_text("the limit is 0.001 MB")
    assert [request.url for request in requests if request.method == "POST"] == []


def test_upload_says_that_it_works_while_the_request_runs(page: Page) -> None:
    page.goto("/")
    held: list[Route] = []
    page.route("**/", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    page.set_input_files("#image", make_payload())
    expect(page.locator("#busy")).to_have_text("Uploading the picture …")
    expect(page.locator("#main")).to_have_attribute("aria-busy", "true")
    wait_for_held(page, held, 1)
    held[0].continue_()
    page.wait_for_url(ANALYSIS_PATH)


def test_upload_uses_the_chosen_geometry_and_warns_of_it(page: Page) -> None:
    page.goto("/")
    page.get_by_text("How the networks see the picture").click()
    page.get_by_label("Geometry").select_option("center_crop")
    page.get_by_label("Resolution").select_option("160")
    choose_photograph(page, "rocket")
    expect(page.get_by_text("Centre crops at 160 pixels were not measured")).to_be_visible()


def test_class_list_is_one_click_away(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_text("yin yang", exact=True)).to_be_hidden()
    page.get_by_text("Which classes does it know?").click()
    expect(page.get_by_text("yin yang", exact=True)).to_be_visible()
    expect(page.locator("#class-list li")).to_have_count(110)


@pytest.mark.parametrize("size", [(1600, 400), (300, 900)], ids=["panorama", "portrait"])
def test_panels_have_the_shape_of_the_picture(page: Page, size: tuple[int, int]) -> None:
    page.goto("/")
    picture = make_striped_png(*size)
    page.set_input_files("#image", {"name": "stripes.png", "mimeType": "image/png", "buffer": picture})
    page.wait_for_url(ANALYSIS_PATH)
    expect_drawn(page)
    for panel in page.locator(".map-canvas").all():
        box = panel.bounding_box()
        assert box is not None
        assert box["width"] / box["height"] == pytest.approx(size[0] / size[1], rel=0.02)


def test_gallery_leads_to_an_analysis_without_javascript(plain_page: Page) -> None:
    open_gallery_picture(plain_page, SAMPLES[0])
    expect(plain_page.locator(".probability-value")).to_have_count(2)
    expect_loaded(plain_page.locator(".panel .frame img"), count=4)


def test_upload_leads_to_an_analysis_without_javascript(plain_page: Page) -> None:
    plain_page.goto("/")
    plain_page.set_input_files("#image", make_payload("cat"))
    plain_page.get_by_role("button", name="Compare").click()
    plain_page.wait_for_url(ANALYSIS_PATH)
    expect(plain_page.locator(".panel-picture img")).to_have_attribute("alt", "The picture, 451 × 300 pixels")


def test_gallery_wins_over_a_file_that_was_chosen_before_without_javascript(plain_page: Page) -> None:
    plain_page.goto("/")
    plain_page.set_input_files("#image", make_payload("cat"))
    plain_page.locator(f"button[value={SAMPLES[0].name}]").click()
    plain_page.wait_for_url(ANALYSIS_PATH)
    expect(plain_page.locator(".toolbar-name")).to_have_text(SAMPLES[0].title)
    with Image.open(DIRECTORY / f"{SAMPLES[0].name}.jpg") as picture:
        size = f"{picture.width} × {picture.height}"
    expect(plain_page.locator(".panel-picture img")).to_have_attribute("alt", f"The picture, {size} pixels")


@pytest.mark.parametrize("file", [TEXT_FILE, None], ids=["text", "nothing"])
def test_upload_error_is_beside_the_form_without_javascript(plain_page: Page, file: FilePayload | None) -> None:
    plain_page.goto("/")
    if file is not None:
        plain_page.set_input_files("#image", file)
    plain_page.get_by_role("button", name="Compare").click()
    expect(plain_page.locator("#upload-form").get_by_role("alert")).to_be_visible()
