"""Screenshots of the page.

    python -m tests.browser.screenshots OUT_DIR [PICTURE ...]   every view, each width, each scheme
    python -m tests.browser.screenshots --readme                those of the README, into .readme/

Each picture is uploaded and its analysis taken in place of the views; the README's are of gallery pictures alone.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from pydantic import SecretStr

from app.pages.gallery import DIRECTORY, find_sample
from app.settings import Settings
from models.lineups.catalogue import SHIPPED
from tests.browser.pictures import expect_drawn, open_gallery_picture, open_tab
from tests.browser.site import ALLOWED, FAKE_DEVICE, HEIGHT, WIDTHS, find_chromium, launch_chromium, serve
from tests.browser.studies import let_people_vote, make_study
from tests.browser.views import VIEWS, open_camera, open_evidence
from tests.photographs import read_photograph

ROOT = Path(__file__).parents[2]
README = ROOT / ".readme"

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

README_SIZE = (1180, 760)
README_QUALITY = 80

CAMERA_FRAMES = 30

SETTLE_MILLISECONDS = 1500
"""For the drawing of maps, of whose number these views know nothing."""

EXPECT_MILLISECONDS = 60_000


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
    with (
        tempfile.TemporaryDirectory() as scratch,
        serve(make_settings(Path(scratch)) if options.readme else None) as site,
        sync_playwright() as playwright,
    ):
        # The sanity check alone takes seconds, and more beside other work.
        expect.set_options(timeout=EXPECT_MILLISECONDS)
        film = write_film(Path(scratch))
        arguments = (FAKE_DEVICE, ALLOWED, f"--use-file-for-fake-video-capture={film}")
        browser = launch_chromium(playwright, chromium, *arguments)
        if options.readme:
            take_readme(browser, site, README_VIEWS | list_study_views(Path(scratch)))
        else:
            options.folder.mkdir(parents=True, exist_ok=True)
            for width, scheme in product(WIDTHS, SCHEMES):
                page = browser.new_page(base_url=site, viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
                take(page, options.folder, options.pictures, end=f"_{width}_{scheme}.png")
                page.close()
        browser.close()


def find_database(scratch: Path) -> str:
    """The studies of the README's pictures, apart from this machine's own."""
    return str(scratch / "studies.sqlite")


def make_settings(scratch: Path) -> Settings:
    """The server of the README's pictures."""
    return Settings(device="cpu", lineups=(SHIPPED,), study_database=SecretStr(find_database(scratch)))


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


SHOWN = "hummingbird"
"""The gallery picture in most of the README's pictures."""


def open_shown(page: Page) -> None:
    """The maps of a gallery picture, drawn."""
    open_gallery_picture(page, find_sample(SHOWN))
    expect(page.locator("#maps[role=group]")).to_be_visible()
    page.wait_for_timeout(SETTLE_MILLISECONDS)


def show_explorer(page: Page) -> None:
    """The gates of all blocks."""
    open_shown(page)
    open_tab(page, "Attention")
    page.locator("#blocks .block").last.scroll_into_view_if_needed()


def show_gates(page: Page) -> None:
    """Changed gates and their effect on the probability."""
    open_shown(page)
    open_tab(page, "Attention")
    page.get_by_role("group", name="Spatial gates of all blocks").get_by_role("link", name="inverted").first.click()
    expect(page.locator(".gates-changed")).to_be_visible()
    page.wait_for_timeout(SETTLE_MILLISECONDS)


def show_block(page: Page) -> None:
    """A block from within."""
    open_shown(page)
    open_tab(page, "Attention")
    page.locator("#blocks .block h3 a[href*='/blocks/cbam/']").nth(3).click()
    page.wait_for_url("**/blocks/cbam/*")


def show_sanity(page: Page) -> None:
    """Maps of networks with ever more random weights."""
    open_shown(page)
    open_tab(page, "Sanity")
    expect(page.locator(".sanity-strip").last).to_be_visible()
    page.locator("#sanity h2").scroll_into_view_if_needed()


def show_camera(page: Page) -> None:
    """The camera on a photograph, when its rate is known."""
    open_camera(page)
    page.get_by_text("frames per second").wait_for()


def show_sheet(page: Page) -> None:
    """Three gallery pictures with a row each."""
    page.goto("/")
    page.set_input_files("#image", [DIRECTORY / f"{name}.jpg" for name in ("bee", "trolleybus", "teddy")])
    page.wait_for_url("**/sheets/*")


README_VIEWS: dict[str, Callable[[Page], None]] = {
    "comparison": open_shown,
    "explorer": show_explorer,
    "block": show_block,
    "gates": show_gates,
    "sanity": show_sanity,
    "evidence": open_evidence,
    "camera": show_camera,
    "sheet": show_sheet,
}


STUDIED = ("bee", "trolleybus", "teddy", "hummingbird", "lynx", "dragonfly")
"""The gallery pictures of the README's study."""

SIMULATED_PEOPLE = 60

PHONE: ViewportSize = {"width": 390, "height": 664}

PROJECTOR: ViewportSize = {"width": 1280, "height": 870}


def show_study(page: Page, database: str) -> None:
    """The results of a study with the votes of simulated people, for the projector."""
    links = make_study(page, *STUDIED)
    let_people_vote(database, links.key, SIMULATED_PEOPLE)
    page.set_viewport_size(PROJECTOR)
    page.goto(links.results)


def show_study_on_phone(page: Page) -> None:
    """A question of a study."""
    links = make_study(page, *STUDIED, catches=0)
    page.set_viewport_size(PHONE)
    page.goto(links.voters)
    page.get_by_role("button", name="Begin").click()
    page.locator(".study-image").first.wait_for()


def list_study_views(scratch: Path) -> dict[str, Callable[[Page], None]]:
    """The README's views of a blind study."""
    return {
        "study": lambda page: show_study(page, find_database(scratch)),
        "study_phone": show_study_on_phone,
    }


def take_readme(browser: Browser, site: str, views: Mapping[str, Callable[[Page], None]]) -> None:
    """One window of each view, as WebP."""
    README.mkdir(exist_ok=True)
    for name, show in views.items():
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
