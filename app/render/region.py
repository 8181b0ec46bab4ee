"""Drawing of a map's region: the picture where the map is high, and a dark grey copy of it elsewhere."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from app.explain.maps import FloatArray
from app.render.outline import draw_outline
from app.render.overlay import scale_box
from app.render.spread import spread_map
from models.pictures.placement import Placement

DARKNESS = 0.6
"""The opacity of the black over the grey picture outside the region."""


def draw_region(picture: Image.Image, values: FloatArray, placement: Placement, threshold: float) -> Image.Image:
    """Draw the picture's own colours only where a map is above a share of its maximum, as in the paper's user study.

    Args:
        picture: the upright RGB picture, or a smaller copy of it.
        values: the map, (H, W), with evidence somewhere.
        placement: where the network's input lies on the picture.
        threshold: the share of the map's maximum, 0..1, without 0.

    Returns:
        RGB, of the picture's size, with a line around the region.
    """
    box = scale_box(placement, picture.size)
    spread = spread_map(values, (box[2] - box[0], box[3] - box[1]))
    level = threshold * float(values.max())
    seen = picture.crop(box)
    grey = picture.convert("L").convert("RGB")
    drawn = Image.blend(grey, Image.new("RGB", picture.size), DARKNESS)
    drawn.paste(seen, box, Image.fromarray(np.where(spread >= level, 255, 0).astype(np.uint8)))
    inside = drawn.crop(box)
    draw_outline(inside, spread, level)
    drawn.paste(inside, box)
    return drawn


def measure_turned_evidence(shown: FloatArray, maps: Sequence[FloatArray], threshold: float) -> float:
    """How much evidence any of several maps has where one map's region lies once it is turned by 180 degrees.

    Args:
        shown: the map that is turned, (H, W), with evidence somewhere.
        maps: maps of the same picture and size, each with evidence somewhere.
        threshold: the share of its maximum above which a position belongs to the region.

    Returns:
        The largest of the maps' means over the turned region, as a share of each map's maximum, 0..1.
    """
    turned = (shown >= threshold * shown.max())[::-1, ::-1]
    return max(float(values[turned].mean() / values.max()) for values in maps)
