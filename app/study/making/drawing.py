"""A study's images: one network's map over a picture, without a name and without P."""

import io

import numpy as np
from PIL import Image

from app.analysis.comparison import Comparison
from app.explain.maps import FloatArray
from app.output.drawing import draw_on_picture, find_mark
from app.render.colour_scale import Colormap, ColourScale
from app.render.overlay import Drawing, Render
from app.render.region import draw_region
from app.study.drafts import DraftImage
from models.names import NetworkName

LONGER_SIDE_PIXELS = 720

QUALITY = 85


def draw_side(comparison: Comparison, name: NetworkName, threshold: float, *, is_turned: bool = False) -> Image.Image:
    """Draw one side of a question.

    Args:
        comparison: the picture's maps.
        name: the network.
        threshold: the share of the map's maximum above which its region is shown; 0 for the whole map in colours, on
            its own scale, because a shared one would tell the networks apart.
        is_turned: whether the map is turned by 180 degrees.
    """
    analysis = comparison.analysis
    values = comparison.heat_maps[name].values
    if is_turned:
        values = turn(values)
    if threshold > 0:
        return draw_region(analysis.picture(max_side=LONGER_SIDE_PIXELS), values, analysis.placement, threshold)
    scale = ColourScale(Colormap.VIRIDIS.value, 0.0, float(values.max()))
    drawing = Drawing(Render.OVERLAY, scale, mark=find_mark(analysis))
    return draw_on_picture(analysis, values, drawing, LONGER_SIDE_PIXELS)


def turn(values: FloatArray) -> FloatArray:
    """A map turned by 180 degrees, (H, W)."""
    return np.ascontiguousarray(values[::-1, ::-1])


def encode(drawn: Image.Image) -> DraftImage:
    """Encode an image for phones."""
    buffer = io.BytesIO()
    drawn.save(buffer, "WEBP", quality=QUALITY)
    return DraftImage(buffer.getvalue(), "image/webp")
