"""From a picture's bytes to its pixels: upright, RGB.

Nothing is decoded before its format and its size are known to be allowed.
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

# Pillow warns from a bound of its own on; ours is an error and is checked before decoding.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

# It warns of what it mends or does without too: of damaged EXIF, for example.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF orientations that exchange width and height."""


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

    The first frame; EXIF orientation applied; transparency over white; 16-bit, 32-bit and floating-point gray scaled
    to 8 bits; CMYK and palettes converted. A JPEG holds its picture as frequencies of 8 x 8 blocks, and half, a
    quarter or an eighth of them gives a smaller copy for less than a decoding of the whole.

    Args:
        data: the file's bytes.
        max_pixels: width times height that may be decoded; None for as many as Pillow takes.
        shorter_side: in pixels, what is enough for the caller; None for the picture's own size.
        round_size: makes whole pixels of the size that is enough. A JPEG gives the smallest copy that has them.

    Raises:
        InvalidPicture: for bytes that are no picture or a truncated one.
        UnsupportedFormat: for a picture in another format.
        PictureTooLarge: for too many pixels; known from the header, before decoding.
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
        # What Pillow's readers raise on a damaged file depends on the byte: OSError, SyntaxError, struct.error,
        # zlib.error, IndexError and more. Whatever it is, the picture cannot be read.
        raise InvalidPicture(
            f"the picture is damaged or truncated ({error}); check that it opens elsewhere and send it again"
        ) from error


def _check_pixels(image: Image.Image, max_pixels: int | None) -> None:
    pixels = image.width * image.height
    if max_pixels is not None and pixels > max_pixels:
        raise PictureTooLarge(
            f"{image.width} x {image.height} are {pixels / 1e6:.1f} megapixels; the limit is "
            f"{max_pixels / 1e6:g}; send a smaller picture"
        )


def _refuse_bomb(max_pixels: int | None) -> PictureTooLarge:
    # Pillow refuses twice its own bound; ours may be higher than that, and then its refusal speaks of ours.
    limit = max_pixels or 2 * (Image.MAX_IMAGE_PIXELS or 0)
    return PictureTooLarge(f"the picture has more than {limit:,} pixels; send a smaller one")
