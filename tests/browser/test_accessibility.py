"""axe-core on every page, and what a strict policy of the page's content refuses."""

import os
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pictures import expect_drawn, find_canvas, open_drawn, watch_requests

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"

SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        reason = "axe-core is not installed; run npm install --no-package-lock --prefix tests/browser"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return AXE.read_text()


def find_violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds serious or critical: the rule and the elements."""
    # Not as a script of the page, which the policy would refuse.
    page.evaluate(axe)
    result: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    assert result["passes"], "axe-core has looked at something"
    return [
        f"{violation['id']}: {', '.join(str(node['target']) for node in violation['nodes'])}"
        for violation in result["violations"]
        if violation["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/models"])
def test_page_has_no_serious_violation(
    *, browser: Browser, site: str, axe: str, path: str, scheme: Literal["light", "dark"], width: int
) -> None:
    page = browser.new_page(base_url=site, color_scheme=scheme, viewport={"width": width, "height": 900})
    page.goto(path)
    assert find_violations(page, axe) == []
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_analysis_has_no_serious_violation_in_any_state(
    browser: Browser, site: str, axe: str, scheme: Literal["light", "dark"], width: int
) -> None:
    page = browser.new_page(base_url=site, color_scheme=scheme, viewport={"width": width, "height": 900})
    open_drawn(page)
    assert find_violations(page, axe) == []
    page.locator(".ranked-versus").first.click()
    expect_drawn(page, rows=2)
    page.locator("#threshold").fill("0.5")
    find_canvas(page, "cbam").click()
    page.get_by_role("combobox", name="Class").click()
    page.get_by_text("Keys and gestures").click()
    page.get_by_role("combobox", name="Why not").click()
    assert find_violations(page, axe) == []
    page.close()


def test_axe_finds_what_is_wrong(page: Page, axe: str) -> None:
    page.goto("/")
    page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")
    assert any(found.startswith("button-name") for found in find_violations(page, axe))


def test_everything_is_used_without_another_host_and_without_breaking_the_policy(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    context.add_init_script(
        """globalThis.refused = [];
        document.addEventListener("securitypolicyviolation", (event) => {
            globalThis.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
        });"""
    )
    page = context.new_page()
    complaints: list[str] = []
    requests = watch_requests(page)
    page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    refused: list[str] = []
    for use in (use_upload, use_analysis, use_models):
        use(page)
        refused += page.evaluate("() => globalThis.refused")
    assert refused == []
    assert complaints == []
    addresses = [urlsplit(request.url) for request in requests]
    # A canvas's own content is no request to any host.
    hosts = {address.netloc for address in addresses if address.scheme not in {"data", "blob"}}
    assert hosts == {urlsplit(site).netloc}
    context.close()


def use_upload(page: Page) -> None:
    page.goto("/")
    page.get_by_text("How the networks see the picture").click()
    page.get_by_text("Which classes does it know?").click()


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
    page.get_by_label("Method", exact=True).select_option("hirescam")
    expect(find_canvas(page, "cbam")).to_have_attribute("aria-label", re.compile("HiResCAM"))
    page.locator(".ranked-versus").last.click()
    expect_drawn(page, rows=2)
    page.go_back()
    expect_drawn(page)


def use_models(page: Page) -> None:
    page.goto("/models")
    expect(page.locator("h1")).to_be_visible()
