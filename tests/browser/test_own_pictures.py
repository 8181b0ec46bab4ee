"""The visitor's own pictures, kept in the browser: opened again, sent again, deleted."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.pages.gallery import SAMPLES
from tests.browser.pictures import ANALYSIS_PATH, expect_drawn, make_payload, open_gallery_picture

ITEMS = "#own-pictures li"


def upload(page: Page) -> str:
    """Upload a picture; returns the path of its analysis."""
    page.goto("/")
    page.set_input_files("#image", make_payload())
    page.wait_for_url(ANALYSIS_PATH)
    expect_drawn(page)
    path: str = page.evaluate("location.pathname")
    return path


def return_to_start(page: Page, count: int) -> None:
    page.goto("/")
    expect(page.locator(ITEMS)).to_have_count(count)


def is_painted(page: Page) -> bool:
    """Whether the first thumbnail has a pixel that is not black."""
    look = "canvas => canvas.getContext('2d').getImageData(0, 0, 320, 240).data.some((v, i) => i % 4 < 3 && v)"
    painted: bool = page.locator(f"{ITEMS} canvas").first.evaluate(look)
    return painted


def test_first_visit_has_no_pictures_of_ones_own(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".gallery-title:visible")).to_have_text("Or try one of these")
    expect(page.locator("#own-pictures")).to_be_hidden()


def test_uploaded_picture_is_opened_again_as_it_was_seen_last(page: Page, complaints: list[str]) -> None:
    path = upload(page)
    page.locator("#versus").fill("chandelier")
    page.locator("#versus").press("Enter")
    expect(page).to_have_url(re.compile("versus="))
    page.wait_for_timeout(300)
    return_to_start(page, 1)
    expect(page.locator(ITEMS)).to_contain_text("on the server until")
    page.wait_for_function("document.querySelector('#own-pictures canvas') !== null")
    assert is_painted(page)
    page.locator(f"{ITEMS} a").click()
    page.wait_for_url(re.compile(f"{path}\\?.*versus="))
    assert complaints == []


def test_picture_that_the_server_dropped_is_sent_again(page: Page) -> None:
    path = upload(page)
    identity = path.rpartition("/")[2]
    origin = page.evaluate("location.origin")
    answer = page.request.delete(f"/api/v1/analyses/{identity}", headers={"Origin": origin})
    assert answer.status == 204
    return_to_start(page, 1)
    page.locator(f"{ITEMS} a").click()
    page.wait_for_url(ANALYSIS_PATH)
    expect_drawn(page)
    assert page.evaluate("location.pathname") != path
    return_to_start(page, 1)


@pytest.mark.slow
def test_pictures_of_a_sheet_are_kept_and_deleted_like_others(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#image", [make_payload("cat"), make_payload("rocket")])
    page.wait_for_url("**/sheets/*")
    rows = [str(link.get_attribute("href")) for link in page.locator(".sheet-name a").all()]
    return_to_start(page, 2)
    expect(page.locator(ITEMS).first).to_contain_text("rocket.jpg")
    expect(page.locator(ITEMS).first).to_contain_text("on the server until")
    assert is_painted(page)
    page.get_by_role("button", name="Delete all").click()
    expect(page.locator("#own-pictures")).to_be_hidden()
    for row in rows:
        assert page.request.get(row).status == 404


def test_deleted_picture_leaves_the_browser_and_the_server(page: Page) -> None:
    path = upload(page)
    return_to_start(page, 1)
    page.locator(ITEMS).get_by_role("button").click()
    expect(page.locator("#own-pictures")).to_be_hidden()
    assert page.request.get(path).status == 404
    return_to_start(page, 0)


def test_all_pictures_are_deleted_at_once(page: Page) -> None:
    paths = [upload(page), upload(page)]
    return_to_start(page, 2)
    page.get_by_role("button", name="Delete all").click()
    expect(page.locator("#own-pictures")).to_be_hidden()
    for path in paths:
        assert page.request.get(path).status == 404


def test_gallery_pictures_are_not_ones_own(page: Page) -> None:
    open_gallery_picture(page, SAMPLES[0])
    return_to_start(page, 0)


def test_browser_that_keeps_nothing_works_as_before(page: Page, complaints: list[str]) -> None:
    page.add_init_script("Object.defineProperty(window, 'indexedDB', {value: undefined})")
    upload(page)
    page.goto("/")
    expect(page.locator("#own-pictures")).to_be_hidden()
    assert complaints == []
