"""Bands of a picture's rows: what is done band by band makes no second copy of a large picture."""

from collections.abc import Iterator

BAND_PIXELS = 500_000
"""At most about so many pixels are in a band: 1.5 MB of RGB, which a processor's cache holds from step to step."""


def list_bands(width: int, height: int) -> Iterator[tuple[int, int]]:
    """The bands of rows, from where to where, of nearly the same height.

    Args:
        width: the picture's width in pixels.
        height: its height in pixels.
    """
    count = -(-height // max(1, BAND_PIXELS // width))
    for number in range(count):
        yield number * height // count, (number + 1) * height // count
