"""The contact sheet: several pictures in one figure, each with its networks' maps, as rows or as columns.

As in `app.render.figure`, the maps of a picture share one scale by default, and each caption prints it.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from app.render.contact_columns import draw_columns
from app.render.contact_picture import ContactPicture
from app.render.figure import FigureFormat
from app.render.paper import GAP_INCHES, LINE_INCHES, MARGIN_INCHES, REGULAR, SMALL, Paper
from app.render.sheet_layout import FigureWidth, SheetLayout

PANEL_INCHES = 1.9
FEWEST_COLUMNS = 4
"""The sheet is as wide as four panels at least, so that the heading has room."""

LOWEST_ASPECT, HIGHEST_ASPECT = 0.3, 1.5
"""The limits of a row's height over a panel's width, for panoramas and very tall pictures."""

LINE_CHARACTERS = 100

A4_INCHES = (8.27, 11.69)
NARROW_INCHES = 0.05
"""A caption's width per character: more than most need, so that captions beside each other do not touch."""

UPRIGHT_PANELS = 4
"""The most panels in a row of an upright page; the pages of more are on their sides."""


SHEET_FORMATS = (FigureFormat.PNG, FigureFormat.PDF)
"""The formats in which the page and the archive offer a whole sheet; an SVG file of many photographs is large."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A picture as a row.

    Attributes:
        picture: what is drawn.
        panel_width: the width of each panel in inches.
    """

    picture: ContactPicture
    panel_width: float = PANEL_INCHES

    @property
    def panel_inches(self) -> float:
        """The panels' height in inches."""
        return self.panel_width * min(HIGHEST_ASPECT, max(LOWEST_ASPECT, self.picture.aspect))

    @property
    def lines(self) -> list[str]:
        """The problem's text, wrapped to at most three lines."""
        return textwrap.wrap(self.picture.problem, LINE_CHARACTERS)[:3]

    @property
    def height_inches(self) -> float:
        """The height of the whole row in inches: label, titles, panels and captions, or the problem."""
        has_panels = bool(self.picture.panels)
        inner = 2 * LINE_INCHES + self.panel_inches if has_panels else LINE_INCHES * len(self.lines)
        return 1.3 * LINE_INCHES + inner + 2 * GAP_INCHES


def draw_contact_sheet(
    pictures: Sequence[ContactPicture],
    *,
    heading: str,
    file_format: FigureFormat,
    layout: SheetLayout = SheetLayout.ROWS,
    width: FigureWidth = FigureWidth.NATURAL,
) -> bytes:
    """Draw all pictures in one figure; as rows in PDF, on pages of A4.

    Args:
        pictures: each with its panels.
        heading: the text above all pictures.
        file_format: PNG, SVG or PDF.
        layout: whether a picture is a row or a column.
        width: the width of a figure of columns.

    Returns:
        The file's bytes, the same in every run.
    """
    if layout is SheetLayout.COLUMNS:
        return draw_columns(pictures, heading=heading, file_format=file_format, width=width)
    panels = max([FEWEST_COLUMNS, *(len(picture.panels) for picture in pictures)])
    if file_format is FigureFormat.PDF:
        return Paper.bind(_draw_pages(pictures, panels, heading))
    lines = textwrap.wrap(heading, LINE_CHARACTERS)
    rows = [_Row(picture) for picture in pictures]
    across = panels * PANEL_INCHES + (panels - 1) * GAP_INCHES + 2 * MARGIN_INCHES
    height = 2 * MARGIN_INCHES + LINE_INCHES * len(lines) + GAP_INCHES + sum(row.height_inches for row in rows)
    paper = Paper(across, height)
    _write_heading(paper, lines)
    for row in rows:
        _draw_row(paper, row)
    return paper.save(file_format)


def _draw_pages(pictures: Sequence[ContactPicture], panels: int, heading: str) -> list[Paper]:
    """Draw the rows on pages of A4, with the heading on the first; no row is divided."""
    width, height = A4_INCHES if panels <= UPRIGHT_PANELS else reversed(A4_INCHES)
    panel_width = (width - 2 * MARGIN_INCHES - (panels - 1) * GAP_INCHES) / panels
    lines = textwrap.wrap(heading, LINE_CHARACTERS)
    papers = [Paper(width, height)]
    _write_heading(papers[0], lines)
    room = height - 2 * MARGIN_INCHES - LINE_INCHES * len(lines) - GAP_INCHES
    for picture in pictures:
        row = _Row(picture, panel_width)
        if row.height_inches > room:
            papers.append(Paper(width, height))
            room = height - 2 * MARGIN_INCHES
        _draw_row(papers[-1], row)
        room -= row.height_inches
    return papers


def _write_heading(paper: Paper, lines: Sequence[str]) -> None:
    for line in lines:
        paper.write(line, left=MARGIN_INCHES, size=REGULAR)
        paper.skip(LINE_INCHES)
    paper.skip(GAP_INCHES)


def _draw_row(paper: Paper, row: _Row) -> None:
    paper.skip(GAP_INCHES)
    label = f"{row.picture.name}: {row.picture.class_name}" if row.picture.class_name else row.picture.name
    paper.write(
        textwrap.shorten(label, LINE_CHARACTERS, placeholder=" …"), left=MARGIN_INCHES, size=REGULAR, weight="bold"
    )
    paper.skip(1.3 * LINE_INCHES)
    for line in row.lines:
        paper.write(line, left=MARGIN_INCHES, size=REGULAR)
        paper.skip(LINE_INCHES)
    if row.picture.panels:
        _draw_panels(paper, row)
    paper.skip(GAP_INCHES)


def _draw_panels(paper: Paper, row: _Row) -> None:
    panels, width, height = row.picture.panels, row.panel_width, row.panel_inches
    lefts = [MARGIN_INCHES + column * (width + GAP_INCHES) for column in range(len(panels))]
    for panel, left in zip(panels, lefts, strict=True):
        paper.write(panel.title, left=left, size=SMALL)
    paper.skip(LINE_INCHES)
    for panel, left in zip(panels, lefts, strict=True):
        paper.draw(panel.picture, left=left, width=width, height=height)
    paper.skip(height + LINE_INCHES / 4)
    for panel, left in zip(panels, lefts, strict=True):
        # Narrow panels have their captions in two lines, the second in the room below the row.
        for line, text in enumerate(textwrap.wrap(panel.caption, max(1, int(width / NARROW_INCHES)), max_lines=2)):
            paper.write(text, left=left, below=0.75 * line * LINE_INCHES, size=SMALL)
    paper.skip(3 * LINE_INCHES / 4)
