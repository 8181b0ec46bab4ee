"""Each page loads its own scripts, and names all of them to the browser at once."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route

from tests.browser.pictures import open_photograph, watch_requests

pytestmark = pytest.mark.slow

PRELOAD = re.compile(r'<link rel="modulepreload" href="([^"]+)">')


def find_scripts_without_preloads(page: Page, address: str) -> list[str]:
    """The modules that the browser requests if it is given only the page's entry."""

    def strip(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=PRELOAD.sub("", response.text()))

    page.route(address, strip)
    requests = watch_requests(page)
    page.goto(address)
    page.wait_for_function("() => document.documentElement.classList.contains('has-script')")
    return [path for request in requests if (path := urlsplit(request.url).path).endswith(".js")]


def expect_exact_preloads(page: Page, address: str) -> None:
    preloads = PRELOAD.findall(page.request.get(address).text())
    found = find_scripts_without_preloads(page, address)
    assert len(found) > 1
    assert sorted(preloads) == sorted(found)


@pytest.mark.parametrize("path", ["/", "/camera", "/evidence"])
def test_page_names_exactly_the_scripts_that_it_runs(page: Page, site: str, path: str) -> None:
    expect_exact_preloads(page, site + path)


def test_analysis_names_exactly_the_scripts_that_it_runs(page: Page) -> None:
    open_photograph(page)
    expect_exact_preloads(page, page.url)


@pytest.mark.parametrize(
    ("path", "script"), [("/evidence", "maps"), ("/", "maps"), ("/", "camera"), ("/camera", "upload")]
)
def test_page_leaves_out_the_scripts_of_others(page: Page, site: str, path: str, script: str) -> None:
    preloads = PRELOAD.findall(page.request.get(site + path).text())
    assert preloads
    assert not [name for name in preloads if script in name]
