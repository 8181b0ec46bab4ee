"""From uploaded bytes to a network's input.

Nothing is decoded before its format and its size are known to be allowed.
"""

import io
import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from app.errors import InvalidPicture, LensError, PictureTooLarge, UnsupportedFormat
from app.explain.maps import FloatArray
from app.explain.placement import Placement
from models.lineups.card import Preprocessing

ALLOWED_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
"""Pillow's names; its JPEG reader also takes MPO, a JPEG with a second picture inside that phones write."""

# Pillow warns from a bound of its own on; ours is an error and is checked before decoding.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

# It warns of what it mends or does without too: of damaged EXIF, for example.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

FORMAT_SENTENCE = "send JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF"

SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF orientations that exchange width and height."""

OTHER_SIGNATURES = {b"<svg": "SVG", b"\xff\x0a": "JPEG XL", b"\x00\x00\x00\x0cJXL ": "JPEG XL", b"8BPS": "PSD"}
"""Pictures that Pillow does not know by their first bytes."""


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


def decode_picture(data: bytes, *, max_pixels: int) -> Image.Image:
    """The upright RGB picture in an upload; see `decode_reduced`."""
    return decode_reduced(data, max_pixels=max_pixels, shorter_side=None).image


def decode_reduced(data: bytes, *, max_pixels: int, shorter_side: int | None) -> DecodedPicture:
    """The upright RGB picture in an upload, at its own size or smaller.

    The first frame; EXIF orientation applied; transparency over white; 16-bit, 32-bit and floating-point gray scaled
    to 8 bits; CMYK and palettes converted. A JPEG holds its picture as frequencies of 8 x 8 blocks, and half, a
    quarter or an eighth of them gives a smaller copy for less than a decoding of the whole.

    Args:
        data: the file's bytes.
        max_pixels: width times height that may be decoded.
        shorter_side: in pixels, what is enough for the caller; None for the picture's own size.

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
                ratio = min(1.0, shorter_side / min(width, height))
                image.draft(None, (math.ceil(width * ratio), math.ceil(height * ratio)))
            image.load()
            if image.getexif().get(ExifTags.Base.Orientation, 1) in SIDEWAYS:
                width, height = height, width
            return DecodedPicture(_to_rgb(ImageOps.exif_transpose(image)), width, height)
    except UnidentifiedImageError as error:
        raise _explain_unidentified(data) from error
    except Image.DecompressionBombError as error:
        raise PictureTooLarge(f"the picture has more than {max_pixels:,} pixels; send a smaller one") from error
    except (LensError, MemoryError):
        raise
    except Exception as error:
        # What Pillow's readers raise on a damaged file depends on the byte: OSError, SyntaxError, struct.error,
        # zlib.error, IndexError and more. Whatever it is, the picture cannot be read.
        raise InvalidPicture(
            f"the picture is damaged or truncated ({error}); check that it opens elsewhere and send it again"
        ) from error


def prepare_input(picture: Image.Image, placement: Placement, preprocessing: Preprocessing) -> FloatArray:
    """The normalised input of a network.

    Args:
        picture: upright RGB; it may be a smaller copy of the picture that `placement` speaks of.
        placement: from `place` for this picture.
        preprocessing: mean and standard deviation per channel, for values in 0..1.

    Returns:
        (3, H, W) float32.
    """
    size = (placement.input_width, placement.input_height)
    across, down = picture.width / placement.picture_width, picture.height / placement.picture_height
    left, upper, right, lower = placement.box
    box = (left * across, upper * down, min(picture.width, right * across), min(picture.height, lower * down))
    resized = picture.resize(size, Image.Resampling.BILINEAR, box=box)
    values = np.asarray(resized, dtype=np.float32) / np.float32(255)  # (H, W, 3)
    mean = np.asarray(preprocessing.mean, dtype=np.float32)
    deviation = np.asarray(preprocessing.standard_deviation, dtype=np.float32)
    return np.ascontiguousarray(((values - mean) / deviation).transpose(2, 0, 1))  # (3, H, W)


def _check_pixels(image: Image.Image, max_pixels: int) -> None:
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise PictureTooLarge(
            f"{image.width} x {image.height} are {pixels / 1e6:.1f} megapixels; the limit is "
            f"{max_pixels / 1e6:g}; send a smaller picture"
        )


def _explain_unidentified(data: bytes) -> InvalidPicture | UnsupportedFormat:
    """Tell a picture in another format from what is no picture or is broken in its header."""
    kind = _sniff(data)
    if kind is None:
        return InvalidPicture(f"{len(data):,} bytes that are not a picture; {FORMAT_SENTENCE}")
    if kind in ALLOWED_FORMATS:
        return InvalidPicture(f"a {kind} file whose header is damaged or cut off; send it again")
    return UnsupportedFormat(f"a {kind} file; {FORMAT_SENTENCE}")


def _sniff(data: bytes) -> str | None:
    # Padded: some of Pillow's checks read past the end of a shorter one.
    prefix = data[:16].ljust(16, b"\x00")
    Image.init()
    for kind, (_, accepts) in Image.OPEN.items():
        if accepts is not None and accepts(prefix) is True:
            return kind
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        return "HEIC"
    head = data[:1024].lstrip().lower()
    if head.startswith(b"<?xml") and b"<svg" in head:
        return "SVG"
    return next((kind for start, kind in OTHER_SIGNATURES.items() if head.startswith(start.lower())), None)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I", "F"):
        image = _gray_to_8_bit(image)
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        ground = Image.new("RGB", layered.size, "white")
        ground.paste(layered, mask=layered.getchannel("A"))
        return ground
    return image.convert("RGB")


def _gray_to_8_bit(image: Image.Image) -> Image.Image:
    """Gray of more than 8 bits: 16 bits by their full range, anything else between its own extremes."""
    values: NDArray[np.float32] = np.nan_to_num(np.asarray(image, dtype=np.float32))
    is_16_bit = image.mode.startswith("I;16") or (image.mode == "I" and 0 <= values.min() <= values.max() <= 65535)
    low, high = (0.0, 65535.0) if is_16_bit else (float(values.min()), float(values.max()))
    span = high - low if high > low else 1.0
    scaled = np.round((values - low) * (255.0 / span)).clip(0, 255)
    return Image.fromarray(scaled.astype(np.uint8))
