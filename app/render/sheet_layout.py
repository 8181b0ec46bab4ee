"""How several pictures lie on one sheet. The command line asks for it before anything is drawn: no matplotlib here."""

from enum import StrEnum


class SheetLayout(StrEnum):
    """How several pictures lie on one sheet."""

    ROWS = "rows"
    """A row per picture: the picture, every network and a difference."""
    COLUMNS = "columns"
    """A column per picture and a row per network: the paper's figure."""
