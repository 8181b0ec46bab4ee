"""WebP files of one picture, by the imagecodecs package: Pillow's decoder is made for animations.

It holds the whole picture four times over. Both packages have the same libwebp inside.
"""

import io

import imagecodecs
import numpy as np
from PIL import Image

from models.pictures.bands import list_bands
from models.pictures.colours import Raster
from models.pictures.limits import check_size
from models.pictures.metadata import read_orientation

_EXTENDED, _ANIMATED = b"VP8X", 0x02


def is_animated(data: bytes) -> bool:
    """Whether a WebP file says that it is an animation (RFC 9649, 2.7)."""
    return data[12:16] == _EXTENDED and bool(data[20:21] and data[20] & _ANIMATED)


def read_webp(data: bytes, *, max_pixels: int | None) -> Raster:
    """The picture of a WebP file that is no animation.

    Args:
        data: the file.
        max_pixels: the largest width times height; None for Pillow's own limit.

    Raises:
        PictureTooLarge: it declares too many pixels.
    """
    with Image.open(io.BytesIO(data), formats=("WEBP",)) as header:
        width, height = header.size
        check_size(width, height, max_pixels)
        exif, profile = header.info.get("exif"), header.info.get("icc_profile")
    del header  # with Pillow's decoder and its memory
    pixels = imagecodecs.webp_decode(data)  # (H, W, 3) or (H, W, 4)
    image = Image.new("RGB" if pixels.shape[2] == 3 else "RGBA", (width, height))
    for top, bottom in list_bands(width, height):
        image.paste(Image.fromarray(np.ascontiguousarray(pixels[top:bottom])), (0, top))
    return Raster(image, width, height, profile=profile, orientation=read_orientation(exif))
