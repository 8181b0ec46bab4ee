"""How large a picture becomes that has to fit."""

import math

from PIL import Image


def find_ratio(width: int, height: int, *, longer: float = math.inf, shorter: float = math.inf) -> float:
    """By how much a picture is made smaller to fit: over 0, and 1 where it fits already.

    Args:
        width: the picture's width in pixels.
        height: its height in pixels.
        longer: the most that its longer side may have, in pixels.
        shorter: the most that its shorter side may have.
    """
    return min(1.0, longer / max(width, height), shorter / min(width, height))


def fit_size(width: int, height: int, *, longer: float = math.inf, shorter: float = math.inf) -> tuple[int, int]:
    """The size that fits, aspect kept, in whole pixels: at least one. The arguments are those of `find_ratio`."""
    ratio = find_ratio(width, height, longer=longer, shorter=shorter)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def shrink(picture: Image.Image, max_side: int) -> Image.Image:
    """The picture with its longer side at most `max_side` pixels, or itself where it fits."""
    size = fit_size(picture.width, picture.height, longer=max_side)
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
