"""Encoding of pictures as PNG and JPEG."""

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

from app.render.bands import DrawBand, cut_bands
from app.render.cores import share_out
from models.pictures.bands import list_bands

COLOUR_TYPES = {"L": 0, "RGB": 2, "RGBA": 6}
"""The number that PNG has for each of Pillow's modes of 8 bits per channel."""

BESIDE_PIXELS = {"icc_profile", "transparency"}
"""What Pillow knows of a picture and writes beside its pixels."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"

NONE, UP = 0, 2
"""The numbers of the filters that change nothing, and that subtract the row above."""

ZLIB_HEADER = b"\x78\x01"
"""Deflate with the fastest compression (RFC 1950)."""

LAST_BLOCK = b"\x03\x00"
"""An empty block of deflate that is marked as the last (RFC 1951)."""

ADLER_BASE = 65_521

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
    return encode_png_bands(cut_bands(picture), picture.size, picture.mode, dots_per_inch=dots_per_inch)


def encode_png_bands(
    draw_band: DrawBand, size: tuple[int, int], mode: str, *, dots_per_inch: float | None = None
) -> bytes:
    """Encode a picture that is drawn band by band, on all cores that are idle.

    By ISA-L, after the filter that subtracts the row above. A band is compressed by itself, which makes a file of
    12 MP 2 % larger.

    Args:
        draw_band: draws the picture's rows.
        size: width and height of the whole.
        mode: the bands' mode, one of `COLOUR_TYPES`.
        dots_per_inch: the resolution in print; none by default.
    """
    header = struct.pack(">IIBBBBB", *size, 8, COLOUR_TYPES[mode], 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    if dots_per_inch is not None:
        dots_per_metre = round(dots_per_inch / METRES_PER_INCH)
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", dots_per_metre, dots_per_metre, 1)))
    bands = share_out(lambda rows: _compress(_filter(draw_band(*rows))), list(list_bands(*size)))
    return b"".join([SIGNATURE, *chunks, _chunk(b"IDAT", _join(bands)), _chunk(b"IEND", b"")])


@dataclass(frozen=True, slots=True)
class CompressedBand:
    """Rows of a PNG file, compressed without regard to those before.

    Attributes:
        content: blocks of deflate, of which none is marked as the last, in whole bytes.
        size_bytes: the rows' size before.
        check: their Adler-32.
    """

    content: bytes
    size_bytes: int
    check: int


def _filter(band: Image.Image) -> NDArray[np.uint8]:
    """Each row but the first minus the one above, behind the filter's number: (h, 1 + W * channels), modulo 256."""
    values = np.asarray(band).reshape(band.height, -1)
    rows = np.empty((band.height, 1 + values.shape[1]), np.uint8)
    rows[0, 0], rows[1:, 0] = NONE, UP
    rows[0, 1:] = values[0]
    np.subtract(values[1:], values[:-1], out=rows[1:, 1:])
    return rows


def _compress(rows: NDArray[np.uint8]) -> CompressedBand:
    compressor = isal_zlib.compressobj(COMPRESSION_LEVEL, wbits=-zlib.MAX_WBITS)
    content = compressor.compress(rows) + compressor.flush(isal_zlib.Z_FULL_FLUSH)
    return CompressedBand(content, rows.size, isal_zlib.adler32(rows))


def _join(bands: Sequence[CompressedBand]) -> bytes:
    """The bands as one stream of zlib (RFC 1950)."""
    low, high = 1, 0
    for band in bands:
        # The two sums that a band has alone begin at 1 and 0.
        low, high = low + band.check % 2**16 - 1, high + (band.check >> 16) + band.size_bytes * (low - 1)
    check = struct.pack(">HH", high % ADLER_BASE, low % ADLER_BASE)
    return b"".join([ZLIB_HEADER, *(band.content for band in bands), LAST_BLOCK, check])


def _chunk(name: bytes, content: bytes) -> bytes:
    check = isal_zlib.crc32(content, isal_zlib.crc32(name))
    return b"".join([struct.pack(">I", len(content)), name, content, struct.pack(">I", check)])


def encode_jpeg(picture: Image.Image, *, quality: int = 88) -> bytes:
    """Encode an RGB picture as JPEG, for the page."""
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()
