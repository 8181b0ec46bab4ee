"""From a picture's file to its pixels: upright, RGB, no larger than is wanted."""

import io

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
"""Pillow's names. Some of its other readers start programs."""

LONGEST_SIDE = 3
"""How many times the stored shorter side a longer one may have; a strip beyond that is stored smaller."""


class UnreadablePicture(Exception):
    """A file is no picture that can be trained on."""


def decode_upright(content: bytes, *, shorter_side: int | None = None) -> Image.Image:
    """The picture in a file: the first frame, EXIF orientation applied, transparency over white, RGB.

    Args:
        content: the file's bytes.
        shorter_side: in pixels, what is enough for the caller: a JPEG's frequencies give a smaller copy for less.

    Raises:
        UnreadablePicture: for bytes that are no picture, a damaged one, or one of more than 8 bits.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if shorter_side is not None:
                ratio = min(1.0, shorter_side / min(image.size))
                image.draft(None, (round(image.width * ratio), round(image.height * ratio)))
            image.load()
            upright = ImageOps.exif_transpose(image)
    except Exception as error:
        # What Pillow's readers raise on a damaged file depends on the byte: OSError, SyntaxError, struct.error,
        # zlib.error and more. Whatever it is, the picture cannot be read.
        raise UnreadablePicture(f"damaged or no picture ({error})") from error
    if upright.mode.startswith(("I", "F")):
        raise UnreadablePicture("gray of more than 8 bits; convert it")
    if upright.has_transparency_data:
        layered = upright.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return upright.convert("RGB")


def shrink(picture: Image.Image, side: int) -> Image.Image:
    """The picture with a shorter side of at most `side` pixels, aspect kept; a smaller one stays as it is."""
    shorter, longer = sorted(picture.size)
    ratio = min(1.0, side / shorter, LONGEST_SIDE * side / longer)
    if ratio == 1:
        return picture
    size = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
    return picture.resize(size, Image.Resampling.BILINEAR)
