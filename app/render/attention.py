"""Gates as pictures, on the absolute scale 0 to 1."""

import numpy as np
from PIL import Image

from app.explain.maps import GateMap
from app.render.colour_scale import ColourScale
from app.render.overlay import Render
from app.render.writing import write_mark

STRIP_HEIGHT_PIXELS = 48
STRIP_WIDTH_PIXELS = 512


def gate_scale(colormap: str) -> ColourScale:
    """The scale of every gate: 0 blocks, 1 passes unchanged."""
    return ColourScale(colormap=colormap, minimum=0.0, maximum=1.0)


def draw_channel_strip(gate: GateMap, *, render: Render, colormap: str, mark: str | None = None) -> Image.Image:
    """Draw a channel gate as a strip, with one column per channel, in the gate's order.

    Args:
        gate: (C,).
        render: colours, grey steps, or one grey pixel per channel; an overlay is not possible and is drawn as
            colours.
        colormap: a matplotlib name.
        mark: a word to write into the corner of colours.

    Returns:
        A picture 48 pixels high and at least 512 wide, with the same whole number of pixels per channel; for
        `Render.VALUES` C x 1 pixels.
    """
    if render is Render.VALUES:
        return Image.fromarray(gate_scale(colormap).quantise(gate.values[None]))
    columns = -(-STRIP_WIDTH_PIXELS // gate.values.size)
    row = np.repeat(gate.values, columns)[None]  # (C,) -> (1, C * columns)
    values = np.repeat(row, STRIP_HEIGHT_PIXELS, axis=0)  # (48, C * columns)
    scale = gate_scale(colormap)
    if render is Render.GRAY:
        return Image.fromarray(scale.quantise(values))
    strip = scale.colour(values)
    if mark is not None:
        write_mark(strip, mark)
    return strip
