"""The contact sheet with a column per picture and a row per network, as the paper's figure has them.

Woo et al., ECCV 2018, the Grad-CAM figure: the class above each picture, the networks' names beside their rows, P under
each map. The rows have one height, so that a wide picture has a wide column.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from app.render.contact_picture import ContactPicture
from app.render.figure import FigureFormat
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

ROW_INCHES = 1.5
NARROWEST_INCHES, WIDEST_INCHES = 1.2, 2.6
"""The limits of a column's width: a tall picture has room for its captions, a panorama does not push others away."""

LABEL_INCHES = 1.1
FEWEST_INCHES = 6.0
"""The sheet's width at least, without margins, so that the heading has room."""

HEAD_LINES, TITLE_LINES, CAPTION_LINES, PROBLEM_LINES = 2, 3, 2, 6


@dataclass(frozen=True, slots=True)
class _Column:
    """A picture as a column; `left` and `width` are in inches."""

    picture: ContactPicture
    left: float
    width: float

    @property
    def head(self) -> list[str]:
        """The class, or the name of a picture without one."""
        return _wrap(self.picture.class_name or self.picture.name, self.width / REGULAR_INCHES, HEAD_LINES)


def draw_columns(pictures: Sequence[ContactPicture], *, heading: str, file_format: FigureFormat) -> bytes:
    """Draw all pictures side by side, with one row for the pictures and one for each network.

    Args:
        pictures: each with its panels, the picture's own first.
        heading: the text above all pictures.
        file_format: PNG, SVG or PDF.

    Returns:
        The file's bytes, the same in every run.
    """
    titles = share_titles(pictures)
    columns = _place_columns(pictures, MARGIN_INCHES + (LABEL_INCHES if titles else 0.0))
    width = max([MARGIN_INCHES + FEWEST_INCHES, *(column.left + column.width for column in columns)]) + MARGIN_INCHES
    lines = _wrap(heading, (width - 2 * MARGIN_INCHES) / SMALL_INCHES, 20)
    head_lines = max([1, *(len(column.head) for column in columns)])
    row_count = max([1, *(len(picture.panels) for picture in pictures)])
    above = 0.0 if titles else LINE_INCHES
    row_inches = above + ROW_INCHES + CAPTION_LINES * LINE_INCHES
    height = 2 * MARGIN_INCHES + LINE_INCHES * (len(lines) + head_lines) + GAP_INCHES + row_count * row_inches
    paper = Paper(width, height)
    for line in lines:
        paper.write(line, left=MARGIN_INCHES, size=SMALL)
        paper.skip(LINE_INCHES)
    paper.skip(GAP_INCHES)
    _write_heads(paper, columns, head_lines)
    for row in range(row_count):
        if titles:
            _write_row_title(paper, titles[row])
        _draw_row(paper, columns, row, above=above)
    return paper.save(file_format)


def share_titles(pictures: Sequence[ContactPicture]) -> tuple[str, ...]:
    """Find the rows' titles; empty if the pictures have different ones, or if no picture has panels."""
    titles = {tuple(panel.title for panel in picture.panels) for picture in pictures if picture.panels}
    return titles.pop() if len(titles) == 1 else ()


def _place_columns(pictures: Sequence[ContactPicture], left: float) -> list[_Column]:
    columns = []
    for picture in pictures:
        width = min(WIDEST_INCHES, max(NARROWEST_INCHES, ROW_INCHES / picture.aspect))
        columns.append(_Column(picture, left, width))
        left += width + GAP_INCHES
    return columns


def _write_heads(paper: Paper, columns: Sequence[_Column], line_count: int) -> None:
    """Write each column's class, centred and close to its picture."""
    for column in columns:
        head = column.head
        for line, text in enumerate(head, line_count - len(head)):
            middle = column.left + column.width / 2
            paper.write(text, left=middle, below=line * LINE_INCHES, size=REGULAR, weight="bold", ha="center")
    paper.skip(line_count * LINE_INCHES)


def _write_row_title(paper: Paper, title: str) -> None:
    """Write a network's title at half the height of its row's panels."""
    lines = _wrap(title, LABEL_INCHES / REGULAR_INCHES, TITLE_LINES)
    first = (ROW_INCHES - len(lines) * LINE_INCHES) / 2
    for line, text in enumerate(lines):
        paper.write(text, left=MARGIN_INCHES, below=first + line * LINE_INCHES, size=REGULAR, weight="bold")


def _draw_row(paper: Paper, columns: Sequence[_Column], row: int, *, above: float) -> None:
    """Draw one panel of every column, with titles in the room above the panels if there is any."""
    for column in columns:
        middle = column.left + column.width / 2
        if row < len(column.picture.panels):
            panel = column.picture.panels[row]
            _write_lines(paper, [panel.title] if above else [], middle, below=0.0)
        elif row == 0:
            problem = _wrap(column.picture.problem, column.width / SMALL_INCHES, PROBLEM_LINES)
            _write_lines(paper, problem, middle, below=above)
    paper.skip(above)
    for column in columns:
        for panel in column.picture.panels[row : row + 1]:
            paper.draw(panel.picture, left=column.left, width=column.width, height=ROW_INCHES, anchor="N")
            caption = _wrap(panel.caption, column.width / SMALL_INCHES, CAPTION_LINES)
            _write_lines(paper, caption, column.left + column.width / 2, below=ROW_INCHES + LINE_INCHES / 4)
    paper.skip(ROW_INCHES + CAPTION_LINES * LINE_INCHES)


def _write_lines(paper: Paper, lines: Sequence[str], middle: float, *, below: float) -> None:
    for line, text in enumerate(lines):
        paper.write(text, left=middle, below=below + 0.8 * line * LINE_INCHES, size=SMALL, ha="center")


def _wrap(text: str, characters: float, lines: int) -> list[str]:
    """Wrap a text to at most so many lines of so many characters; dots mark a cut."""
    return textwrap.wrap(text, max(1, int(characters)), max_lines=lines, placeholder=" …")
