"""Bands of a picture's rows: what is done band by band makes no second copy of a large picture."""

from collections.abc import Iterator

BAND_PIXELS = 350_000
"""About so many pixels are in a band: 1 MB of RGB."""


def list_bands(width: int, height: int) -> Iterator[tuple[int, int]]:
    """The bands of rows, from where to where.

    Args:
        width: the picture's width in pixels.
        height: its height in pixels.
    """
    step = max(1, BAND_PIXELS // width)
    for top in range(0, height, step):
        yield top, min(height, top + step)
