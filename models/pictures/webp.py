"""WebP files of one picture, by the imagecodecs package: Pillow's decoder is made for animations.

It holds the whole picture four times over. Both packages have the same libwebp inside.
"""

import struct
from collections.abc import Iterator
from itertools import islice

import imagecodecs
import numpy as np
from PIL import Image, UnidentifiedImageError

from models.pictures.bands import list_bands
from models.pictures.colours import Raster
from models.pictures.limits import check_size
from models.pictures.metadata import MAX_PROFILE_BYTES, read_orientation

MOST_CHUNKS = 1_000
"""Metadata is looked for in so many chunks; a picture has about five."""

_EXTENDED, _LOSSY, _LOSSLESS = b"VP8X", b"VP8 ", b"VP8L"
_METADATA = frozenset({b"ICCP", b"EXIF"})
_ANIMATED = 0x02
_FIRST = 12
"""Where the first chunk begins."""


def is_animated(data: bytes) -> bool:
    """Whether a WebP file says that it is an animation (RFC 9649, 2.7)."""
    return data[_FIRST : _FIRST + 4] == _EXTENDED and bool(data[20:21] and data[20] & _ANIMATED)


def read_webp_size(data: bytes) -> tuple[int, int]:
    """Width and height as the header of a WebP file declares them; raises UnidentifiedImageError."""
    kind, content = data[_FIRST : _FIRST + 4], data[_FIRST + 8 : _FIRST + 18]
    if len(content) == 10:
        if kind == _EXTENDED:
            return int.from_bytes(content[4:7], "little") + 1, int.from_bytes(content[7:10], "little") + 1
        if kind == _LOSSY and content[3:6] == b"\x9d\x01\x2a":
            width, height = struct.unpack_from("<HH", content, 6)
            return width & 0x3FFF, height & 0x3FFF
        if kind == _LOSSLESS and content[0] == 0x2F:
            bits = int.from_bytes(content[1:5], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise UnidentifiedImageError("no size")


def read_webp(data: bytes, *, max_pixels: int | None) -> Raster:
    """The picture of a WebP file that is no animation.

    Args:
        data: the file.
        max_pixels: the largest width times height; None for Pillow's own limit.

    Raises:
        PictureTooLarge: it declares too many pixels.
        UnidentifiedImageError: it declares no size.
    """
    width, height = read_webp_size(data)
    check_size(width, height, max_pixels)
    metadata: dict[bytes, bytes] = {}
    for kind, content in islice(_split(data), MOST_CHUNKS):
        metadata.setdefault(kind, content)
    pixels = imagecodecs.webp_decode(data)  # (H, W, 3) or (H, W, 4)
    image = Image.new("RGB" if pixels.shape[2] == 3 else "RGBA", (width, height))
    for top, bottom in list_bands(width, height):
        image.paste(Image.fromarray(np.ascontiguousarray(pixels[top:bottom])), (0, top))
    profile = metadata.get(b"ICCP", b"")[:MAX_PROFILE_BYTES] or None
    return Raster(image, width, height, profile=profile, orientation=read_orientation(metadata.get(b"EXIF")))


def _split(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of an extended file: kind, and content where it is metadata."""
    start = _FIRST
    while data[_FIRST : _FIRST + 4] == _EXTENDED and start + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, start)
        yield kind, data[start + 8 : start + 8 + size] if kind in _METADATA else b""
        start += 8 + size + size % 2
