"""A figure of many panels that is filled from top to bottom, measured in inches; contact sheets are drawn on it."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.image import BboxImage
from matplotlib.transforms import Bbox, TransformedBbox
from PIL import Image

from app.render.figure import DOTS_PER_INCH, FigureFormat, save_figure, save_pages

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
        margin: the room above the first line, in inches.
    """

    def __init__(self, width: float, height: float, *, margin: float = MARGIN_INCHES) -> None:
        # `Figure` alone: pyplot keeps global state, and figures are drawn on several threads.
        # Places are computed here, because matplotlib's layout engine takes seconds for a hundred axes.
        self._figure = Figure(figsize=(width, height))
        FigureCanvasAgg(self._figure)
        # Each picture stays a picture of its own in SVG and PDF, with its own pixels.
        self._figure.suppressComposite = True
        self._width, self._height, self._top = width, height, margin

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
        """Draw a picture at the top of its place, as large as it allows; `anchor` N centres it, NW does not."""
        scale = min(width / picture.width, height / picture.height)
        drawn_width, drawn_height = picture.width * scale, picture.height * scale
        if anchor == "N":
            left += (width - drawn_width) / 2
        place = Bbox.from_bounds(
            left / self._width,
            1 - (self._top + drawn_height) / self._height,
            drawn_width / self._width,
            drawn_height / self._height,
        )
        # Without axes, which take longer to make than the picture takes to draw.
        image = BboxImage(TransformedBbox(place, self._figure.transFigure))
        image.set_data(np.asarray(picture))
        self._figure.add_artist(image)

    def save(self, file_format: FigureFormat, *, dots_per_inch: int = DOTS_PER_INCH) -> bytes:
        """Write the file, whose bytes are the same in every run."""
        return save_figure(self._figure, file_format, dots_per_inch=dots_per_inch)

    @staticmethod
    def bind(papers: "Sequence[Paper]") -> bytes:
        """Write papers as the pages of one PDF file, whose bytes are the same in every run."""
        return save_pages([paper._figure for paper in papers])


def make_printable(text: str) -> str:
    """Replace characters that the font does not have by a box; matplotlib would warn of each."""
    known = _list_known_characters()
    return "".join(character if ord(character) in known else "□" for character in text)


@cache
def _list_known_characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())
