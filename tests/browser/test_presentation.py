import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.pictures import ANALYSIS_PATH, expect_loaded, open_drawn, open_photograph, open_tab
from tests.conftest import encode, make_picture

pytestmark = pytest.mark.slow

MAX_HTML_BYTES = 100_000


def test_text_stands_out_from_the_ground_in_both_schemes(browser: Browser, site: str) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = browser.new_page(base_url=site, color_scheme=scheme)
        page.goto("/")
        ground, ink = (
            page.evaluate(f"getComputedStyle(document.body).{style}") for style in ("backgroundColor", "color")
        )
        assert contrast(ground, ink) > 7
        soft = page.locator(".lead").evaluate("(element) => getComputedStyle(element).color")
        assert contrast(ground, soft) > 4.5
        grounds.append(ground)
        page.close()
    assert grounds[0] != grounds[1]


def contrast(first: str, second: str) -> float:
    """WCAG's contrast ratio of two colours, given as `rgb(1, 2, 3)`."""
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_no_request_leaves_the_server(page: Page, site: str, requests: list[Request], complaints: list[str]) -> None:
    open_drawn(page)
    images = page.locator("main img:visible")
    expect_loaded(images, count=images.count())
    origin = urlsplit(site).netloc
    assert len(requests) > 20
    assert {urlsplit(request.url).netloc for request in requests} == {origin}
    assert complaints == []


def test_inline_script_and_style_are_refused(page: Page) -> None:
    page.goto("/")
    done = page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            const style = document.createElement("style");
            style.textContent = "h1 { opacity: 0.5 }";
            document.body.append(script, style);
            document.querySelector("main").setAttribute("style", "opacity: 0.5");
            const seen = (selector) => getComputedStyle(document.querySelector(selector)).opacity;
            return { ran: window.ran === true, element: seen("h1"), attribute: seen("main") };
        }"""
    )
    assert done == {"ran": False, "element": "1", "attribute": "1"}


def test_html_stays_small(page: Page) -> None:
    open_photograph(page)
    response = page.request.get(page.url)
    assert len(response.body()) < MAX_HTML_BYTES


def test_every_image_tells_its_size_and_what_is_on_it(page: Page) -> None:
    open_photograph(page)
    open_tab(page, "Attention")
    images = page.locator("#analysis img")
    assert images.count() > 16
    for image in images.all():
        assert int(image.get_attribute("width") or 0) > 0
        assert int(image.get_attribute("height") or 0) > 0
        assert any(character.isdigit() for character in image.get_attribute("alt") or "")


def test_layout_does_not_move_when_images_arrive(page: Page) -> None:
    open_drawn(page)
    address = page.url
    with_images = page.locator("#controls-form").bounding_box()
    assert with_images is not None
    page.route("**/*.{png,jpg}*", lambda route: route.abort())
    page.goto(address)
    without_images = page.locator("#controls-form").bounding_box()
    assert with_images == without_images
    expect(page.locator("#analysis-error")).to_contain_text("A picture did not load")
    assert with_images == page.locator("#controls-form").bounding_box()


def test_keyboard_reaches_content_and_shows_where_it_is(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#image")).to_be_focused()
    outline = page.locator(".drop-zone").evaluate("(zone) => getComputedStyle(zone).outlineStyle")
    assert outline == "solid"


def test_documentation_of_the_api_works_without_any_other_host(
    page: Page, site: str, requests: list[Request], complaints: list[str]
) -> None:
    page.goto("/docs")
    expect(page.get_by_role("heading", name="CBAM Lens")).to_be_visible()
    page.get_by_text("/api/v1/heatmap", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    expect(page.locator("input[type=file]")).to_be_visible()
    assert {urlsplit(request.url).netloc for request in requests if not request.url.startswith("data:")} == {
        urlsplit(site).netloc
    }
    assert complaints == []


@pytest.mark.parametrize("change", ["", "?versus=54&interventions=cbam:all:spatial:neutral"])
@pytest.mark.parametrize("size", [(400, 300), (150, 2000), (2000, 150)])
def test_comparison_is_printed_on_one_page_with_its_settings(page: Page, size: tuple[int, int], change: str) -> None:
    page.goto("/")
    page.set_input_files(
        "#image", {"name": "my dog.png", "mimeType": "image/png", "buffer": encode(make_picture(*size))}
    )
    page.wait_for_url(ANALYSIS_PATH)
    page.goto(page.url + change)
    expect(page.locator(".map-canvas")).to_have_count(9 if change else 4)
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    page.emulate_media(media="print")
    settings = page.locator(".print-only")
    expect(settings).to_contain_text("“my dog.png”. ResNet-18")
    expect(settings).to_contain_text("Grad-CAM, stage 4")
    assert settings.inner_text().count("not retrained: cbam:all:spatial:neutral") == bool(change)
    for hidden in ("#toolbar", "#controls", "#tabs", ".site-header"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".probability-value").first).to_be_visible()
