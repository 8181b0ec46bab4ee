"""Decoding a picture's bytes to upright RGB pixels.

The format and the size are checked before anything is decoded.
"""

import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from models.pictures.colours import convert_to_rgb
from models.pictures.errors import InvalidPicture, PictureError, PictureTooLarge
from models.pictures.fitting import find_ratio
from models.pictures.formats import ALLOWED_FORMATS, explain_unidentified

# Pillow warns above its own limit; ours is an error and is checked before decoding.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

# Pillow also warns of faults that it repairs or ignores, such as damaged EXIF.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF orientations that swap width and height."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """A picture, or a smaller copy of it that was cheaper to decode.

    Attributes:
        image: upright RGB.
        width, height: the upright picture's own size in pixels.
    """

    image: Image.Image
    width: int
    height: int

    @property
    def is_reduced(self) -> bool:
        """Whether `image` has fewer pixels than the picture."""
        return self.image.size != (self.width, self.height)


def decode_picture(data: bytes, *, max_pixels: int | None) -> Image.Image:
    """The upright RGB picture in a file; see `decode_reduced`."""
    return decode_reduced(data, max_pixels=max_pixels, shorter_side=None).image


def decode_reduced(
    data: bytes,
    *,
    max_pixels: int | None,
    shorter_side: int | None,
    round_size: Callable[[float], int] = math.ceil,
) -> DecodedPicture:
    """The upright RGB picture in a file, at its own size or smaller.

    The first frame is decoded and the EXIF orientation applied. Transparency is laid over white, 16-bit, 32-bit and
    floating-point grey is scaled to 8 bits, and CMYK and palettes are converted. A JPEG can be decoded at a half, a
    quarter or an eighth of its size, from part of the frequencies of its 8 x 8 blocks, which is faster.

    Args:
        data: the file's bytes.
        max_pixels: the largest width times height; None for Pillow's own limit.
        shorter_side: the shorter side that the caller needs, in pixels; None for the picture's own size.
        round_size: rounds the needed size to whole pixels. A JPEG gives the smallest copy that is large enough.

    Raises:
        InvalidPicture: the bytes are not a picture, or the picture is damaged.
        UnsupportedFormat: the picture's format is not accepted.
        PictureTooLarge: the header gives too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data), formats=ALLOWED_FORMATS) as image:
            _check_pixels(image, max_pixels)
            width, height = image.size
            if shorter_side is not None:
                ratio = find_ratio(width, height, shorter=shorter_side)
                image.draft(None, (round_size(width * ratio), round_size(height * ratio)))
            image.load()
            if image.getexif().get(ExifTags.Base.Orientation, 1) in SIDEWAYS:
                width, height = height, width
            return DecodedPicture(convert_to_rgb(ImageOps.exif_transpose(image)), width, height)
    except UnidentifiedImageError as error:
        raise explain_unidentified(data) from error
    except Image.DecompressionBombError as error:
        raise _refuse_bomb(max_pixels) from error
    except (PictureError, MemoryError):
        raise
    except Exception as error:
        # On a damaged file, Pillow's readers may raise OSError, SyntaxError, struct.error, zlib.error, IndexError
        # and more. In each case the picture cannot be read.
        raise InvalidPicture(
            f"the picture is damaged or truncated ({error}); check that it opens elsewhere and send it again"
        ) from error


def _check_pixels(image: Image.Image, max_pixels: int | None) -> None:
    pixels = image.width * image.height
    if max_pixels is not None and pixels > max_pixels:
        raise PictureTooLarge(
            f"{image.width} x {image.height} pixels are {pixels / 1e6:.1f} megapixels; the limit is "
            f"{max_pixels / 1e6:g}; send a smaller picture"
        )


def _refuse_bomb(max_pixels: int | None) -> PictureTooLarge:
    # Pillow refuses pictures above twice its own limit; the message gives our limit if there is one.
    limit = max_pixels or 2 * (Image.MAX_IMAGE_PIXELS or 0)
    return PictureTooLarge(f"the picture has more than {limit:,} pixels; send a smaller one")
