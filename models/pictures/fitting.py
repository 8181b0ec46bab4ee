"""Fitting a picture into a given size, and very small ones to a screen."""

import math

from PIL import Image

TINY_SIDE_PIXELS = 64
"""A picture whose longer side has at most so many is enlarged for a screen: CIFAR's have 32."""

ENLARGED_SIDE_PIXELS = 1024
"""It is enlarged to no more than this."""


def find_ratio(width: int, height: int, *, longer: float = math.inf, shorter: float = math.inf) -> float:
    """The factor by which a picture is shrunk to fit: above 0, and 1 if it fits already.

    Args:
        width: the picture's width in pixels.
        height: its height in pixels.
        longer: the limit of its longer side in pixels.
        shorter: the limit of its shorter side in pixels.
    """
    return min(1.0, longer / max(width, height), shorter / min(width, height))


def fit_size(width: int, height: int, *, longer: float = math.inf, shorter: float = math.inf) -> tuple[int, int]:
    """The size that fits, in whole pixels (at least one), with the same aspect; arguments as for `find_ratio`."""
    ratio = find_ratio(width, height, longer=longer, shorter=shorter)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def shrink(picture: Image.Image, max_side: int) -> Image.Image:
    """Shrink a picture to a longer side of at most `max_side` pixels; a picture that fits is returned itself."""
    size = fit_size(picture.width, picture.height, longer=max_side)
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def screen_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """The size on a screen: as `fit_size`, but a tiny picture becomes as many whole times larger as fit."""
    longer = max(width, height)
    if longer > TINY_SIDE_PIXELS or longer > longest:
        return fit_size(width, height, longer=longest)
    factor = max(1, min(longest, ENLARGED_SIDE_PIXELS) // longer)
    return width * factor, height * factor


def fit_screen(picture: Image.Image, longest: int) -> Image.Image:
    """Bring a picture to its `screen_size`; the pixels of a tiny one stay visible, so that nothing is made up."""
    size = screen_size(picture.width, picture.height, longest)
    if size[0] <= picture.width:
        return shrink(picture, longest)
    return picture.resize(size, Image.Resampling.NEAREST)
