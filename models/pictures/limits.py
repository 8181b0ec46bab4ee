"""The limits of a picture's size, checked before it is decoded."""

from PIL import Image

from models.pictures.errors import PictureTooLarge

MAX_SIDE = 65_535
"""The longest side in pixels: JPEG's own limit."""

BYTES_PER_PIXEL = 8
"""The most bytes of decoded samples for each pixel of the limit: four samples of 16 bits."""


def check_size(width: int, height: int, max_pixels: int | None) -> None:
    """Refuse a declared size; raises `PictureTooLarge`.

    Args:
        width: in pixels.
        height: in pixels.
        max_pixels: the largest width times height; None for Pillow's own limit.
    """
    pixels = width * height
    limit = find_pixel_limit(max_pixels)
    if pixels > limit:
        raise PictureTooLarge(
            f"{width} x {height} pixels are {pixels / 1e6:.1f} megapixels; the limit is {limit / 1e6:g}; "
            "send a smaller picture"
        )
    if max(width, height) > MAX_SIDE:
        raise PictureTooLarge(
            f"{width} x {height} pixels; the limit of a side is {MAX_SIDE:,} pixels; send a smaller picture"
        )


def find_pixel_limit(max_pixels: int | None) -> int:
    """The limit in pixels: the given one, or the one above which Pillow refuses pictures."""
    return max_pixels if max_pixels is not None else 2 * (Image.MAX_IMAGE_PIXELS or 0)


def find_byte_limit(max_pixels: int | None) -> int:
    """The limit of a picture's decoded samples in bytes."""
    return BYTES_PER_PIXEL * find_pixel_limit(max_pixels)
