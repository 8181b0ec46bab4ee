"""Drawing of a map over the picture, exactly on the pixels that produced it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from PIL import Image

from app.explain.maps import FloatArray
from app.render.bands import DrawBand, cut_bands
from app.render.colour_scale import ColourScale
from app.render.outline import draw_outline
from app.render.spread import Spread, spread_map
from app.render.writing import write_mark, write_notice
from models.pictures.bands import list_bands
from models.pictures.placement import Placement

Box: TypeAlias = tuple[int, int, int, int]
"""Left, upper, right and lower edge in whole pixels."""

UNSEEN_OPACITY = 0.55
"""The opacity of the grey over the part of the picture that no network saw."""

UNSEEN_COLOUR = (128, 128, 128)

HATCHED_SHARE = 0.25
"""Values below minus this share of a difference's scale are hatched, so that its sign survives without colours."""

HATCHES = 40
"""The number of hatch lines along the longer side of a map."""

NARROWEST_HATCH_PIXELS = 6


class Render(StrEnum):
    """The ways of drawing a map."""

    OVERLAY = "overlay"
    """Colours over the picture."""
    HEATMAP = "heatmap"
    """Colours alone."""
    GRAY = "gray"
    """The scale's 256 steps as grey."""
    VALUES = "values"
    """The same steps with one pixel per position, for drawing the map elsewhere."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The options of drawing a map.

    Attributes:
        render: overlay, colours alone, grey steps or values.
        scale: the colour scale.
        opacity: the opacity of the colours in an overlay, 0..1.
        notice: a sentence to write across the picture, for a map without evidence.
        mark: a word to write into the corner, for maps of untrained networks. Neither is written over grey steps,
            which are data.
        is_difference: whether the values have a sign: negative ones are hatched, the picture below is grey, so that its
            own colours are not taken for the difference's, and larger values cover more of it, see `cover_difference`.
            Grey steps stay as they are.
        threshold: the share of the scale's upper end around which a line is drawn; 0 for none.
    """

    render: Render
    scale: ColourScale
    opacity: float = 0.5
    notice: str | None = None
    mark: str | None = None
    is_difference: bool = False
    threshold: float = 0.0


def draw_map(picture: Image.Image, values: FloatArray, placement: Placement, drawing: Drawing) -> Image.Image:
    """Draw a map at the picture's size, only inside the box that the network saw.

    Args:
        picture: the upright RGB picture, or a smaller copy of it.
        values: the map, (H, W).
        placement: where the network's input lies on the picture.
        drawing: the options of drawing.

    Returns:
        An overlay in RGB, with grey outside the box; or colours in RGB or steps in L, with an alpha channel that is
        transparent outside the box if the picture was cropped; for `Render.VALUES` the steps in L, of the map's own
        size.
    """
    if drawing.render is Render.VALUES:
        return draw_values(values, drawing.scale)
    box = scale_box(placement, picture.size)
    size = (box[2] - box[0], box[3] - box[1])
    if drawing.render is Render.OVERLAY and not drawing.is_difference:
        drawn = _cover_picture(picture, values, box, drawing)
    else:
        spread = spread_map(values, size)
        if drawing.render is Render.GRAY:
            return _paste_on_clear(Image.fromarray(drawing.scale.quantise(spread)), picture.size, box)
        drawn = _draw_spread(picture, spread, box, drawing)
    if drawing.notice is not None:
        write_notice(drawn, drawing.notice)
    if drawing.mark is not None:
        write_mark(drawn, drawing.mark)
    return drawn


def draw_map_bands(picture: Image.Image, values: FloatArray, placement: Placement, drawing: Drawing) -> DrawBand:
    """`draw_map` band by band, so that an overlay of the whole picture is never held as a whole.

    Whatever is drawn across bands is drawn first and then cut.
    """
    box = scale_box(placement, picture.size)
    is_overlay = drawing.render is Render.OVERLAY and not drawing.is_difference
    is_written_over = drawing.notice is not None or drawing.mark is not None or _has_outline(drawing)
    if is_overlay and not is_written_over and box == (0, 0, *picture.size):
        return _cover_bands(picture, values, box, drawing)
    return cut_bands(draw_map(picture, values, placement, drawing))


def _cover_picture(picture: Image.Image, values: FloatArray, box: Box, drawing: Drawing) -> Image.Image:
    """Draw an overlay by bands, which takes half the time of whole pictures: 12 MP do not fit a processor's cache."""
    drawn = _grey_unseen(picture, box)
    left, upper, right, lower = box
    draw_band = _cover_bands(picture, values, box, drawing)
    for first, last in list_bands(right - left, lower - upper):
        drawn.paste(draw_band(first, last), (left, upper + first))
    if _has_outline(drawing):
        seen = drawn.crop(box)
        _outline(seen, spread_map(values, seen.size), drawing)
        drawn.paste(seen, box)
    return drawn


