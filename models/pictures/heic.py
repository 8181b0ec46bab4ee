"""HEIC and HEIF files, by the pillow-heif package.

libheif turns the picture as its properties say, so that the EXIF orientation, which repeats it, is not applied again.
It refuses coded pictures that are larger than the file declares.
"""

import pillow_heif

from models.pictures.colours import Raster
from models.pictures.limits import check_size

pillow_heif.options.THUMBNAILS = False
pillow_heif.options.DEPTH_IMAGES = False
pillow_heif.options.AUX_IMAGES = False


def read_heic(data: bytes, *, max_pixels: int | None) -> Raster:
    """The primary picture of a HEIC file.

    Args:
        data: the file.
        max_pixels: the largest width times height; None for Pillow's own limit.

    Raises:
        PictureTooLarge: it declares too many pixels.
    """
    file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    picture = file[file.primary_index]
    check_size(*picture.size, max_pixels)
    image = picture.to_pillow()
    profile = picture.info.get("icc_profile")
    return Raster(image, image.width, image.height, profile=profile if isinstance(profile, bytes) else None)
