"""Interpolation of a map to the picture's pixels."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from app.explain.maps import FloatArray

STRIP_PIXELS = 1 << 19
"""The pixels of a strip of rows: few enough to stay in a processor's cache from step to step of a drawing, and enough
that two threads seldom wait for each other between steps. Three overlays of 12 MP on two cores take 610 ms by strips of
2**16 pixels and 420 ms by these."""


def spread_map(values: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Interpolate a map, (H, W), to `size` = (width, height) pixels.

    Interpolation is bilinear between the centres of positions, so that each position covers its own pixels.
    """
    columns, rows = _weigh_pixels(values, size)
    spread: FloatArray = rows @ (values @ columns.T)
    return spread


def spread_strips(values: FloatArray, size: tuple[int, int]) -> Iterator[tuple[int, FloatArray]]:
    """The same from top to bottom, a strip of rows at a time, each with the number of its first row.

    A strip is overwritten by the next one.
    """
    columns, rows = _weigh_pixels(values, size)
    across = values @ columns.T
    height = strip_height(size[0])
    strip = np.empty((height, size[0]), np.float32)
    for first in range(0, size[1], height):
        weights = rows[first : first + height]
        yield first, np.matmul(weights, across, out=strip[: len(weights)])


def strip_height(width: int) -> int:
    """The rows of a strip of that width in pixels; at least one."""
    return max(1, STRIP_PIXELS // width)


def _weigh_pixels(values: FloatArray, size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Each pixel column's weights of the map's columns, and each pixel row's of its rows."""
    return weigh_positions(values.shape[1], size[0]), weigh_positions(values.shape[0], size[1])


def weigh_positions(positions: int, pixels: int) -> FloatArray:
    """Each pixel's weights of a line's positions, (pixels, positions): those of Pillow's bilinear filter."""
    alone = Image.fromarray(np.eye(positions, dtype=np.float32))
    weights: FloatArray = np.asarray(alone.resize((positions, pixels), Image.Resampling.BILINEAR), dtype=np.float32)
    return weights