def _cover_bands(picture: Image.Image, values: FloatArray, box: Box, drawing: Drawing) -> DrawBand:
    """The colours over the picture inside the box, by rows of the box."""
    left, upper, right, lower = box
    spread = Spread(values, (right - left, lower - upper))

    def draw_band(first: int, last: int) -> Image.Image:
        below = picture.crop((left, upper + first, right, upper + last))
        return Image.blend(below, drawing.scale.colour(spread.rows(first, last)), drawing.opacity)

    return draw_band


def _draw_spread(picture: Image.Image, spread: FloatArray, box: Box, drawing: Drawing) -> Image.Image:
    """Draw colours alone, or a difference over the picture in grey."""
    colours = drawing.scale.colour(spread)
    if drawing.is_difference:
        colours = hatch_negative(colours, spread, drawing.scale.maximum)
    if drawing.render is not Render.OVERLAY:
        _outline(colours, spread, drawing)
        return _paste_on_clear(colours, picture.size, box)
    picture = picture.convert("L").convert("RGB")
    cover = cover_difference(spread, drawing.scale.maximum, drawing.opacity)
    colours = Image.composite(colours, picture.crop(box), cover)
    _outline(colours, spread, drawing)
    drawn = _grey_unseen(picture, box)
    drawn.paste(colours, box)
    return drawn


def _grey_unseen(picture: Image.Image, box: Box) -> Image.Image:
    """A copy of the picture to draw on, grey outside the box."""
    if box == (0, 0, *picture.size):
        return picture.copy()
    return Image.blend(picture, Image.new("RGB", picture.size, UNSEEN_COLOUR), UNSEEN_OPACITY)


def draw_values(values: FloatArray, scale: ColourScale) -> Image.Image:
    """Draw the scale's steps, with one grey pixel per position."""
    return Image.fromarray(scale.quantise(values))


def hatch_negative(colours: Image.Image, values: FloatArray, limit: float) -> Image.Image:
    """Draw white and black diagonals where a difference is clearly negative.

    Args:
        colours: the difference's colours, RGB.
        values: the difference at the same size, (H, W).
        limit: the upper end of its scale, above 0.
    """
    height, width = values.shape
    distance = max(NARROWEST_HATCH_PIXELS, max(height, width) // HATCHES)
    thickness = max(1, distance // 8)
    along = (np.arange(height)[:, None] + np.arange(width)[None, :]) % distance
    is_negative = values < np.float32(-HATCHED_SHARE * limit)
    pixels = np.array(colours)
    pixels[is_negative & (along < thickness)] = 255
    pixels[is_negative & (along >= thickness) & (along < 2 * thickness)] = 0
    return Image.fromarray(pixels)


def cover_difference(values: FloatArray, limit: float, opacity: float) -> Image.Image:
    """How far a difference's colours cover the picture: o (2 - o) (w + (1 - w) o²), for w = min(1, |value| / limit).

    One opacity for all values would cover the picture with white where there is no difference, and would pale the
    colours where there is one. At the ends of the range this is the same as one opacity: 0 draws no colours, 1 nothing
    but colours.

    Args:
        values: the difference, (H, W).
        limit: the upper end of its scale, above 0.
        opacity: o, 0..1.

    Returns:
        The cover, 0..255, in L.
    """
    weight = np.minimum(np.abs(values) / np.float32(limit), 1)
    cover = opacity * (2 - opacity) * (weight + (1 - weight) * opacity**2)
    return Image.fromarray(np.rint(255 * cover).astype(np.uint8))


def _has_outline(drawing: Drawing) -> bool:
    # Without evidence every position reaches a share of 0.
    return drawing.threshold > 0 and drawing.scale.maximum > 0


def _outline(drawn: Image.Image, spread: FloatArray, drawing: Drawing) -> None:
    if _has_outline(drawing):
        draw_outline(drawn, spread, drawing.threshold * drawing.scale.maximum)


def scale_box(placement: Placement, size: tuple[int, int]) -> Box:
    """The placement's box in whole pixels of a picture of `size`; at least one pixel."""
    width, height = size
    left, upper, right, lower = placement.box
    across, down = width / placement.picture_width, height / placement.picture_height
    first_column = min(round(left * across), width - 1)
    first_row = min(round(upper * down), height - 1)
    return (
        first_column,
        first_row,
        min(width, max(first_column + 1, round(right * across))),
        min(height, max(first_row + 1, round(lower * down))),
    )


def _paste_on_clear(drawn: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    if drawn.size == size:
        return drawn
    with_alpha = drawn.convert("LA" if drawn.mode == "L" else "RGBA")
    canvas = Image.new(with_alpha.mode, size)
    canvas.paste(with_alpha, box)
    return canvas
