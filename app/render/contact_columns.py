"""The contact sheet with a column per picture and a row per network, as the paper's figure has them.

Woo et al., ECCV 2018, the Grad-CAM figure: the class above each picture, the networks' names beside their rows, P under
each map. The rows have one height, so that a wide picture has a wide column.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.render.contact_picture import ContactPicture
from app.render.figure import DOTS_PER_INCH, FigureFormat
from app.render.paper import (
    GAP_INCHES,
    LINE_INCHES,
    MARGIN_INCHES,
    REGULAR,
    REGULAR_INCHES,
    SMALL,
    SMALL_INCHES,
    Paper,
)
from app.render.sheet_layout import FIGURE_INCHES, FigureWidth

HEAD_LINES, TITLE_LINES, CAPTION_LINES, PROBLEM_LINES = 2, 3, 2, 6


@dataclass(frozen=True, slots=True)
class _Measures:
    """The sizes of a figure's parts, in inches unless said otherwise.

    Attributes:
        row: the height of a row's panels.
        narrowest, widest: the limits of a column's width: a tall picture has room for its captions, a panorama does
            not push others away.
        label: the room for the rows' titles.
        fewest: the least width without margins, so that the heading has room.
        margin, gap, line: the room around the figure and between columns, and a line's height.
        regular, small: the sizes of heads and titles, and of other text, in points.
    """

    row: float = 1.5
    narrowest: float = 1.2
    widest: float = 2.6
    label: float = 1.1
    fewest: float = 6.0
    margin: float = MARGIN_INCHES
    gap: float = GAP_INCHES
    line: float = LINE_INCHES
    regular: float = REGULAR
    small: float = SMALL

    def count_regular(self, width: float) -> float:
        """The number of regular characters that fit a width."""
        return width / (REGULAR_INCHES * self.regular / REGULAR)

    def count_small(self, width: float) -> float:
        """The number of small characters that fit a width."""
        return width / (SMALL_INCHES * self.small / SMALL)


NATURAL = _Measures()

PRINTED = _Measures(narrowest=0.5, label=0.68, fewest=0.0, margin=0.02, gap=0.06, line=0.125, regular=7.0, small=6.0)
"""For a figure of a given width: text in the size of a journal's captions, no margins, and narrow columns."""

PRINTED_DOTS_PER_INCH = 300

MOST_COLUMNS = {FigureWidth.COLUMN: 4, FigureWidth.PAGE: 8}
"""More pictures continue below, in a further band of rows."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A picture as a column; `left` and `width` are in inches."""

    picture: ContactPicture
    left: float
    width: float

    def write_head(self, measures: _Measures) -> list[str]:
        """The lines of the class, or of the name of a picture without one."""
        return _wrap(self.picture.class_name or self.picture.name, measures.count_regular(self.width), HEAD_LINES)


def draw_columns(
    pictures: Sequence[ContactPicture],
    *,
    heading: str,
    file_format: FigureFormat,
    width: FigureWidth = FigureWidth.NATURAL,
) -> bytes:
    """Draw all pictures side by side, with one row for the pictures and one for each network.

    Args:
        pictures: each with its panels, the picture's own first.
        heading: the text above all pictures.
        file_format: PNG, SVG or PDF.
        width: the width of the file; at a given width, pictures beyond a band's continue below.

    Returns:
        The file's bytes, the same in every run.
    """
    titles = share_titles(pictures)
    measures, bands = _fit(pictures, width, has_labels=bool(titles))
    left = measures.margin + (measures.label if titles else 0.0)
    placed = [_place_columns(band, left, measures) for band in bands]
    inches = FIGURE_INCHES.get(width) or _find_width(placed, measures)
    lines = _wrap(heading, measures.count_small(inches - 2 * measures.margin), 20)
    heights = [_measure_band(columns, measures, has_titles=bool(titles)) for columns in placed]
    paper = Paper(
        inches, 2 * measures.margin + measures.line * len(lines) + measures.gap + sum(heights), margin=measures.margin
    )
    for line in lines:
        paper.write(line, left=measures.margin, size=measures.small)
        paper.skip(measures.line)
    paper.skip(measures.gap)
    for columns in placed:
        _draw_band(paper, columns, titles, measures)
    return paper.save(file_format, dots_per_inch=DOTS_PER_INCH if width not in FIGURE_INCHES else PRINTED_DOTS_PER_INCH)


def _fit(
    pictures: Sequence[ContactPicture], width: FigureWidth, *, has_labels: bool
) -> tuple[_Measures, list[Sequence[ContactPicture]]]:
    """Divide the pictures into bands of nearly as many each, and find the rows' height at which the widest one fits."""
    if width not in FIGURE_INCHES:
        return NATURAL, [pictures]
    count = max(1, math.ceil(len(pictures) / MOST_COLUMNS[width]))
    size = max(1, math.ceil(len(pictures) / count))
    bands = [pictures[start : start + size] for start in range(0, max(1, len(pictures)), size)]
    room = FIGURE_INCHES[width] - 2 * PRINTED.margin - (PRINTED.label if has_labels else 0.0)
    row = min((_find_row(band, room) for band in bands), default=PRINTED.row)
    return replace(PRINTED, row=row, widest=max(PRINTED.narrowest, room / size - PRINTED.gap)), bands


