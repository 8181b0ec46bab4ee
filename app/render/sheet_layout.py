"""How several pictures lie on one sheet. The command line asks for it before anything is drawn: no matplotlib here."""

from enum import StrEnum


class SheetLayout(StrEnum):
    """How several pictures lie on one sheet."""

    ROWS = "rows"
    """A row per picture: the picture, every network and a difference."""
    COLUMNS = "columns"
    """A column per picture and a row per network: the paper's figure."""


class FigureWidth(StrEnum):
    """The width of the paper's figure."""

    NATURAL = "natural"
    """As wide as its pictures need."""
    COLUMN = "column"
    """A column of a page in two columns: 3.25 inches."""
    PAGE = "page"
    """The whole width of such a page: 6.875 inches."""


FIGURE_INCHES = {FigureWidth.COLUMN: 3.25, FigureWidth.PAGE: 6.875}
"""The column and the text of the two-column style of IEEE and CVF, in inches."""
