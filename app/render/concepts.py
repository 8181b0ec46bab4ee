"""Drawing of concepts over a picture: one colour and one number for each."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.explain.maps import FloatArray
from app.render.overlay import UNSEEN_COLOUR, UNSEEN_OPACITY, scale_box
from app.render.spread import spread_map
from models.pictures.placement import Placement

COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (255, 255, 255),
)
"""Okabe and Ito's colours, which people tell apart who do not see red or green; white is in the place of black."""

NUMBERS_ACROSS = 18
"""A number's height is this part of the picture's shorter side."""

SMALLEST_NUMBER_PIXELS = 12


def draw_concepts(
    picture: Image.Image, places: Sequence[FloatArray], placement: Placement, *, opacity: float
) -> Image.Image:
    """Draw each position in the colour of its strongest concept, only inside the box that the network saw.

    Each concept is scaled by its own maximum first, and its colour is the fainter the less of it there is. Its number
    stands where it is strongest, for people and prints without colours.

    Args:
        picture: the upright RGB picture, or a smaller copy of it.
        places: each concept's map, (H, W), at least 0; at most as many as there are colours.
        placement: where the network's input lies on the picture.
        opacity: of the colours where a concept is strongest, 0..1.

    Returns:
        RGB, of the picture's size, with grey outside the box.
    """
    box = scale_box(placement, picture.size)
    size = (box[2] - box[0], box[3] - box[1])
    spread = np.stack([spread_map(place / (place.max() or 1), size) for place in places])  # (k, H, W)
    colours = np.array(COLOURS, dtype=np.float32)[spread.argmax(axis=0)]  # (H, W, 3)
    cover = opacity * spread.max(axis=0).clip(0, 1)[:, :, None]  # (H, W, 1)
    below = np.asarray(picture.crop(box), dtype=np.float32)
    drawn = Image.blend(picture, Image.new("RGB", picture.size, UNSEEN_COLOUR), UNSEEN_OPACITY)
    drawn.paste(Image.fromarray(np.rint(below * (1 - cover) + colours * cover).astype(np.uint8)), box)
    for number, place in enumerate(places, start=1):
        if place.max() > 0:
            _write_number(drawn, number, _find_peak(place, box))
    return drawn


def _find_peak(place: FloatArray, box: tuple[int, int, int, int]) -> tuple[float, float]:
    """The centre of the highest position, x and y in the drawn picture's pixels."""
    height, width = place.shape
    row, column = divmod(int(place.argmax()), width)
    left, upper, right, lower = box
    return left + (column + 0.5) * (right - left) / width, upper + (row + 0.5) * (lower - upper) / height


def _write_number(drawn: Image.Image, number: int, centre: tuple[float, float]) -> None:
    """Write a number into a dark circle, which is seen on every colour."""
    size = max(SMALLEST_NUMBER_PIXELS, min(drawn.size) // NUMBERS_ACROSS)
    x, y = (min(max(place, size), side - size) for place, side in zip(centre, drawn.size, strict=True))
    brush = ImageDraw.Draw(drawn)
    brush.circle((x, y), 0.8 * size, fill=(0, 0, 0), outline=COLOURS[number - 1], width=max(1, size // 8))
    brush.text((x, y), str(number), fill=(255, 255, 255), font=ImageFont.load_default(size=size), anchor="mm")
