"""The contact sheet: what is written where, in both layouts."""

import re

import numpy as np
import pytest

from app.render.contact_columns import share_titles
from app.render.contact_picture import ContactPicture
from app.render.contact_sheet import draw_contact_sheet
from app.render.figure import FigureFormat, Panel
from app.render.sheet_layout import FigureWidth, SheetLayout
from tests.conftest import decode, make_picture

pytestmark = pytest.mark.slow


def make_contact(
    class_name: str, *titles: str, size: tuple[int, int] = (90, 60), name: str = "1. a.jpg"
) -> ContactPicture:
    """A picture with a panel of each title, each with a caption of its own."""
    panels = (
        Panel(title, make_picture(*size, seed=number), f"P {number} {class_name}")
        for number, title in enumerate(("Picture", *titles))
    )
    return ContactPicture(name, class_name, tuple(panels))


def draw(*pictures: ContactPicture, layout: SheetLayout, file_format: FigureFormat = FigureFormat.PNG) -> bytes:
    return draw_contact_sheet(pictures, heading="gradcam, stage 4", file_format=file_format, layout=layout)


def read_texts(*pictures: ContactPicture, layout: SheetLayout) -> list[str]:
    """The sheet's texts in the order of drawing; matplotlib says each in a comment beside its outlines."""
    svg = draw(*pictures, layout=layout, file_format=FigureFormat.SVG).decode()
    return re.findall(r"<!-- (.*?) -->", svg)


@pytest.mark.parametrize("layout", SheetLayout)
@pytest.mark.parametrize(
    ("file_format", "start"),
    [(FigureFormat.PNG, b"\x89PNG"), (FigureFormat.SVG, b"<?xml"), (FigureFormat.PDF, b"%PDF")],
)
def test_sheet_is_a_file_of_its_format_and_the_same_again(
    layout: SheetLayout, file_format: FigureFormat, start: bytes
) -> None:
    contact = make_contact("cat", "Baseline", "CBAM")
    content = draw(contact, layout=layout, file_format=file_format)
    assert content.startswith(start)
    assert content == draw(contact, layout=layout, file_format=file_format)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_row_has_room_for_every_network(count: int) -> None:
    """A row has the picture, the networks' maps and a difference; with four panels it was 8.46 inches wide."""
    titles = [f"Network {number}" for number in range(count)]
    sheet = decode(draw(make_contact("cat", *titles, "Difference"), layout=SheetLayout.ROWS))
    panels = count + 2
    assert sheet.width == pytest.approx(150 * (panels * 1.9 + (panels - 1) * 0.12 + 0.5), abs=1)


def read_pages(content: bytes) -> list[tuple[float, float]]:
    """The sizes of a PDF's pages in inches."""
    boxes = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", content)
    return [(float(width) / 72, float(height) / 72) for width, height in boxes]


@pytest.mark.parametrize(("panels", "size"), [(3, (8.27, 11.69)), (6, (11.69, 8.27))])
def test_rows_in_pdf_are_on_pages_of_a4(panels: int, size: tuple[float, float]) -> None:
    contact = make_contact("cat", *(f"Network {number}" for number in range(panels)))
    content = draw(*[contact] * 12, layout=SheetLayout.ROWS, file_format=FigureFormat.PDF)
    assert len(read_pages(content)) > 1
    for page in read_pages(content):
        assert page == pytest.approx(size, abs=0.01)


def test_longest_sheet_is_drawn_in_fewer_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.render.figure.LONGEST_PIXELS", 500)
    sheet = decode(draw(*[make_contact("cat", "Baseline")] * 3, layout=SheetLayout.ROWS))
    assert max(sheet.size) == pytest.approx(500, abs=1)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_columns_name_a_row_once_and_a_class_once(count: int) -> None:
    titles = [f"Network {number}" for number in range(count)]
    texts = read_texts(make_contact("cat", *titles), make_contact("dog", *titles), layout=SheetLayout.COLUMNS)
    for text in ("gradcam, stage 4", "Picture", "cat", "dog", *titles):
        assert texts.count(text) == 1, text
    for number in range(count + 1):
        for class_name in ("cat", "dog"):
            assert texts.count(f"P {number} {class_name}") == 1
    assert "1. a.jpg" not in texts


def test_columns_grow_to_the_right_with_pictures_and_down_with_networks() -> None:
    def measure(pictures: int, networks: int) -> tuple[int, int]:
        titles = [f"Network {number}" for number in range(networks)]
        return decode(draw(*[make_contact("cat", *titles)] * pictures, layout=SheetLayout.COLUMNS)).size

    four, eight, tall = measure(4, 2), measure(8, 2), measure(4, 5)
    assert eight[0] - four[0] == pytest.approx(4 * 150 * (1.5 * 90 / 60 + 0.12), abs=2)
    assert eight[1] == four[1]
    assert tall[1] - four[1] == pytest.approx(3 * 150 * (1.5 + 2 * 0.19), abs=2)
    assert tall[0] == four[0]


