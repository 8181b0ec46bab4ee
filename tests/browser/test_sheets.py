"""Several pictures at once, in a real browser."""

import re
import zipfile

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.pages.gallery import SAMPLES
from tests.browser.pictures import ANALYSIS_PATH, expect_loaded, find_overflow, make_payload, wait_for_held
from tests.browser.views import BROKEN

pytestmark = pytest.mark.slow

SHEET_PATH = re.compile(r"/sheets/[\w-]{20,}$")

FILES = [make_payload("cat"), BROKEN, make_payload("rocket")]


@pytest.mark.parametrize("width", [pytest.param(390, marks=pytest.mark.slow), 1280])
def test_several_files_become_a_sheet_with_a_row_each(browser: Browser, site: str, width: int) -> None:
    context = browser.new_context(base_url=site, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/")
    page.set_input_files("#image", FILES)
    page.wait_for_url(SHEET_PATH)
    rows = page.locator(".sheet-row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("Nothing to show")
    expect(rows.nth(1)).to_contain_text("send")
    expect_loaded(page.locator(".sheet-images img"), count=8)
    assert find_overflow(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    links = page.locator(".downloads a").all()
    assert len(links) >= 3
    for link in links:
        address = link.get_attribute("href")
        assert address is not None
        assert page.request.get(address).ok
    rows.nth(2).get_by_role("link", name="rocket.jpg", exact=True).click()
    page.wait_for_url(ANALYSIS_PATH)
    page.go_back()
    expect(rows).to_have_count(3)
    assert complaints == []
    context.close()


def test_progress_is_said_per_picture(page: Page) -> None:
    page.goto("/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/analyses", hold)
    page.set_input_files("#image", [make_payload("cat"), make_payload("rocket")])
    expect(page.get_by_role("status")).to_have_text("Comparing picture 1 of 2 …")
    expect(page.locator("#sheet-progress")).to_contain_text("0 of 2 pictures sent; now cat.jpg")
    wait_for_held(page, held, 1)
    held[0].continue_()
    expect(page.get_by_role("status")).to_have_text("Comparing picture 2 of 2 …")
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 1)
    wait_for_held(page, held, 2)
    held[1].continue_()
    page.wait_for_url(SHEET_PATH)


def test_several_dropped_files_become_a_sheet(page: Page) -> None:
    page.goto("/")
    page.evaluate(
        """async (names) => {
            const data = new DataTransfer();
            for (const name of names) {
                const content = await (await fetch(`/samples/${name}.jpg`)).blob();
                data.items.add(new File([content], `${name}.jpg`, { type: "image/jpeg" }));
            }
            const made = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
            document.querySelector("h1").dispatchEvent(made);
        }""",
        [sample.name for sample in SAMPLES[:2]],
    )
    page.wait_for_url(SHEET_PATH)
    expect(page.locator(".sheet-row")).to_have_count(2)


def test_too_many_files_are_refused_without_sending_them(page: Page) -> None:
    page.goto("/")
    page.locator("#upload-form").evaluate("(form) => { form.dataset.sheetPictures = '2'; }")
    page.set_input_files("#image", FILES)
    expect(page.locator("#upload-error")).to_contain_text("3 pictures; the limit is 2 at once; send fewer")
    expect(page.locator("#sheet-progress")).to_be_hidden()


def test_options_change_every_row_and_stay_in_the_address(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#image", FILES)
    page.wait_for_url(SHEET_PATH)
    page.get_by_label("Class, by name or index").fill("panda")
    page.get_by_label("Method").select_option("layercam")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("method=layercam"))
    expect(page.locator(".sheet-class")).to_have_text(["panda", "panda"])
    expect(page.get_by_label("Method")).to_have_value("layercam")


def test_several_files_become_a_sheet_without_javascript(plain_page: Page) -> None:
    plain_page.goto("/")
    plain_page.set_input_files("#image", FILES)
    plain_page.get_by_role("button", name="Compare").click()
    plain_page.wait_for_url(SHEET_PATH)
    expect(plain_page.locator(".sheet-row")).to_have_count(3)
    expect_loaded(plain_page.locator(".sheet-images img"), count=8)


def test_zip_says_how_many_pictures_are_done(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#image", FILES)
    page.wait_for_url(SHEET_PATH)
    page.evaluate(
        """() => {
            window.said = [];
            const text = document.querySelector(".busy-text");
            new MutationObserver(() => window.said.push(text.textContent)).observe(
                text, { childList: true, characterData: true, subtree: true });
        }"""
    )
    with page.expect_download() as download:
        page.get_by_role("link", name="Everything, ZIP").click()
    assert download.value.suggested_filename == "cbam-lens-sheet.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert "03-rocket/numbers.json" in archive.namelist()
    said = page.evaluate("window.said")
    assert [text for text in said if re.fullmatch(r"\d of 2 pictures done …", text)]
    expect(page.get_by_role("status")).to_have_text("")


def test_order_applies_as_soon_as_it_is_chosen(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#image", FILES)
    page.wait_for_url(SHEET_PATH)
    page.get_by_label("Order").select_option("overlap")
    page.wait_for_url(re.compile("sort=overlap"))
    expect(page.locator(".sheet-row").last).to_contain_text("Nothing to show")


def test_rows_are_moved_by_hand_and_keep_their_order(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#image", [make_payload(name) for name in ("cat", "rocket", "motorcycle")])
    page.wait_for_url(SHEET_PATH)
    expect(page.locator("#row-1").get_by_role("button", name="Move up")).to_have_count(0)
    page.locator("#row-3").get_by_role("button", name="Move up").click()
    rows = page.locator(".sheet-row")
    expect(rows.nth(1)).to_have_id("row-3")
    expect(page.locator("#row-3")).to_be_in_viewport()
    page.locator("#row-3").get_by_role("button", name="Move up").press("Enter")
    expect(rows.first).to_have_id("row-3")
    expect(page.get_by_label("Order")).to_have_value("hand")
    # A class for one row keeps the order.
    page.locator("#row-target-1").fill("panda")
    page.locator("#row-1").get_by_role("button", name="Set").click()
    expect(page.locator("#row-1 .sheet-class")).to_have_text("panda")
    expect(rows.first).to_have_id("row-3")


def test_reader_of_a_long_sheet_stays_at_the_row_that_changes(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#image", [make_payload(name) for name in ("cat", "rocket", "motorcycle", "cat", "rocket")])
    page.wait_for_url(SHEET_PATH)
    page.locator("#row-target-5").fill("ketsch")
    page.locator("#row-5").get_by_role("button", name="Set").click()
    expect(page.locator("#row-problem-5")).to_contain_text("did you mean")
    expect(page.locator("#row-problem-5")).to_be_in_viewport()
    page.locator("#row-4").get_by_role("link", name="Remove").click()
    expect(page.locator(".sheet-row")).to_have_count(4)
    expect(page.locator("#row-5")).to_be_in_viewport()
    page.locator("#row-5").get_by_role("link", name="Remove").click()
    expect(page.locator(".sheet-row")).to_have_count(3)
    expect(page.locator("#row-3")).to_be_in_viewport()
