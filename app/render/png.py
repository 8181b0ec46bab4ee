"""Encoding of pictures as PNG and JPEG."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from isal import isal_zlib
from PIL import Image

from app.render.spread import strip_height

COLOUR_TYPES = {"L": 0, "RGB": 2, "RGBA": 6}
"""The number that PNG has for each of Pillow's modes of 8 bits per channel."""

BESIDE_PIXELS = {"icc_profile", "transparency"}
"""What Pillow knows of a picture and writes beside its pixels."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"

UP = 2
"""The number of the filter that subtracts the row above."""

COMPRESSION_LEVEL = 1

METRES_PER_INCH = 0.0254

COMPRESSION = {"compress_level": 1, "compress_type": zlib.Z_RLE}
"""zlib's settings for speed, which compress only runs: a photograph under a smooth map repeats nothing from afar."""


def encode_png(picture: Image.Image, *, dots_per_inch: float | None = None) -> bytes:
    """Encode a picture as PNG.

    Args:
        picture: in any mode of PNG.
        dots_per_inch: the resolution in print; none by default.
    """
    if picture.mode not in COLOUR_TYPES or picture.info.keys() & BESIDE_PIXELS:
        buffer = io.BytesIO()
        printed = {} if dots_per_inch is None else {"dpi": (dots_per_inch, dots_per_inch)}
        picture.save(buffer, format="PNG", **COMPRESSION, **printed)
        return buffer.getvalue()
    return encode_png_strips([picture], picture.size, picture.mode, dots_per_inch=dots_per_inch)


def encode_png_strips(
    strips: Iterable[Image.Image], size: tuple[int, int], mode: str, *, dots_per_inch: float | None = None
) -> bytes:
    """Encode a picture of which only a strip exists at a time.

    By ISA-L, after the filter that subtracts the row above.

    Args:
        strips: the rows from top to bottom, as pictures of the whole width.
        size: width and height of the whole.
        mode: the strips' mode, one of `COLOUR_TYPES`.
        dots_per_inch: the resolution in print; none by default.
    """
    header = struct.pack(">IIBBBBB", *size, 8, COLOUR_TYPES[mode], 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    if dots_per_inch is not None:
        dots_per_metre = round(dots_per_inch / METRES_PER_INCH)
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", dots_per_metre, dots_per_metre, 1)))
    compressor = isal_zlib.compressobj(COMPRESSION_LEVEL)
    body = b"".join([*map(compressor.compress, _filter_rows(strips)), compressor.flush()])
    return b"".join([SIGNATURE, *chunks, _chunk(b"IDAT", body), _chunk(b"IEND", b"")])


def _filter_rows(strips: Iterable[Image.Image]) -> Iterator[np.ndarray]:
    """Each row minus the one above, behind the filter's number: strips of (h, 1 + W * channels), uint8, modulo 256."""
    above: np.ndarray | int = 0
    for strip in _cut(strips):
        values = np.asarray(strip).reshape(strip.height, -1)
        rows = np.empty((strip.height, 1 + values.shape[1]), np.uint8)
        rows[:, 0] = UP
        np.subtract(values[:1], above, out=rows[:1, 1:])
        np.subtract(values[1:], values[:-1], out=rows[1:, 1:])
        above = values[-1:]
        yield rows


def _cut(strips: Iterable[Image.Image]) -> Iterator[Image.Image]:
    """The same rows in strips that fit a processor's cache."""
    for strip in strips:
        height = strip_height(strip.width)
        if strip.height <= height:
            yield strip
            continue
        for first in range(0, strip.height, height):
            yield strip.crop((0, first, strip.width, min(first + height, strip.height)))


def _chunk(name: bytes, content: bytes) -> bytes:
    check = isal_zlib.crc32(content, isal_zlib.crc32(name))
    return b"".join([struct.pack(">I", len(content)), name, content, struct.pack(">I", check)])


def encode_jpeg(picture: Image.Image, *, quality: int = 88) -> bytes:
    """Encode an RGB picture as JPEG, for the page."""
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()
