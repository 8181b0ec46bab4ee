"""Colour scales: a colour map with the values at its two ends."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.explain.maps import FloatArray


class Colormap(StrEnum):
    """Colour maps by matplotlib's names; the first four are perceptually uniform or nearly so."""

    VIRIDIS = "viridis"
    MAGMA = "magma"
    CIVIDIS = "cividis"
    TURBO = "turbo"
    JET = "jet"


DIFFERENCE_COLORMAP = "RdBu_r"
"""The colour map of differences: blue below 0, white at 0, red above 0."""


class Scale(StrEnum):
    """The value at the upper end of a heat map's colours."""

    SHARED = "shared"
    """The maximum over all networks, so that the panels can be compared."""
    OWN = "own"
    """Each panel's own maximum."""


class DifferenceScale(StrEnum):
    """The value at the ends of a difference's colours, which are symmetric about 0."""

    OWN = "own"
    """The difference's own largest values, see `limit_difference`."""
    SHARED = "shared"
    """The upper end of the maps' own scale, so that the difference can be compared with the maps."""


DIFFERENCE_QUANTILE = 0.98
OUTLIER_RATIO = 4


def limit_difference(values: FloatArray) -> float:
    """The ends of a difference's own scale: 98 % of its values lie within them.

    One outlier must not blank the rest. But it must not be drawn as if it were like the rest either, so the limit is at
    least a quarter of the largest value.

    Args:
        values: the difference, (H, W).

    Returns:
        A limit above 0, in the values' units; 1 where there is no difference.
    """
    sizes = np.sort(np.abs(values), axis=None)
    common = float(sizes[int(DIFFERENCE_QUANTILE * (sizes.size - 1))])
    return max(common, float(sizes[-1]) / OUTLIER_RATIO) or 1.0


@dataclass(frozen=True, slots=True)
class ColourScale:
    """A linear scale from values to colours.

    Attributes:
        colormap: a matplotlib name.
        minimum: the value of the first colour.
        maximum: the value of the last colour.
    """

    colormap: str
    minimum: float
    maximum: float

    def quantise(self, values: FloatArray) -> NDArray[np.uint8]:
        """Quantise values of any shape to the scale's steps 0..255; values beyond an end get that end's step."""
        span = self.maximum - self.minimum
        if span <= 0:
            return np.zeros(values.shape, dtype=np.uint8)
        scaled = values - np.float32(self.minimum)
        scaled *= np.float32(255 / span)
        np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled)
        steps: NDArray[np.uint8] = scaled.astype(np.uint8)
        return steps

    def colour(self, values: FloatArray) -> Image.Image:
        """Colour values, (H, W), as an RGB picture."""
        indexed = Image.fromarray(self.quantise(values))
        indexed.putpalette(colour_table(self.colormap).tobytes())
        return indexed.convert("RGB")


@cache
def colour_table(colormap: str) -> NDArray[np.uint8]:
    """The 256 colours of a matplotlib colour map, (256, 3) uint8."""
    colours = matplotlib.colormaps[colormap](np.arange(256), bytes=True)[:, :3]
    table: NDArray[np.uint8] = np.ascontiguousarray(colours, dtype=np.uint8)
    return table


def render_colour_bar(colormap: str) -> Image.Image:
    """The colour map from left to right, 256 x 1 RGB."""
    return Image.fromarray(colour_table(colormap)[None])
