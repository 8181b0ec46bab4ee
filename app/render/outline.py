"""The line around where a map reaches a value."""

import numpy as np
from contourpy import LineType, contour_generator
from PIL import Image, ImageDraw

from app.explain.maps import FloatArray

LINE_COLOUR = (255, 255, 255)
HALO_COLOUR = (0, 0, 0)
"""White on black, so that the line is seen over every colour, as on the page."""

LINES_ACROSS = 220
"""The halo's width is this part of the picture's longer side."""

FINEST_PIXELS = 1000
"""On larger maps the line has its corners at every few pixels; a bilinear map needs no more."""


def draw_outline(drawn: Image.Image, values: FloatArray, level: float) -> None:
    """Draw the line into a picture, in place.

    Args:
        drawn: RGB, of the map's size.
        values: the map at this size, (H, W).
        level: the value around which the line runs, in the map's units; the map's border belongs to the line where the
            map reaches the value there.
    """
    step = max(1, max(values.shape) // FINEST_PIXELS)
    rows, columns = (_choose_positions(size, step) for size in values.shape)
    # A border below every value closes the lines at the picture's edge.
    framed = np.pad(values[np.ix_(rows, columns)], 1, constant_values=min(float(values.min()), level) - 1)
    ends = (
        np.concatenate(([-0.5], columns, [values.shape[1] - 0.5])),
        np.concatenate(([-0.5], rows, [values.shape[0] - 0.5])),
    )
    lines = contour_generator(*ends, framed, line_type=LineType.Separate).lines(level)
    halo = max(3, round(max(drawn.size) / LINES_ACROSS))
    brush = ImageDraw.Draw(drawn)
    for colour, width in ((HALO_COLOUR, halo), (LINE_COLOUR, max(1, halo // 2))):
        for line in lines:
            brush.line([(float(x), float(y)) for x, y in np.asarray(line)], fill=colour, width=width, joint="curve")


def _choose_positions(size: int, step: int) -> np.ndarray:
    """Every few positions of a side, and the last one."""
    return np.unique(np.append(np.arange(0, size, step), size - 1))
