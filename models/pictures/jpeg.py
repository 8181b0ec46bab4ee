"""The markers of a JPEG file (ISO/IEC 10918-1, annex B), read with bounds and counted before anything is decoded.

A picture can have any number of scans, each of which visits all of its blocks, and any number of segments of metadata.
Half a megabyte of either keeps a decoder busy for minutes.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from models.pictures.errors import InvalidPicture

APPLICATION = range(0xE0, 0xF0)
COMMENT = 0xFE
JPEG_LS = 0xF7

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {JPEG_LS}
SCAN = 0xDA
END = 0xD9
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
PROGRESSIVE = frozenset({0xC2, 0xCA})

MOST_SCANS = 100
"""Progressive pictures usually have about 10."""

MOST_SEGMENTS = 2_000
"""Segments hold 64 KB, so that an upload of the default limit is full after 300 whole ones."""

_FILL = re.compile(rb"\xff*")
_METADATA = re.compile(rb"\xff[\xe0-\xef\xfe]")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """What a JPEG's frame header says (B.2.2).

    Attributes:
        process: the marker's second byte; 0xC0 is baseline, 0xC3 lossless.
        bits: the bits of a sample.
        width, height: in pixels.
        components: the number of samples of a pixel.
    """

    process: int
    bits: int
    width: int
    height: int
    components: int


def split_jpeg(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The segments of a JPEG before its pixels: marker, start and end; it stops at the first fault.

    Raises:
        InvalidPicture: it has too many.
    """
    start, count = 2, 0
    while start + 4 <= len(data) and data[start] == 0xFF:
        count += 1
        if count > MOST_SEGMENTS:
            raise _refuse_segments()
        marker = data[start + 1]
        if marker == 0xFF:
            start = skip_fill(data, start)
            continue
        if marker in WITHOUT_LENGTH:
            start += 2
            continue
        stop = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        if marker == SCAN or stop < start + 4 or stop > len(data):
            return
        yield marker, start, stop
        start = stop


def skip_fill(data: bytes, start: int) -> int:
    """The place of the marker at or after `start`, before which there may be any number of bytes of all ones."""
    filled = _FILL.match(data, start)
    return start if filled is None else max(start, filled.end() - 1)


def read_jpeg_frame(data: bytes) -> JpegFrame | None:
    """The frame header of a JPEG, or None if there is none before the pixels; raises as `split_jpeg`."""
    for marker, start, stop in split_jpeg(data):
        if marker in FRAMES and stop - start >= 10:
            bits, height, width, components = struct.unpack_from(">BHHB", data, start + 4)
            return JpegFrame(marker, bits, width, height, components)
    return None


def check_markers(data: bytes, frame: JpegFrame | None) -> None:
    """Refuse a JPEG of too many segments or scans.

    Args:
        data: the file, without the segments that are not needed.
        frame: its frame header.

    Raises:
        InvalidPicture: it has too many.
    """
    begin = max((stop for _, _, stop in split_jpeg(data)), default=2)
    has_scan = data[begin : begin + 2] == bytes((0xFF, SCAN))
    # Decoders find segments where this module sees none: inside of unknown ones, and after a fault.
    hidden = _METADATA.finditer(data, 0, begin if has_scan else len(data))
    if sum(1 for _ in hidden) > MOST_SEGMENTS:
        raise _refuse_segments()
    # One scan of all components has the whole picture, unless it is progressive; no decoder looks for another.
    if frame is None or not has_scan or (frame.process not in PROGRESSIVE and data[begin + 4] == frame.components):
        return
    if _count_scans(data, begin) > MOST_SCANS:
        raise InvalidPicture(
            f"a JPEG file of more than {MOST_SCANS} scans, the limit; save it again, as a baseline JPEG for example"
        )


def _count_scans(data: bytes, start: int) -> int:
    """The number of scans from the first one on; one more than allowed where there are more.

    Raises:
        InvalidPicture: there are too many segments between them.
    """
    scans = segments = 0
    while start + 4 <= len(data) and data[start + 1] != END and scans <= MOST_SCANS:
        scans += data[start + 1] == SCAN
        segments += 1
        if segments > MOST_SEGMENTS:
            raise _refuse_segments()
        has_length = data[start + 1] not in WITHOUT_LENGTH
        size = int.from_bytes(data[start + 2 : start + 4], "big") if has_length else 0
        following = _AFTER_SCAN.search(data, start + 2 + size)
        if following is None:
            break
        start = following.start()
    return scans


def _refuse_segments() -> InvalidPicture:
    return InvalidPicture(
        f"a JPEG file of more than {MOST_SEGMENTS:,} segments beside its pixels, the limit; save it again without its "
        "metadata"
    )
