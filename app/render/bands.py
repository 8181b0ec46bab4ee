"""A picture that is drawn band by band, see `models.pictures.bands`."""

from collections.abc import Callable
from typing import TypeAlias

from PIL import Image

DrawBand: TypeAlias = Callable[[int, int], Image.Image]
"""Draws the rows from the first number to before the second, in any order and in any thread."""


def cut_bands(picture: Image.Image) -> DrawBand:
    """The bands of a drawn picture."""
    # Several threads would read its file at once.
    picture.load()
    return lambda first, last: picture.crop((0, first, picture.width, last))
