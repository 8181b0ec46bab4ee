from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from models.lineups.catalogue import SHIPPED
from tests.browser.site import CHROMIUM_VARIABLE, HEIGHT, WIDTHS, find_chromium, launch_chromium, serve
from tests.conftest import skip_here
from tests.patience import PATIENT

EXPECT_MILLISECONDS = 20_000


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        skip_here(f"no chromium on the search path; install it or set {CHROMIUM_VARIABLE}")
    # Only for this package: while it is open, playwright's event loop runs in this thread and asyncio.run() refuses.
    with sync_playwright() as playwright:
        # Other tests run beside these.
        expect.set_options(timeout=EXPECT_MILLISECONDS)
        browser = launch_chromium(playwright, path)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(browser: Browser) -> Iterator[str]:  # no browser, no server
    with serve() as address:
        yield address


@pytest.fixture(scope="package")
def shipped_site(browser: Browser) -> Iterator[str]:
    """The shipped lineup: three networks, which take more room on the page than the two of the tests."""
    with serve(PATIENT.model_copy(update={"lineups": (SHIPPED,)})) as address:
        yield address


@pytest.fixture
def width() -> int:
    """The window's size in CSS pixels; a test marked with `AT_BOTH_WIDTHS` chooses it."""
    return WIDTHS[0]


@pytest.fixture
def context(browser: Browser, site: str, width: int) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=site, viewport={"width": width, "height": HEIGHT})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def phone_page(browser: Browser, site: str) -> Iterator[Page]:
    """A page on a phone with a touch screen."""
    context = browser.new_context(base_url=site, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    yield context.new_page()
    context.close()


@pytest.fixture
def plain_page(browser: Browser, site: str) -> Iterator[Page]:
    """A page without JavaScript."""
    context = browser.new_context(base_url=site, java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """The errors in the browser's console, filled while the test runs."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def requests(page: Page) -> list[Request]:
    """The browser's requests, filled while the test runs."""
    found: list[Request] = []

    def note(request: Request) -> None:
        found.append(request)

    page.on("request", note)
    return found
