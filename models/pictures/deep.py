"""PNG and JPEG files of more than 8 bits, by the imagecodecs package: Pillow drops bits or refuses them."""

from typing import Any

import imagecodecs
from numpy.typing import NDArray

from models.pictures.colours import Raster
from models.pictures.errors import UnsupportedFormat
from models.pictures.jpeg import JpegFrame
from models.pictures.limits import check_size
from models.pictures.metadata import Stripped, read_orientation
from models.pictures.samples import Samples, scale_samples

_JPEG_PROCESSES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Baseline, extended and progressive, by Huffman's or by arithmetic coding; the others are lossless or hierarchical."""

PNG_BITS = 16


def read_deep_png(stripped: Stripped, *, max_pixels: int | None) -> Raster:
    """A PNG of 16 bits.

    Args:
        stripped: the file.
        max_pixels: the largest width times height; None for Pillow's own limit.

    Raises:
        PictureTooLarge: it declares too many pixels.
    """
    width, height = (int.from_bytes(stripped.data[start : start + 4], "big") for start in (16, 20))
    check_size(width, height, max_pixels)
    return _make_raster(imagecodecs.png_decode(stripped.data), stripped, bits=PNG_BITS)


def read_deep_jpeg(stripped: Stripped, frame: JpegFrame, *, max_pixels: int | None) -> Raster:
    """A JPEG of 12 bits; arguments and errors as for `read_deep_png`."""
    check_size(frame.width, frame.height, max_pixels)
    if frame.components not in {1, 3}:
        raise UnsupportedFormat(f"a {frame.bits}-bit JPEG file of inks is not read; save it with 8 bits")
    return _make_raster(imagecodecs.jpeg8_decode(stripped.data), stripped, bits=frame.bits)


def check_jpeg(frame: JpegFrame | None) -> None:
    """Refuse a JPEG whose coding is not read; raises `UnsupportedFormat`."""
    if frame is not None and frame.process not in _JPEG_PROCESSES:
        raise UnsupportedFormat("a lossless or hierarchical JPEG file is not read; save it as PNG or as a usual JPEG")


def _make_raster(pixels: NDArray[Any], stripped: Stripped, *, bits: int) -> Raster:
    samples = pixels[..., None] if pixels.ndim == 2 else pixels  # (H, W, S)
    has_alpha = samples.shape[2] in {2, 4}
    alpha = samples[:, :, -1] if has_alpha else None
    scaled = scale_samples(Samples(samples[:, :, :-1] if has_alpha else samples, bits, alpha=alpha))
    return Raster(
        scaled.image,
        *scaled.image.size,
        alpha=scaled.alpha,
        profile=stripped.profile,
        orientation=read_orientation(stripped.exif),
        values=scaled.values,
    )
