"""Interpolation of a map to the picture's pixels."""

import numpy as np
from PIL import Image

from app.explain.maps import FloatArray


class Spread:
    """A map on a picture's pixels, of which any rows can be had alone: whole, 12 MP are 48 MB.

    Interpolation is bilinear between the centres of positions, so that each position covers its own pixels.

    Args:
        values: the map, (H, W).
        size: the picture's width and height in pixels.
    """

    def __init__(self, values: FloatArray, size: tuple[int, int]) -> None:
        self._across = values @ weigh_positions(values.shape[1], size[0]).T
        self._weights = weigh_positions(values.shape[0], size[1])

    def rows(self, first: int, last: int) -> FloatArray:
        """The rows from `first` to before `last`, (last - first, width)."""
        rows: FloatArray = self._weights[first:last] @ self._across
        return rows


def spread_map(values: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Interpolate a map, (H, W), to `size` = (width, height) pixels; see `Spread`."""
    return Spread(values, size).rows(0, size[1])


def weigh_positions(positions: int, pixels: int) -> FloatArray:
    """Each pixel's weights of a line's positions, (pixels, positions): those of Pillow's bilinear filter."""
    alone = Image.fromarray(np.eye(positions, dtype=np.float32))
    weights: FloatArray = np.asarray(alone.resize((positions, pixels), Image.Resampling.BILINEAR), dtype=np.float32)
    return weights
