"""Decoding a picture's bytes to upright RGB pixels.

The format and the size are checked before anything is decoded.
"""

import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from models.pictures.colours import SIDEWAYS, Raster, convert_to_rgb, turn_upright
from models.pictures.deep import check_jpeg, read_deep_jpeg, read_deep_png
from models.pictures.errors import InvalidPicture, PictureError, PictureTooLarge
from models.pictures.fitting import find_ratio
from models.pictures.formats import PictureFormat, find_format, with_article
from models.pictures.heic import read_heic
from models.pictures.jpeg import check_markers, read_jpeg_frame
from models.pictures.limits import check_size, find_pixel_limit
from models.pictures.metadata import Stripped, read_orientation, read_png_bits, strip_jpeg, strip_png
from models.pictures.samples import ValueRange
from models.pictures.tiff import read_tiff
from models.pictures.webp import is_animated, read_webp, read_webp_size

# Pillow warns above its own limit; ours is an error and is checked before decoding.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

# Pillow also warns of faults that it repairs or ignores, such as damaged EXIF.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """A picture, or a smaller copy of it that was cheaper to decode.

    Attributes:
        image: upright RGB.
        width, height: the upright picture's own size in pixels.
        values: the file's values that became black and white, where it has more than 8 bits; None otherwise.
        pages: the number of pages in its file, of which it is the first.
    """

    image: Image.Image
    width: int
    height: int
    values: ValueRange | None = None
    pages: int = 1

    @property
    def is_reduced(self) -> bool:
        """Whether `image` has fewer pixels than the picture."""
        return self.image.size != (self.width, self.height)


@dataclass(frozen=True, slots=True)
class _Need:
    """How large a copy the caller needs; see `decode_reduced`."""

    max_pixels: int | None
    shorter_side: int | None
    round_size: Callable[[float], int]


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

    The first frame or page is decoded, its colour profile is applied and then the EXIF orientation. Transparency is
    laid over white, and values of more than 8 bits are scaled (see `scale_samples`). A JPEG can be decoded at a half, a
    quarter or an eighth of its size, from part of the frequencies of its 8 x 8 blocks, which is faster.

    Args:
        data: the file's bytes.
        max_pixels: the largest width times height; None for Pillow's own limit.
        shorter_side: the shorter side that the caller needs, in pixels; None for the picture's own size.
        round_size: rounds the needed size to whole pixels. A JPEG gives the smallest copy that is large enough.

    Raises:
        InvalidPicture: the bytes are not a picture, or the picture is damaged.
        UnsupportedFormat: the picture's format, or its kind within the format, is not read.
        PictureTooLarge: the header gives too many pixels.
    """
    kind = find_format(data)
    try:
        raster = _read(data, kind, _Need(max_pixels, shorter_side, round_size))
        width, height = raster.width, raster.height
        orientation, values, pages = raster.orientation, raster.values, raster.pages
        image = convert_to_rgb(raster)
        # Its pixels are not needed beside the turned ones.
        del raster
        if orientation in SIDEWAYS:
            width, height = height, width
        return DecodedPicture(turn_upright(image, orientation), width, height, values, pages)
    except Image.DecompressionBombError as error:
        raise _refuse_bomb(max_pixels) from error
    except UnidentifiedImageError as error:
        raise InvalidPicture(f"{with_article(kind)} file with a damaged or truncated header; send it again") from error
    except (PictureError, MemoryError):
        raise
    except Exception as error:
        # On a damaged file, the readers may raise OSError, SyntaxError, struct.error, zlib.error, IndexError and more.
        # In each case the picture cannot be read.
        raise InvalidPicture(
            f"the picture is damaged or truncated ({error}); check that this {kind} file opens elsewhere and send it "
            "again"
        ) from error


def _read(data: bytes, kind: PictureFormat, need: _Need) -> Raster:
    match kind:
        case PictureFormat.TIFF:
            return read_tiff(data, max_pixels=need.max_pixels)
        case PictureFormat.HEIC:
            return read_heic(data, max_pixels=need.max_pixels)
        case PictureFormat.WEBP:
            return _read_webp(data, need)
        case PictureFormat.PNG:
            return _read_png(data, need)
        case PictureFormat.JPEG:
            return _read_jpeg(data, need)
        case _:
            return _read_with_pillow(Stripped(data), kind, need)


def _read_png(data: bytes, need: _Need) -> Raster:
    stripped = strip_png(data)
    if read_png_bits(data) > 8:
        return read_deep_png(stripped, max_pixels=need.max_pixels)
    return _read_with_pillow(stripped, PictureFormat.PNG, need)


def _read_jpeg(data: bytes, need: _Need) -> Raster:
    stripped, frame = strip_jpeg(data), read_jpeg_frame(data)
    check_jpeg(frame)
    check_markers(stripped.data, frame)
    if frame is not None and frame.bits != 8:
        return read_deep_jpeg(stripped, frame, max_pixels=need.max_pixels)
    return _read_with_pillow(stripped, PictureFormat.JPEG, need)


def _read_webp(data: bytes, need: _Need) -> Raster:
    if not is_animated(data):
        return read_webp(data, max_pixels=need.max_pixels)
    # Before Pillow makes room for its canvas.
    check_size(*read_webp_size(data), need.max_pixels)
    return _read_with_pillow(Stripped(data), PictureFormat.WEBP, need)


def _read_with_pillow(stripped: Stripped, kind: PictureFormat, need: _Need) -> Raster:
    with Image.open(io.BytesIO(stripped.data), formats=(kind.upper(),)) as image:
        check_size(image.width, image.height, need.max_pixels)
        width, height = image.size
        if need.shorter_side is not None:
            ratio = find_ratio(width, height, shorter=need.shorter_side)
            image.draft(None, (need.round_size(width * ratio), need.round_size(height * ratio)))
        image.load()
        orientation = read_orientation(stripped.exif or image.info.get("exif"))
        return Raster(
            image, width, height, profile=stripped.profile or image.info.get("icc_profile"), orientation=orientation
        )


def _refuse_bomb(max_pixels: int | None) -> PictureTooLarge:
    # Pillow refuses pictures above twice its own limit; the message gives our limit if there is one.
    return PictureTooLarge(f"the picture has more than {find_pixel_limit(max_pixels):,} pixels; send a smaller one")
