"""TIFF files, by the tifffile package, whose codecs give every kind of sample as it is stored.

What the file declares is checked before anything is decoded. tifffile sees a copy that has the needed tags alone.
"""

import io
import logging
import math
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from models.pictures.bands import list_bands
from models.pictures.colours import Raster
from models.pictures.errors import InvalidPicture
from models.pictures.metadata import MAX_PROFILE_BYTES
from models.pictures.samples import Samples, scale_samples
from models.pictures.tiff_directory import Directory, read_directories
from models.pictures.tiff_layout import (
    CHANNELS,
    CIELAB,
    ICCLAB,
    INKS,
    INVERTED,
    JPEG,
    PALETTE,
    YCBCR,
    Layout,
    check_segments,
    read_layout,
    refuse_kind,
)

# It reports faults that it works around, one line each; a file with thousands of them must not fill the log.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

THUMBNAIL_OR_MASK = 0b101
FIRST_PAGES = 16
"""The pages among which the first whole picture is looked for."""

NEEDED = frozenset(
    {256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332, 338, 339, 347}
    | {529, 530, 531, 532, 32997, 32998}
)
"""Tags of size, samples, colours, compression, strips and tiles."""


def read_tiff(data: bytes, *, max_pixels: int | None) -> Raster:
    """The first page of a TIFF file that is a picture and not its thumbnail or mask.

    Args:
        data: the file.
        max_pixels: the largest width times height; None for Pillow's own limit.

    Raises:
        InvalidPicture: the file is damaged.
        PictureTooLarge: it declares too many pixels or bytes.
        UnsupportedFormat: its kind of samples or compression is not read.
    """
    directory, pages = _choose_page(data)
    layout = read_layout(directory, max_pixels)
    check_segments(directory, layout, max_pixels)
    pixels = _decode(directory, layout)
    profile = directory.content(34675)[:MAX_PROFILE_BYTES] or None
    orientation = directory.number(274, 1)
    raster = _convert(pixels, layout, directory)
    return Raster(
        raster.image,
        layout.width,
        layout.height,
        alpha=raster.alpha,
        profile=profile,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        values=raster.values,
        pages=pages,
    )


def _choose_page(data: bytes) -> tuple[Directory, int]:
    directories, pages = read_directories(data, most=FIRST_PAGES)
    first = directories[0]
    is_reduced = bool(first.number(254, 0) & THUMBNAIL_OR_MASK)
    # Digital negatives and cameras' own files keep a thumbnail first and the picture in a directory below.
    if 50706 in first.rows or (is_reduced and 330 in first.rows) or first.number(262, 1) in {32803, 34892}:
        raise refuse_kind("a raw camera file")
    whole = (page for page in directories if not page.number(254, 0) & THUMBNAIL_OR_MASK)
    return next(whole, first), pages


def _decode(directory: Directory, layout: Layout) -> NDArray[Any]:
    """The samples, (H, W, S)."""
    try:
        with tifffile.TiffFile(io.BytesIO(directory.make_file(NEEDED))) as file:
            page = file.pages.first
            pixels = page.asarray(maxworkers=1).reshape(page.shaped)  # (separate S, depth, H, W, contiguous S)
    except NotImplementedError as error:
        raise refuse_kind(f"a TIFF file of a kind that is not read ({error})") from error
    planes = pixels[:, 0]
    return np.moveaxis(planes[..., 0], 0, -1) if layout.samples > 1 and planes.shape[0] > 1 else planes[0]


def _convert(pixels: NDArray[Any], layout: Layout, directory: Directory) -> Raster:
    channels = CHANNELS[layout.photometric]
    colour = pixels[:, :, :channels]
    alpha = None if layout.alpha is None else pixels[:, :, layout.alpha]
    if layout.photometric == PALETTE:
        return _make_raster(_look_up(colour[:, :, 0], layout, directory), layout)
    if layout.photometric in {INKS, CIELAB, ICCLAB} or (
        layout.photometric == YCBCR and directory.number(259, 1) != JPEG
    ):
        opacity = None if alpha is None else scale_samples(Samples(alpha[:, :, None], layout.bits)).image
        return _make_raster(_name_colours(colour, layout), layout, opacity)
    scaled = scale_samples(
        Samples(
            colour,
            layout.bits,
            alpha=alpha,
            is_premultiplied=layout.is_premultiplied,
            is_inverted=layout.photometric == INVERTED,
            nodata=_read_nodata(directory),
        )
    )
    return Raster(scaled.image, layout.width, layout.height, alpha=scaled.alpha, values=scaled.values)


def _make_raster(image: Image.Image, layout: Layout, alpha: Image.Image | None = None) -> Raster:
    return Raster(image, layout.width, layout.height, alpha=alpha)


def _name_colours(colour: NDArray[Any], layout: Layout) -> Image.Image:
    """Inks, L*a*b* and YCbCr, whose numbers have a fixed meaning and are not scaled by the picture's extremes."""
    if colour.dtype.kind == "f" or layout.bits not in {8, 16}:
        raise refuse_kind(f"a TIFF file of colour type {layout.photometric} with {layout.bits}-bit samples")
    mode = {INKS: "CMYK", YCBCR: "YCbCr"}.get(layout.photometric, "LAB")
    image = Image.new(mode, (layout.width, layout.height))
    for top, bottom in list_bands(layout.width, layout.height):
        # The upper byte of 16 bits.
        values = (colour[top:bottom].astype(np.uint16) >> (layout.bits - 8)).astype(np.uint8)
        if layout.photometric == ICCLAB:
            values[:, :, 1:] ^= 0x80  # Pillow takes a* and b* as signed, ICC's have an offset
        image.paste(Image.frombytes(mode, (layout.width, bottom - top), values.tobytes()), (0, top))
    return image


def _look_up(indices: NDArray[Any], layout: Layout, directory: Directory) -> Image.Image:
    """The colours of a palette: all red, all green, all blue, of 16 bits each."""
    palette = directory.read(320)
    entries = palette.size // 3
    if layout.bits > 16 or indices.dtype.kind != "u" or not entries or int(indices.max()) >= entries:
        raise InvalidPicture("a TIFF file whose palette lacks colours; send it again")
    # Some writers give 8 bits.
    scaled = palette if palette.max() < 256 else palette >> 8
    colours = np.ascontiguousarray(scaled[: 3 * entries].reshape(3, entries).T.astype(np.uint8))  # (N, 3)
    image = Image.new("RGB", (layout.width, layout.height))
    for top, bottom in list_bands(layout.width, layout.height):
        image.paste(Image.fromarray(colours[indices[top:bottom]]), (0, top))
    return image


def _read_nodata(directory: Directory) -> float | None:
    """The number in GDAL's tag, which is text."""
    try:
        value = float(directory.content(42113).rstrip(b"\0 ").decode("ascii"))
    except ValueError:  # no number, or no tag at all
        return None
    return None if math.isnan(value) else value
