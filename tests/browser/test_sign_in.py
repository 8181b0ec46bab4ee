"""A server that needs a token, from a user's side."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from app.settings import Settings
from tests.browser.pictures import expect_drawn, find_overflow, open_photograph
from tests.browser.site import serve

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105  # it opens nothing


@pytest.fixture(scope="module")
def guarded_site(browser: Browser) -> Iterator[str]:  # no browser, no server
    with serve(Settings(device="cpu", api_tokens=(SecretStr(TOKEN),))) as address:
        yield address


@pytest.fixture
def guarded_page(browser: Browser, guarded_site: str) -> Iterator[Page]:
    context = browser.new_context(base_url=guarded_site, viewport={"width": 390, "height": 800})
    yield context.new_page()
    context.close()


def test_person_gives_the_token_once_and_everything_works(guarded_page: Page) -> None:
    page = guarded_page
    page.goto("/models")
    expect(page).to_have_url("/sign-in?next=/models")
    expect(page.get_by_label("Token")).to_be_focused()
    assert find_overflow(page) == []
    page.keyboard.type("a wrong one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not accept that token")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url("/models")
    # The page's own requests carry the cookie: the upload, the maps, the pictures.
    open_photograph(page)
    expect_drawn(page)


def test_token_is_nowhere_in_the_page_that_was_given_it(guarded_page: Page) -> None:
    page = guarded_page
    page.goto("/")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#image")).to_be_attached()
    assert TOKEN not in page.content()
    assert page.evaluate("() => document.cookie") == ""
    assert all(TOKEN not in str(cookie) for cookie in page.context.cookies())
