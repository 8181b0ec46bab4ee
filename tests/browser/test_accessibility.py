"""axe-core on every page, and the content security policy."""

import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pictures import (
    expect_drawn,
    find_canvas,
    find_overflow,
    open_advanced,
    open_drawn,
    wait_for_frames,
    watch_requests,
)
from tests.browser.views import VIEWS
from tests.conftest import skip_here

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"

SERIOUS = {"serious", "critical"}

WIDTHS = (390, 768, 1280, 1920)
AXE_WIDTHS = (390, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        skip_here("axe-core is not installed; run npm install --no-package-lock --prefix tests/browser")
    return AXE.read_text()


def find_violations(page: Page, axe: str) -> list[str]:
    """Serious and critical findings of axe-core: the rule and the elements."""
    # Not as a script of the page, because the policy would refuse it.
    page.evaluate(axe)
    result: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    assert result["passes"], "axe-core has looked at something"
    return [
        f"{violation['id']}: {', '.join(str(node['target']) for node in violation['nodes'])}"
        for violation in result["violations"]
        if violation["impact"] in SERIOUS
    ]


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(view, marks=() if view in {"upload", "comparison"} else pytest.mark.slow(every=True))
        for view in VIEWS
    ],
)
def test_view_has_no_serious_violation_and_fits_every_window(browser: Browser, site: str, axe: str, view: str) -> None:
    complaints: list[str] = []
    page = browser.new_page(base_url=site, reduced_motion="reduce")
    page.on("pageerror", lambda error: complaints.append(str(error)))
    VIEWS[view](page)
    found: dict[str, list[str]] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("(width) => window.innerWidth === width", arg=width)
        wait_for_frames(page)
        found[f"{width}: beyond the edge"] = find_overflow(page)
        found[f"{width}: scrolls"] = [] if page.evaluate("document.documentElement.scrollWidth") == width else [view]
        for scheme in SCHEMES if width in AXE_WIDTHS else ():
            page.emulate_media(color_scheme=scheme)
            # Colours glide from one scheme to the other.
            page.evaluate("() => Promise.all(document.getAnimations().map((animation) => animation.finished))")
            found[f"{width}, {scheme}: axe"] = find_violations(page, axe)
    assert {place: what for place, what in found.items() if what} == {}
    assert complaints == []
    page.close()


def test_pickers_have_no_serious_violation_while_they_are_open(page: Page, axe: str) -> None:
    open_drawn(page)
    page.get_by_role("combobox", name="Class").click()
    assert find_violations(page, axe) == []
    page.keyboard.press("Escape")
    page.get_by_text("Keys and gestures").click()
    page.get_by_role("combobox", name="Compare with").click()
    assert find_violations(page, axe) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="What is a logit?").first.click()
    expect(page.locator("#term-logit")).to_be_visible()
    assert find_violations(page, axe) == []


def test_axe_finds_what_is_wrong(page: Page, axe: str) -> None:
    page.goto("/")
    page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")
    assert any(found.startswith("button-name") for found in find_violations(page, axe))


@pytest.mark.slow
def test_everything_is_used_without_another_host_and_without_breaking_the_policy(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    context.add_init_script(
        """document.addEventListener("securitypolicyviolation", (event) => {
            console.error(`refused: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
        });"""
    )
    page = context.new_page()
    complaints: list[str] = []
    requests = watch_requests(page)
    page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for use in (*VIEWS.values(), use_analysis):
        use(page)
    # One file of the sheet is not a picture.
    assert [text for text in complaints if "400 (Bad Request)" not in text] == []
    addresses = [urlsplit(request.url) for request in requests]
    # Reading a canvas sends no request.
    hosts = {address.netloc for address in addresses if address.scheme not in {"data", "blob"}}
    assert hosts == {urlsplit(site).netloc}
    context.close()


def use_analysis(page: Page) -> None:
    open_drawn(page)
    page.get_by_label("Scale", exact=True).select_option("own")
    page.get_by_label("Colour map").select_option("turbo")
    page.locator("#opacity").fill("0.7")
    page.locator("#threshold").fill("0.5")
    find_canvas(page, "cbam").hover()
    find_canvas(page, "cbam").click()
    page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Whole picture").click()
    open_advanced(page)
    page.get_by_label("Method", exact=True).select_option("hirescam")
    expect(find_canvas(page, "cbam")).to_have_attribute("aria-label", re.compile("HiResCAM"))
    page.locator(".ranked-versus").last.click()
    expect_drawn(page, rows=2)
    page.go_back()
    expect_drawn(page)