def test_column_is_as_wide_as_its_picture_within_limits() -> None:
    def measure(width: int, height: int) -> float:
        pictures = [make_contact("cat", "Baseline", size=(width, height))] * 8
        return decode(draw(*pictures, layout=SheetLayout.COLUMNS)).width / 150

    rest = 0.5 + 1.1 + 7 * 0.12
    assert measure(60, 60) == pytest.approx(rest + 8 * 1.5, abs=0.02)
    assert measure(20, 400) == pytest.approx(rest + 8 * 1.2, abs=0.02)
    assert measure(400, 20) == pytest.approx(rest + 8 * 2.6, abs=0.02)


def test_columns_of_different_lineups_have_their_titles_above_each_map() -> None:
    first, second = make_contact("cat", "Baseline", "SE"), make_contact("dog", "Baseline", "SE", "CBAM")
    assert share_titles([first, second]) == ()
    texts = read_texts(first, second, layout=SheetLayout.COLUMNS)
    assert [texts.count(title) for title in ("Picture", "Baseline", "SE", "CBAM")] == [2, 2, 2, 1]


@pytest.mark.parametrize("layout", SheetLayout)
def test_picture_with_a_problem_says_it_in_its_place(layout: SheetLayout) -> None:
    broken = ContactPicture("2. notes.txt", problem="no picture")
    texts = read_texts(make_contact("cat", "Baseline"), broken, layout=layout)
    assert texts.count("no picture") == 1
    assert texts.count("2. notes.txt") == 1
    assert texts.count("Baseline") == 1


@pytest.mark.parametrize("layout", SheetLayout)
def test_sheet_of_problems_alone_is_drawn(layout: SheetLayout) -> None:
    assert "gone" in read_texts(ContactPicture("1. a.jpg", problem="gone"), layout=layout)


@pytest.mark.parametrize("layout", SheetLayout)
def test_sheet_takes_names_as_they_are(layout: SheetLayout) -> None:
    """A dollar sign begins a formula in matplotlib's texts, and its font does not have every character."""
    assert draw(make_contact(r"$\frac{ 猫", "Baseline"), layout=layout, file_format=FigureFormat.PDF)


def draw_printed(count: int, width: FigureWidth, file_format: FigureFormat = FigureFormat.PDF) -> bytes:
    contact = make_contact("cat", "Baseline", "CBAM")
    return draw_contact_sheet(
        [contact] * count, heading="h", file_format=file_format, layout=SheetLayout.COLUMNS, width=width
    )


@pytest.mark.parametrize("count", [1, 4, 9, 24])
@pytest.mark.parametrize(("width", "inches"), [(FigureWidth.COLUMN, 3.25), (FigureWidth.PAGE, 6.875)])
def test_figure_of_a_given_width_has_it_with_any_number_of_pictures(
    width: FigureWidth, inches: float, count: int
) -> None:
    ((page_width, _),) = read_pages(draw_printed(count, width))
    assert page_width == pytest.approx(inches, abs=0.01)
    printed = decode(draw_printed(count, width, FigureFormat.PNG))
    assert printed.width == pytest.approx(300 * inches, abs=1)
    # Nothing reaches over the right side, and the pictures reach close to it.
    drawn = np.flatnonzero((np.asarray(printed.convert("L")) < 250).any(axis=0))
    assert drawn[-1] < printed.width - 1
    assert count < 4 or drawn[-1] > 0.9 * printed.width


def test_further_pictures_continue_below_in_a_figure_of_a_given_width() -> None:
    ((_, four),), ((_, five),) = (read_pages(draw_printed(count, FigureWidth.COLUMN)) for count in (4, 5))
    assert five > 1.8 * four


def test_caption_without_room_is_cut_after_p() -> None:
    panels = (
        Panel("Picture", make_picture(60, 60), "1. a.jpg"),
        Panel("CBAM", make_picture(60, 60), "P = 0.9213, scale 0 to 0.307"),
    )
    contact = ContactPicture("1. a.jpg", "cat", panels)
    svg = draw_contact_sheet(
        [contact] * 4, heading="h", file_format=FigureFormat.SVG, layout=SheetLayout.COLUMNS, width=FigureWidth.COLUMN
    ).decode()
    texts = re.findall(r"<!-- (.*?) -->", svg)
    assert " ".join(texts).count("0.9213") == 4
    assert "scale" not in " ".join(texts)
