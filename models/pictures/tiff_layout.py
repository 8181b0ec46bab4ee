"""What a page of a TIFF file declares, checked before anything is decoded."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from models.pictures.errors import InvalidPicture, PictureTooLarge, UnsupportedFormat
from models.pictures.jpeg import check_markers, read_jpeg_frame
from models.pictures.limits import check_size, find_byte_limit
from models.pictures.tiff_directory import Directory

MOST_SEGMENTS = 500_000

COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000})
"""None, CCITT, LZW, JPEG, Deflate, PackBits, LZMA, Zstandard: those that cannot grow beyond what is declared."""

JPEG = 7

INVERTED, GREY, RGB, PALETTE, MASK, INKS, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 4, 5, 6, 8, 9

CHANNELS = {INVERTED: 1, GREY: 1, RGB: 3, PALETTE: 1, MASK: 1, INKS: 4, YCBCR: 3, CIELAB: 3, ICCLAB: 3}

FLOAT = 3


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What a page declares about its samples.

    Attributes:
        width, height: in pixels.
        bits: the bits of a sample.
        kind: unsigned (1), signed (2) or floating point (3).
        photometric: what the samples mean.
        samples: the number of samples of a pixel.
        alpha: the sample that is opacity; None without one.
        is_premultiplied: whether colours are multiplied by it.
    """

    width: int
    height: int
    bits: int
    kind: int
    photometric: int
    samples: int
    alpha: int | None
    is_premultiplied: bool


def read_layout(directory: Directory, max_pixels: int | None) -> Layout:
    """Read the size and the samples of a page.

    Args:
        directory: the page's tags.
        max_pixels: the largest width times height; None for Pillow's own limit.

    Raises:
        InvalidPicture: the tags contradict each other.
        PictureTooLarge: it declares too many pixels.
        UnsupportedFormat: its kind of samples is not read.
    """
    width, height = directory.number(256, 0), directory.number(257, 0)
    if width < 1 or height < 1:
        raise InvalidPicture("a TIFF file without a size; check that it opens elsewhere and send it again")
    check_size(width, height, max_pixels)
    samples = directory.number(277, 1)
    bits = directory.numbers(258) or [1]
    kinds = directory.numbers(339) or [1]
    photometric = directory.number(262, GREY)
    if len(set(bits)) > 1 or len(set(kinds)) > 1:
        raise refuse_kind("a TIFF file whose samples have different types")
    kind = 1 if kinds[0] == 4 else kinds[0]
    is_known = bits[0] in {16, 24, 32, 64} if kind == FLOAT else bits[0] in {*range(1, 17), 24, 32, 64}
    if kind not in {1, 2, FLOAT} or not is_known:
        raise refuse_kind(f"a TIFF file of {bits[0]}-bit samples of type {kind}")
    if photometric not in CHANNELS or directory.number(332, 1) != 1 or directory.number(32997, 1) != 1:
        raise refuse_kind(f"a TIFF file of colour type {photometric}")
    alpha, is_premultiplied = _find_alpha(directory, photometric, samples)
    return Layout(width, height, bits[0], kind, photometric, samples, alpha, is_premultiplied)


def _find_alpha(directory: Directory, photometric: int, samples: int) -> tuple[int | None, bool]:
    channels = CHANNELS[photometric]
    if samples < channels or samples > 64:
        raise InvalidPicture(f"a TIFF file of colour type {photometric} with {samples} samples; send it again")
    extra = directory.numbers(338)
    if not extra and photometric == RGB and samples == 4:
        return 3, False  # some writers leave the tag out
    for place, meaning in enumerate(extra[: samples - channels]):
        if meaning in {1, 2}:
            return channels + place, meaning == 1
    if channels == 1 and samples > 2:
        raise refuse_kind(f"a TIFF file of {samples} bands that does not say which are red, green and blue")
    return None, False


def check_segments(directory: Directory, layout: Layout, max_pixels: int | None) -> None:
    """Refuse strips and tiles that are missing, outside the file, or larger than the picture needs."""
    compression = directory.number(259, 1)
    if compression not in COMPRESSIONS:
        raise refuse_kind(f"a TIFF file with compression {_name_compression(compression)}")
    is_tiled = 322 in directory.rows
    if is_tiled:
        across, down = directory.number(322, 0), directory.number(323, 0)
    else:
        across, down = layout.width, min(directory.number(278, layout.height), layout.height)
    if across < 1 or down < 1:
        raise InvalidPicture("a TIFF file whose tiles have no size; send it again")
    planes = layout.samples if directory.number(284, 1) == 2 else 1
    size = max(1, layout.bits // 8)
    limit = find_byte_limit(max_pixels)
    needed = layout.width * layout.height * layout.samples * size
    most = max(needed, across * down * layout.samples * size)
    if most > limit:
        raise PictureTooLarge(
            f"{layout.width} x {layout.height} pixels of {layout.samples} x {layout.bits} bits need {most / 1e6:,.0f} "
            f"MB; the limit is {limit / 1e6:,.0f}; save it with 8 bits, or send a smaller picture"
        )
    count = math.ceil(layout.width / across) * math.ceil(layout.height / down) * planes
    if count > MOST_SEGMENTS:
        raise PictureTooLarge(
            f"a TIFF file of {count:,} parts; the limit is {MOST_SEGMENTS:,}; save it with larger ones"
        )
    offsets, sizes = (directory.read(code) for code in ((324, 325) if is_tiled else (273, 279)))
    if not sizes.size and compression == 1:
        sizes = np.full(offsets.size, math.ceil(needed / count), dtype=np.uint64)
    _check_places(offsets, sizes, count, len(directory.data))
    if compression == JPEG:
        _check_frames(directory.data, offsets, sizes, across, down)


def _check_places(offsets: NDArray[Any], sizes: NDArray[Any], count: int, length: int) -> None:
    if offsets.size < count or sizes.size < count:
        raise InvalidPicture("a TIFF file that does not say where its pixels are; send it again")
    ends = offsets[:count].astype(np.float64) + sizes[:count].astype(np.float64)
    if ends.max() > length:
        raise InvalidPicture(
            f"a damaged or truncated TIFF file: it has {length:,} bytes and its pixels end at {ends.max():,.0f}; "
            "check that it opens elsewhere and send it again"
        )


def _check_frames(data: bytes, offsets: NDArray[Any], sizes: NDArray[Any], across: int, down: int) -> None:
    """Refuse a JPEG inside that is larger than its strip or tile, or has too many markers."""
    for offset, size in zip(offsets.tolist(), sizes.tolist(), strict=False):
        frame = read_jpeg_frame(data[offset : offset + min(size, 65_536)])
        if size and (frame is None or frame.width > across + 16 or frame.height > down + 16):
            raise InvalidPicture("a TIFF file whose JPEG parts are not of its own size; send it again")
        check_markers(data[offset : offset + size], frame)


def _name_compression(number: int) -> str:
    known = {int(entry): entry.name for entry in tifffile.COMPRESSION}
    return known.get(number, str(number))


def refuse_kind(kind: str) -> UnsupportedFormat:
    """The error for a kind of TIFF file that is not read."""
    return UnsupportedFormat(f"{kind} is not read; save it as an 8-bit or 16-bit RGB or grey TIFF with LZW, or as PNG")
