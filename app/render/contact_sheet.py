"""The contact sheet: several pictures in one figure, one row each of picture, every network's map and difference.

As in `app.render.figure`, the maps of a row share one scale by default, and each caption prints it.
"""

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from app.render.figure import DOTS_PER_INCH, Panel

PANEL_INCHES = 1.9
GAP_INCHES = 0.12
MARGIN_INCHES = 0.25
LINE_INCHES = 0.19
FEWEST_COLUMNS = 4
"""The width of a sheet on which nothing can be shown, and of that of two networks."""

LOWEST_ASPECT, HIGHEST_ASPECT = 0.3, 1.5
"""The limits of a row's height over a panel's width, for panoramas and very tall pictures."""

LINE_CHARACTERS = 100
FONT = "DejaVu Sans"
SMALL, REGULAR = 7.5, 9.0


class SheetFormat(StrEnum):
    """File formats of the contact sheet."""

    PNG = "png"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One picture.

    Attributes:
        label: the line above the panels.
        panels: picture, every network's map and difference; empty for a picture with a problem.
        problem: the reason why there are no panels.
    """

    label: str
    panels: tuple[Panel, ...] = ()
    problem: str = ""

    @property
    def panel_inches(self) -> float:
        """The panels' height in inches; 0 without panels."""
        if not self.panels:
            return 0.0
        picture = self.panels[0].picture
        return PANEL_INCHES * min(HIGHEST_ASPECT, max(LOWEST_ASPECT, picture.height / picture.width))

    @property
    def lines(self) -> list[str]:
        """The problem's text, wrapped to at most three lines."""
        return textwrap.wrap(self.problem, LINE_CHARACTERS)[:3]

    @property
    def height_inches(self) -> float:
        """The height of the whole row in inches: label, titles, panels and captions, or the problem."""
        inner = 2 * LINE_INCHES + self.panel_inches if self.panels else LINE_INCHES * len(self.lines)
        return 1.3 * LINE_INCHES + inner + 2 * GAP_INCHES


class _Paper:
    """A figure that is filled from top to bottom, measured in inches."""

    def __init__(self, width: float, height: float) -> None:
        # `Figure` alone: pyplot keeps global state, and figures are drawn on several threads.
        self.figure = Figure(figsize=(width, height))
        FigureCanvasAgg(self.figure)
        self._width, self._height, self._top = width, height, MARGIN_INCHES

    def skip(self, inches: float) -> None:
        self._top += inches

    def write(self, text: str, *, left: float, size: float, **style: Any) -> None:  # noqa: ANN401  # matplotlib's own
        """Write one line at the current height."""
        self.figure.text(
            left / self._width,
            1 - self._top / self._height,
            make_printable(text),
            fontsize=size,
            family=FONT,
            va="top",
            parse_math=False,
            **style,
        )

    def draw(self, panel: Panel, *, left: float, height: float) -> None:
        """Draw a panel's picture, as large as its place allows."""
        bottom = 1 - (self._top + height) / self._height
        axes = self.figure.add_axes(
            (left / self._width, bottom, PANEL_INCHES / self._width, height / self._height), anchor="NW"
        )
        axes.imshow(panel.picture)
        axes.set_axis_off()


def draw_contact_sheet(rows: Sequence[ContactRow], *, heading: str, file_format: SheetFormat) -> bytes:
    """Draw all rows, one under the other.

    Args:
        rows: the pictures.
        heading: the text above all rows.
        file_format: PNG or PDF.

    Returns:
        The file's bytes, the same in every run.
    """
    lines = textwrap.wrap(heading, LINE_CHARACTERS)
    columns = max([FEWEST_COLUMNS, *(len(row.panels) for row in rows)])
    width = columns * PANEL_INCHES + (columns - 1) * GAP_INCHES + 2 * MARGIN_INCHES
    height = 2 * MARGIN_INCHES + LINE_INCHES * len(lines) + GAP_INCHES + sum(row.height_inches for row in rows)
    # Places are computed here, because matplotlib's layout engine takes seconds for a hundred axes.
    paper = _Paper(width, height)
    for line in lines:
        paper.write(line, left=MARGIN_INCHES, size=REGULAR)
        paper.skip(LINE_INCHES)
    paper.skip(GAP_INCHES)
    for row in rows:
        _draw_row(paper, row)
    buffer = io.BytesIO()
    metadata = {"CreationDate": None} if file_format is SheetFormat.PDF else None
    paper.figure.savefig(buffer, format=file_format.value, dpi=DOTS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def _draw_row(paper: _Paper, row: ContactRow) -> None:
    paper.skip(GAP_INCHES)
    paper.write(
        textwrap.shorten(row.label, LINE_CHARACTERS, placeholder=" …"),
        left=MARGIN_INCHES,
        size=REGULAR,
        weight="bold",
    )
    paper.skip(1.3 * LINE_INCHES)
    for line in row.lines:
        paper.write(line, left=MARGIN_INCHES, size=REGULAR)
        paper.skip(LINE_INCHES)
    lefts = [MARGIN_INCHES + column * (PANEL_INCHES + GAP_INCHES) for column in range(len(row.panels))]
    if row.panels:
        for panel, left in zip(row.panels, lefts, strict=True):
            paper.write(panel.title, left=left, size=SMALL)
        paper.skip(LINE_INCHES)
        for panel, left in zip(row.panels, lefts, strict=True):
            paper.draw(panel, left=left, height=row.panel_inches)
        paper.skip(row.panel_inches + LINE_INCHES / 4)
        for panel, left in zip(row.panels, lefts, strict=True):
            paper.write(panel.caption, left=left, size=SMALL)
        paper.skip(3 * LINE_INCHES / 4)
    paper.skip(GAP_INCHES)


def make_printable(text: str) -> str:
    """Replace characters that the font does not have by a box; matplotlib would warn of each."""
    known = _list_known_characters()
    return "".join(character if ord(character) in known else "□" for character in text)


@cache
def _list_known_characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())
