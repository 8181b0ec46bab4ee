"""Any picture's colours as upright 8-bit sRGB, with transparency over white."""

from dataclasses import dataclass

from PIL import Image

from models.pictures.profiles import convert_lab, convert_to_srgb
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
    """Convert a stored picture to upright RGB."""
    image, alpha = raster.image, raster.alpha
    if alpha is None and image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
    rgb = _convert_colours(image, raster.profile)
    if alpha is not None:
        ground = Image.new("RGB", rgb.size, "white")
        ground.paste(rgb, mask=alpha)
        rgb = ground
    return rgb if raster.orientation == 1 else rgb.transpose(_TURNS[raster.orientation])


def _convert_colours(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LAB":
        return convert_lab(image)
    if image.mode in {"1", "LA", "La"}:
        image = image.convert("LA").getchannel("L") if image.mode == "La" else image.convert("L")
    elif image.mode not in {"L", "CMYK", "RGB"}:
        # By way of RGBA where it is transparent: RGB alone would lose colours that are multiplied by the opacity.
        image = image.convert("RGBA").convert("RGB") if image.has_transparency_data else image.convert("RGB")
    if profile is not None:
        image = convert_to_srgb(image, profile)
    return image if image.mode == "RGB" else image.convert("RGB")
