"""The ways that people take through the page, with the shipped lineup: few clicks to a figure, and a lecture."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.pages.gallery import SAMPLES
from tests.browser.pictures import ANALYSIS_PATH, open_tab, read_address
from tests.conftest import decode

pytestmark = pytest.mark.slow

NETWORKS = 3
PANELS = NETWORKS + 1
"""On a canvas each: the networks' maps and the difference; the picture has one for all rows."""


@pytest.fixture
def shipped_page(browser: Browser, shipped_site: str) -> Iterator[Page]:
    page = browser.new_page(base_url=shipped_site, viewport={"width": 1280, "height": 900})
    yield page
    page.close()


def test_figure_of_three_networks_takes_at_most_four_clicks(shipped_page: Page, tmp_path: Path) -> None:
    page, clicks = shipped_page, 0

    def click(target: Locator) -> None:
        nonlocal clicks
        clicks += 1
        target.click()

    page.goto("/")
    click(page.locator(".gallery-button").first)
    page.wait_for_url(ANALYSIS_PATH)
    click(page.locator("#export > summary"))
    with page.expect_download() as started:
        click(page.locator("#export").get_by_role("link", name="PNG"))
    assert clicks <= 4
    figure = decode(Path(started.value.path()).read_bytes())
    assert figure.width > PANELS * 300
    assert figure.height < figure.width / 2


def test_lecturer_shows_difference_gates_off_second_class_full_screen_and_saves_the_figure(shipped_page: Page) -> None:
    page = shipped_page
    page.goto("/")
    page.locator(".gallery-button").nth(1).click()
    page.wait_for_url(ANALYSIS_PATH)
    expect(page.locator(".toolbar-name")).to_have_text(SAMPLES[1].title)
    expect(page.locator(".verdict-line")).to_contain_text("CBAM")

    page.get_by_role("link", name="Difference", exact=True).click()
    expect(page.locator("[data-map=difference]")).to_be_visible()
    expect(page.locator("[data-map=cbam]")).to_be_hidden()
    page.get_by_role("link", name="Side by side").click()

    open_tab(page, "Attention")
    learned = page.locator(".probability[data-network=cbam]").inner_text()
    page.get_by_role("group", name="Spatial gates of all blocks, CBAM").get_by_role("link", name="off").click()
    expect(page.locator(".gates-changed")).to_be_visible()
    assert page.locator(".probability[data-network=cbam]").inner_text() != learned

    picker = page.get_by_role("combobox", name="Compare with")
    picker.fill("umbrella")
    picker.press("Enter")
    expect(page.locator(".panel-versus h2")).to_contain_text("umbrella")
    assert "interventions" in read_address(page)

    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement?.id === 'analysis'")
    expect(page.locator("#toolbar")).to_be_hidden()
    page.evaluate("document.exitFullscreen()")
    expect(page.locator("#toolbar")).to_be_visible()

    page.locator("#export > summary").click()
    with page.expect_download() as started:
        page.locator("#export").get_by_role("link", name="PNG").click()
    figure = decode(Path(started.value.path()).read_bytes())
    assert figure.height > figure.width / 4
