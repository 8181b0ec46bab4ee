"""Small JPEGs of pictures that come with the program, or that the operator has."""

from app.render.png import encode_jpeg
from models.pictures.decoding import decode_picture
from models.pictures.fitting import shrink

THUMBNAIL_SIDE_PIXELS = 320


def encode_thumbnail(content: bytes) -> bytes:
    """A picture's file as a JPEG whose longer side has at most 320 pixels; raises `PictureError`."""
    return encode_jpeg(shrink(decode_picture(content, max_pixels=None), THUMBNAIL_SIDE_PIXELS))
