"""Screenshots of the page, to be looked at: `python -m tests.browser.screenshots OUT_DIR [PICTURE ...]`.

Each picture is uploaded; without any, gallery pictures are taken.
"""

import sys
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.site import find_chromium, launch_chromium, serve

SAMPLES = ("motorcycle", "photographer")
WIDTHS = (1280, 390)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> None:
    """Take them all."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no chromium on the search path; install it or set CBAM_LENS_CHROMIUM")
    with serve() as site, sync_playwright() as playwright:
        browser = launch_chromium(playwright, chromium)
        for width, scheme in product(WIDTHS, SCHEMES):
            take(browser, site, folder, width, scheme)
        browser.close()


def take(browser: Browser, site: str, folder: Path, width: int, scheme: Literal["light", "dark"]) -> None:
    """Both pages at one width in one colour scheme."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(site)
    save(page, folder / f"upload_{width}_{scheme}.png")
    for picture in map(Path, sys.argv[2:]):
        page.goto(site)
        page.set_input_files("input[type=file]", picture)
        page.wait_for_url("**/analyses/*")
        save(page, folder / f"analysis_{picture.stem}_{width}_{scheme}.png")
    for sample in () if sys.argv[2:] else SAMPLES:
        page.goto(site)
        page.click(f"button[value={sample}]")
        page.wait_for_url("**/analyses/*")
        save(page, folder / f"analysis_{sample}_{width}_{scheme}.png")
    if not sys.argv[2:]:
        take_versus(page, folder / f"versus_{width}_{scheme}.png")
    page.close()


def take_versus(page: Page, path: Path) -> None:
    """The last analysis with a second class, contours, a place that is read, and a closer look."""
    page.locator(".ranked-versus").first.click()
    page.locator("[data-row='1'] canvas").first.wait_for()
    page.fill("#threshold", "0.6")
    page.locator("#maps canvas").first.click()
    page.click("#zoom-in")
    page.wait_for_timeout(300)
    save(page, path)


def save(page: Page, path: Path) -> None:
    """The whole page, its maps and its lazy images included."""
    if "/analyses/" in page.url:
        page.locator(".map-canvas").first.wait_for()
    page.evaluate(
        """async () => {
            const images = Array.from(document.images).filter((image) => image.checkVisibility());
            for (const image of images) image.loading = "eager";
            await Promise.all(images.map((image) => image.decode()));
        }"""
    )
    page.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    main()
