"""What every drawn map shares: the picture under it, and the mark of random weights."""

from PIL import Image

from app.analysis.analyses import Analysis
from app.explain.maps import FloatArray
from app.output.picture_format import PictureFormat, encode_picture
from app.render.overlay import Drawing, Render, draw_map, draw_map_bands, draw_values
from app.render.png import encode_png_bands

UNTRAINED_MARK = "untrained"
"""The mark in the corner of every map of a lineup with random weights."""


def find_mark(analysis: Analysis) -> str | None:
    """The mark on an analysis's maps; None for trained networks."""
    return None if analysis.card.trained else UNTRAINED_MARK


def draw_on_picture(analysis: Analysis, values: FloatArray, drawing: Drawing, max_side: int | None) -> Image.Image:
    """Draw values at the picture's size, or with at most `max_side` pixels per side."""
    if drawing.render is Render.VALUES:
        # Values need no picture, so it is not decoded.
        return draw_values(values, drawing.scale)
    return draw_map(analysis.picture(max_side=max_side), values, analysis.placement, drawing)


def encode_on_picture(
    analysis: Analysis, values: FloatArray, drawing: Drawing, max_side: int | None, form: PictureFormat
) -> bytes:
    """`draw_on_picture` as a file; an overlay in PNG is encoded while it is drawn, which saves its memory."""
    if form is PictureFormat.PNG and drawing.render is Render.OVERLAY:
        picture = analysis.picture(max_side=max_side)
        draw_band = draw_map_bands(picture, values, analysis.placement, drawing)
        return encode_png_bands(draw_band, picture.size, "RGB")
    return encode_picture(draw_on_picture(analysis, values, drawing, max_side), form)
