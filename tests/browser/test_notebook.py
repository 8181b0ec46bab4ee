"""A comparison in a notebook's output, opened as a page of its own without a network."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.python.open_lineup import OpenLineup
from app.python.picture_comparison import PictureComparison
from models.lineups.lineup import Lineup
from tests.photographs import read_photograph

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def compared(lineup: Lineup) -> PictureComparison:
    return OpenLineup(lineup).compare(read_photograph("cat"))


@pytest.fixture(scope="module")
def address(compared: PictureComparison, tmp_path_factory: pytest.TempPathFactory) -> str:
    return compared.save(tmp_path_factory.mktemp("notebook") / "cat.html").as_uri()


@pytest.fixture
def output(browser: Browser, address: str) -> Iterator[Page]:
    """The opened output, and no error in its script."""
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        yield page
        assert errors == []


def test_handle_moves_by_keyboard_and_by_pointer(output: Page) -> None:
    handle = output.get_by_role("slider", name="Border between the left and the right drawing")
    handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "52")
    frame = output.locator("[data-side=right] .frame").bounding_box()
    assert frame is not None
    handle.hover()
    output.mouse.down()
    output.mouse.move(frame["x"] + frame["width"] / 4, frame["y"] + 20)
    output.mouse.up()
    expect(handle).to_have_attribute("aria-valuenow", "25")
    assert "inset(0px 0px 0px 25%)" in str(
        output.locator("[data-side=right] .frame").evaluate("frame => getComputedStyle(frame).clipPath")
    )


def test_read_out_gives_the_maps_values(output: Page, compared: PictureComparison) -> None:
    values = compared.heat_maps["cbam"]
    rows, columns = values.shape
    row, column = divmod(int(values.argmax()), columns)
    frame = output.locator("[data-side=right] .frame").bounding_box()
    assert frame is not None
    output.mouse.move(
        frame["x"] + frame["width"] * (column + 0.5) / columns, frame["y"] + frame["height"] * (row + 0.5) / rows
    )
    baseline = compared.heat_maps["baseline"][row, column]
    text = output.locator(".cbam-lens-readout").inner_text()
    # The pointer is on a whole pixel, so a little beside the position's centre.
    assert f"CBAM {values.max():.2g}"[:7] in text
    assert "(100 % of its highest)" in text or "(99 % of its highest)" in text
    assert text.index("Baseline") < text.index("CBAM") < text.index("difference")
    difference = float(text.rpartition("difference ")[2].replace("−", "-"))
    assert difference == pytest.approx(float(values.max() - baseline), abs=0.05 * float(values.max()))


def test_other_drawings_can_be_chosen(output: Page) -> None:
    choice = output.get_by_label("Left of the handle")
    first = output.locator("[data-side=left] img").get_attribute("src")
    choice.select_option("difference")
    expect(output.locator("[data-side=left] img")).to_have_attribute("alt", "CBAM minus Baseline")
    assert output.locator("[data-side=left] img").get_attribute("src") != first


def test_same_output_twice_in_one_notebook_works_twice(browser: Browser, compared: PictureComparison) -> None:
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.set_content(compared._repr_html_() * 2)
        expect(page.get_by_role("slider")).to_have_count(2)
        expect(page.locator(".cbam-lens-figure")).to_have_count(0)


def test_figure_stays_where_scripts_are_off(browser: Browser, address: str) -> None:
    with browser.new_context(offline=True, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)
        figure = page.locator(".cbam-lens-figure")
        expect(figure).to_be_visible()
        size = figure.bounding_box()
        assert size is not None
        assert size["width"] > 500
        expect(page.get_by_role("slider")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
def test_output_fits_its_window(browser: Browser, address: str, width: int) -> None:
    with browser.new_context(offline=True, viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
