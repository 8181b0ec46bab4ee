"""Screenshots of the page.

    python -m tests.browser.screenshots OUT_DIR [PICTURE ...]   every view, each width, each scheme
    python -m tests.browser.screenshots --readme                those of the README, into .readme/

Each picture is uploaded and its analysis taken in place of the views; the README's are of gallery pictures alone.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.pictures import expect_drawn, make_payload, open_drawn, open_tab
from tests.browser.site import ALLOWED, FAKE_DEVICE, HEIGHT, WIDTHS, find_chromium, launch_chromium, serve
from tests.browser.views import VIEWS, open_camera, open_gate_controls
from tests.photographs import read_photograph

ROOT = Path(__file__).parents[2]
README = ROOT / ".readme"

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

README_SIZE = (1180, 760)
README_QUALITY = 80

CAMERA_FRAMES = 30


def main() -> None:
    """Take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="where they go")
    parser.add_argument("pictures", type=Path, nargs="*", help="pictures to upload, in place of the views")
    parser.add_argument("--readme", action="store_true", help="take those of the README")
    options = parser.parse_args()
    if (options.folder is None) != options.readme:
        parser.error("give a folder, or --readme")
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no chromium on the search path; install it or set CBAM_LENS_CHROMIUM")
    with tempfile.TemporaryDirectory() as scratch, serve() as site, sync_playwright() as playwright:
        film = write_film(Path(scratch))
        arguments = (FAKE_DEVICE, ALLOWED, f"--use-file-for-fake-video-capture={film}")
        browser = launch_chromium(playwright, chromium, *arguments)
        if options.readme:
            take_readme(browser, site)
        else:
            options.folder.mkdir(parents=True, exist_ok=True)
            for width, scheme in product(WIDTHS, SCHEMES):
                page = browser.new_page(base_url=site, viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
                take(page, options.folder, options.pictures, end=f"_{width}_{scheme}.png")
                page.close()
        browser.close()


def write_film(folder: Path) -> Path:
    """A photograph as the camera's film of JPEGs."""
    with Image.open(io.BytesIO(read_photograph("cat"))) as picture:
        buffer = io.BytesIO()
        picture.convert("RGB").resize((640, 480)).save(buffer, "JPEG", quality=90)
    path = folder / "cat.mjpeg"
    path.write_bytes(CAMERA_FRAMES * buffer.getvalue())
    return path


def take(page: Page, folder: Path, pictures: list[Path], *, end: str) -> None:
    """Take every view, or every picture's analysis, in one window, always of the whole page."""
    for picture in pictures:
        page.goto("/")
        page.set_input_files("input[type=file]", picture)
        page.wait_for_url("**/analyses/*")
        expect_drawn(page)
        wait_for_images(page)
        page.screenshot(path=folder / f"{picture.stem}{end}", full_page=True)
    for name, open_view in () if pictures else VIEWS.items():
        open_view(page)
        wait_for_images(page)
        page.screenshot(path=folder / f"{name}{end}", full_page=True)


def show_comparison(page: Page) -> None:
    """The maps of a photograph, as first shown."""
    open_drawn(page, "motorcycle")


def show_explorer(page: Page) -> None:
    """The gates of all blocks."""
    open_drawn(page, "motorcycle")
    open_tab(page, "Attention")
    page.locator("#blocks .block").last.scroll_into_view_if_needed()


def show_gates(page: Page) -> None:
    """Changed gates and their effect on the probability."""
    open_gate_controls(page)


def show_camera(page: Page) -> None:
    """The camera on a gallery picture, when its rate is known."""
    open_camera(page)
    page.get_by_text("frames per second").wait_for()


def show_sheet(page: Page) -> None:
    """Three gallery pictures with a row each."""
    page.goto("/")
    page.set_input_files("#image", [make_payload(name) for name in ("rocket", "cat", "motorcycle")])
    page.wait_for_url("**/sheets/*")


README_VIEWS: dict[str, Callable[[Page], None]] = {
    **{name: VIEWS[name] for name in ("block", "sanity", "evidence")},
    "sheet": show_sheet,
    "comparison": show_comparison,
    "explorer": show_explorer,
    "gates": show_gates,
    "camera": show_camera,
}


def take_readme(browser: Browser, site: str) -> None:
    """One window of each view, as WebP."""
    README.mkdir(exist_ok=True)
    for name, show in README_VIEWS.items():
        width, height = README_SIZE
        page = browser.new_page(base_url=site, viewport={"width": width, "height": height}, color_scheme="light")
        show(page)
        wait_for_images(page)
        with Image.open(io.BytesIO(page.screenshot())) as picture:
            picture.convert("RGB").save(README / f"{name}.webp", quality=README_QUALITY, method=6)
        page.close()


def wait_for_images(page: Page) -> None:
    """Wait until lazy images have loaded too."""
    page.evaluate(
        """async () => {
            const images = Array.from(document.images).filter((image) => image.checkVisibility());
            for (const image of images) image.loading = "eager";
            await Promise.all(images.map((image) => image.decode()));
        }"""
    )


if __name__ == "__main__":
    main()
