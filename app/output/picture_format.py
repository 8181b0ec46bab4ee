"""The formats in which a drawn map is sent."""

import io
from enum import StrEnum

from PIL import Image

from app.errors import InvalidOption
from app.render.overlay import Render
from app.render.png import encode_jpeg, encode_png

QUALITY = 90
"""Of WebP and JPEG, 0..100."""

WEBP_EFFORT = 0
"""The least of 0 to 6: at 12 MP three times as fast as Pillow's default, for a file a sixth larger."""

WEBP_SIDE_PIXELS = 16_383
"""The longest side that WebP's header can state."""

DATA = (Render.GRAY, Render.VALUES)
"""Renders whose steps are data, which a lossy format would change."""


class PictureFormat(StrEnum):
    """The formats of a drawn map."""

    PNG = "png"
    """Exact."""
    WEBP = "webp"
    """Lossy colours in a tenth of PNG's bytes; grey steps are kept exactly."""
    JPEG = "jpeg"
    """Lossy, without transparency; the fastest to write."""


MEDIA_TYPES = {form: f"image/{form.value}" for form in PictureFormat}


def check_format(form: PictureFormat, render: Render) -> None:
    """Refuse a lossy format for grey steps; raises `InvalidOption`."""
    if form is PictureFormat.JPEG and render in DATA:
        raise InvalidOption(
            f"format is 'jpeg', which would change the steps of render={render.value}; choose png or webp",
            option="format",
            allowed=[PictureFormat.PNG.value, PictureFormat.WEBP.value],
        )


def encode_picture(picture: Image.Image, form: PictureFormat) -> bytes:
    """Encode a drawn map; raises `InvalidOption` for one too large for WebP.

    In JPEG, what is transparent in the other formats is white.
    """
    match form:
        case PictureFormat.PNG:
            return encode_png(picture)
        case PictureFormat.JPEG:
            return encode_jpeg(_flatten(picture), quality=QUALITY)
        case PictureFormat.WEBP:
            return _encode_webp(picture)


def _flatten(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")


def _encode_webp(picture: Image.Image) -> bytes:
    longest = max(picture.size)
    if longest > WEBP_SIDE_PIXELS:
        raise InvalidOption(
            f"format is 'webp', which has at most {WEBP_SIDE_PIXELS:,} pixels per side, and the map has {longest:,}; "
            "choose png or jpeg",
            option="format",
            allowed=[PictureFormat.PNG.value, PictureFormat.JPEG.value],
        )
    buffer = io.BytesIO()
    is_data = not picture.mode.startswith("RGB")
    picture.save(buffer, format="WEBP", quality=QUALITY, method=WEBP_EFFORT, lossless=is_data)
    return buffer.getvalue()