def _find_row(band: Sequence[ContactPicture], room: float) -> float:
    """The height at which these pictures side by side take the room, in inches; at most the usual one."""
    widths = sum(1 / picture.aspect for picture in band)
    return min(PRINTED.row, (room - PRINTED.gap * len(band)) / widths) if widths else PRINTED.row


def _find_width(placed: Sequence[Sequence[_Column]], measures: _Measures) -> float:
    ends = [column.left + column.width for columns in placed for column in columns]
    return max([measures.margin + measures.fewest, *ends]) + measures.margin


def _measure_band(columns: Sequence[_Column], measures: _Measures, *, has_titles: bool) -> float:
    """The height of the pictures' heads and of all rows, in inches."""
    rows = _count_rows(columns)
    above = 0.0 if has_titles else measures.line
    return measures.line * _count_head_lines(columns, measures) + rows * (
        above + measures.row + CAPTION_LINES * measures.line
    )


def _count_rows(columns: Sequence[_Column]) -> int:
    return max([1, *(len(column.picture.panels) for column in columns)])


def _count_head_lines(columns: Sequence[_Column], measures: _Measures) -> int:
    return max([1, *(len(column.write_head(measures)) for column in columns)])


def _draw_band(paper: Paper, columns: Sequence[_Column], titles: Sequence[str], measures: _Measures) -> None:
    _write_heads(paper, columns, measures)
    for row in range(_count_rows(columns)):
        if titles:
            _write_row_title(paper, titles[row], measures)
        _draw_row(paper, columns, row, measures, above=0.0 if titles else measures.line)


def share_titles(pictures: Sequence[ContactPicture]) -> tuple[str, ...]:
    """Find the rows' titles; empty if the pictures have different ones, or if no picture has panels."""
    titles = {tuple(panel.title for panel in picture.panels) for picture in pictures if picture.panels}
    return titles.pop() if len(titles) == 1 else ()


def _place_columns(pictures: Sequence[ContactPicture], left: float, measures: _Measures) -> list[_Column]:
    columns = []
    for picture in pictures:
        width = min(measures.widest, max(measures.narrowest, measures.row / picture.aspect))
        columns.append(_Column(picture, left, width))
        left += width + measures.gap
    return columns


def _write_heads(paper: Paper, columns: Sequence[_Column], measures: _Measures) -> None:
    """Write each column's class, centred and close to its picture."""
    line_count = _count_head_lines(columns, measures)
    for column in columns:
        head = column.write_head(measures)
        for line, text in enumerate(head, line_count - len(head)):
            middle = column.left + column.width / 2
            below = line * measures.line
            paper.write(text, left=middle, below=below, size=measures.regular, weight="bold", ha="center")
    paper.skip(line_count * measures.line)


def _write_row_title(paper: Paper, title: str, measures: _Measures) -> None:
    """Write a network's title at half the height of its row's panels."""
    lines = _wrap(title, measures.count_regular(measures.label), TITLE_LINES)
    first = (measures.row - len(lines) * measures.line) / 2
    for line, text in enumerate(lines):
        below = first + line * measures.line
        paper.write(text, left=measures.margin, below=below, size=measures.regular, weight="bold")


def _draw_row(paper: Paper, columns: Sequence[_Column], row: int, measures: _Measures, *, above: float) -> None:
    """Draw one panel of every column, with titles in the room above the panels if there is any."""
    for column in columns:
        if row < len(column.picture.panels):
            panel = column.picture.panels[row]
            _write_lines(paper, [panel.title] if above else [], column, measures, below=0.0)
        elif row == 0:
            problem = _wrap(column.picture.problem, measures.count_small(column.width), PROBLEM_LINES)
            _write_lines(paper, problem, column, measures, below=above)
    paper.skip(above)
    for column in columns:
        for panel in column.picture.panels[row : row + 1]:
            paper.draw(panel.picture, left=column.left, width=column.width, height=measures.row, anchor="N")
            caption = _shorten(panel.caption, measures.count_small(column.width))
            _write_lines(paper, caption, column, measures, below=measures.row + measures.line / 4)
    paper.skip(measures.row + CAPTION_LINES * measures.line)


def _write_lines(paper: Paper, lines: Sequence[str], column: _Column, measures: _Measures, *, below: float) -> None:
    """Write small lines, centred on a column."""
    for line, text in enumerate(lines):
        place = below + 0.8 * line * measures.line
        paper.write(text, left=column.left + column.width / 2, below=place, size=measures.small, ha="center")


def _shorten(caption: str, characters: float) -> list[str]:
    """Wrap a caption, or its first part alone, which is P, where all of it has no room."""
    lines = textwrap.wrap(caption, max(1, int(characters)))
    if len(lines) <= CAPTION_LINES:
        return lines
    first, _, _ = caption.partition(", ")
    return _wrap(first, characters, CAPTION_LINES)


def _wrap(text: str, characters: float, lines: int) -> list[str]:
    """Wrap a text to at most so many lines of so many characters; dots mark a cut."""
    return textwrap.wrap(text, max(1, int(characters)), max_lines=lines, placeholder=" …")
