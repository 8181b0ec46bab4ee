"""A figure of many panels that is filled from top to bottom, measured in inches; contact sheets are drawn on it."""

from functools import cache
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from PIL import Image

from app.render.figure import FigureFormat, save_figure

GAP_INCHES = 0.12
MARGIN_INCHES = 0.25
LINE_INCHES = 0.19

FONT = "DejaVu Sans"
SMALL, REGULAR = 7.5, 9.0
SMALL_INCHES, REGULAR_INCHES = 0.065, 0.085
"""The average width of a character, rounded up."""


class Paper:
    """A figure that is filled from top to bottom.

    Args:
        width: in inches.
        height: in inches.
    """

    def __init__(self, width: float, height: float) -> None:
        # `Figure` alone: pyplot keeps global state, and figures are drawn on several threads.
        # Places are computed here, because matplotlib's layout engine takes seconds for a hundred axes.
        self._figure = Figure(figsize=(width, height))
        FigureCanvasAgg(self._figure)
        self._width, self._height, self._top = width, height, MARGIN_INCHES

    def skip(self, inches: float) -> None:
        """Leave that much room free."""
        self._top += inches

    def write(self, text: str, *, left: float, size: float, below: float = 0.0, **style: Any) -> None:  # noqa: ANN401  # matplotlib's own
        """Write one line, `below` the current height."""
        self._figure.text(
            left / self._width,
            1 - (self._top + below) / self._height,
            make_printable(text),
            fontsize=size,
            family=FONT,
            va="top",
            parse_math=False,
            **style,
        )

    def draw(self, picture: Image.Image, *, left: float, width: float, height: float, anchor: str = "NW") -> None:
        """Draw a picture, as large as its place allows."""
        bottom = 1 - (self._top + height) / self._height
        place = (left / self._width, bottom, width / self._width, height / self._height)
        axes = self._figure.add_axes(place, anchor=anchor)
        axes.imshow(picture)
        axes.set_axis_off()

    def save(self, file_format: FigureFormat) -> bytes:
        """Write the file, whose bytes are the same in every run."""
        return save_figure(self._figure, file_format)


def make_printable(text: str) -> str:
    """Replace characters that the font does not have by a box; matplotlib would warn of each."""
    known = _list_known_characters()
    return "".join(character if ord(character) in known else "□" for character in text)


@cache
def _list_known_characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())
