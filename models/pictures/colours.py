"""Any picture's colours as upright 8-bit sRGB, with transparency over white."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from models.pictures.bands import list_bands
from models.pictures.profiles import choose_conversion, choose_lab_conversion
from models.pictures.samples import ValueRange

SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF orientations that swap width and height."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture of each EXIF orientation upright."""


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A picture as its file stores it.

    Attributes:
        image: its pixels, in any of Pillow's modes of 8 bits or less.
        width, height: the stored picture's own size in pixels; `image` may be a smaller copy.
        alpha: opacity where `image` does not hold it; None otherwise.
        profile: its ICC colour profile; None without.
        orientation: as in EXIF, 1 to 8.
        values: the range of values that became black and white; None for 8 bits and less.
        pages: the number of pages in its file, of which it is the first.
    """

    image: Image.Image
    width: int
    height: int
    alpha: Image.Image | None = None
    profile: bytes | None = None
    orientation: int = 1
    values: ValueRange | None = None
    pages: int = 1


def convert_to_rgb(raster: Raster) -> Image.Image:
    """Convert a stored picture's colours to RGB, as it lies; RGB itself is changed in place where it must change."""
    image, alpha = raster.image, raster.alpha
    convert = _choose_conversion(image.mode, raster.profile)
    is_transparent = alpha is not None or image.has_transparency_data
    if image.mode == "RGB" and not is_transparent and convert is None:
        return image
    rgb = image if image.mode == "RGB" else Image.new("RGB", image.size)
    for top, bottom in list_bands(*image.size):
        box = (0, top, image.width, bottom)
        band = image.crop(box)
        opacity = _find_opacity(band, alpha and alpha.crop(box)) if is_transparent else None
        colours = _name_colours(band)
        rgb.paste(_make_rgb(colours if convert is None else convert(colours), opacity), (0, top))
    return rgb


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Turn a picture as its EXIF orientation, 1 to 8, says."""
    return image if orientation == 1 else image.transpose(_TURNS[orientation])


def _choose_conversion(mode: str, profile: bytes | None) -> Callable[[Image.Image], Image.Image] | None:
    """What takes the colours of `_name_colours` to RGB by their meaning; None where Pillow's own conversion does."""
    if mode == "LAB":
        return choose_lab_conversion()
    named = "L" if mode in {"1", "LA", "La"} else mode if mode in {"L", "CMYK", "RGB"} else "RGB"
    return None if profile is None else choose_conversion(named, profile)


def _find_opacity(band: Image.Image, alpha: Image.Image | None) -> Image.Image:
    return band.convert("RGBA").getchannel("A") if alpha is None else alpha


def _make_rgb(colours: Image.Image, opacity: Image.Image | None) -> Image.Image:
    rgb = colours if colours.mode == "RGB" else colours.convert("RGB")
    if opacity is None:
        return rgb
    ground = Image.new("RGB", rgb.size, "white")
    ground.paste(rgb, mask=opacity)
    return ground


def _name_colours(image: Image.Image) -> Image.Image:
    """The colours as one of the modes that profiles are for: grey, RGB, CMYK or L*a*b*."""
    if image.mode in {"1", "LA", "La"}:
        return image.convert("LA").getchannel("L") if image.mode == "La" else image.convert("L")
    if image.mode in {"L", "CMYK", "RGB", "LAB"}:
        return image
    # By way of RGBA where it is transparent: RGB alone would lose colours that are multiplied by the opacity.
    return image.convert("RGBA").convert("RGB") if image.has_transparency_data else image.convert("RGB")
