"""Metadata of PNG and JPEG files: taken out before decoding, so that a fault in it costs no pixels.

Only the orientation and the colour profile are used. Pillow reads more, and gives a picture up where a comment is large
or damaged; it also turns a picture by XMP or by a text, which browsers do not.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from models.pictures.errors import InvalidPicture
from models.pictures.jpeg import APPLICATION, COMMENT, skip_fill, split_jpeg

MAX_PROFILE_BYTES = 8_000_000
"""A larger colour profile is left out; those of printers have about 3 MB."""

PNG_START = 8
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})

MOST_CHUNKS = 100_000
"""Encoders write chunks of at least 8 KB, of which an upload of the default limit holds 2,500."""

_JPEG_KEPT = frozenset({0xE0, 0xEE})  # JFIF and Adobe: they tell how colours are stored

_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Stripped:
    """A file without its metadata.

    Attributes:
        data: what is left; it has the same pixels.
        exif: the EXIF data, from its TIFF header; None without.
        profile: the ICC colour profile; None without.
    """

    data: bytes
    exif: bytes | None = None
    profile: bytes | None = None


def strip_png(data: bytes) -> Stripped:
    """Leave the chunks of a PNG that hold pixels; its first picture alone, where it is animated.

    Raises:
        InvalidPicture: it has too many chunks.
    """
    parts: list[memoryview | bytes] = [data[:PNG_START]]
    exif = profile = None
    has_profile = False
    end = PNG_START
    for number, (kind, chunk) in enumerate(_split_png(data)):
        if number >= MOST_CHUNKS:
            raise InvalidPicture(f"a PNG file of more than {MOST_CHUNKS:,} chunks, the limit; save it again")
        end += len(chunk)
        if kind == b"eXIf" and exif is None and _is_intact(chunk):
            exif = bytes(chunk[8:-4])
        elif kind == b"iCCP" and not has_profile and _is_intact(chunk):
            # One alone is unpacked, however many there are.
            has_profile = True
            profile = _unpack_profile(bytes(chunk[8:-4]))
        # A fault in the transparent colour costs the transparency, as in browsers.
        if kind in _PNG_KEPT and (kind != b"tRNS" or _is_intact(chunk)):
            parts.append(chunk)
        if kind == b"IEND":
            return Stripped(b"".join(parts), exif, profile)
    # Cut off: the decoder says what is missing.
    return Stripped(b"".join((*parts, data[end:])), exif, profile)


def read_png_bits(data: bytes) -> int:
    """The bits of a sample by the header of a PNG; 8 where the header is cut off."""
    return data[24] if data[12:16] == b"IHDR" and len(data) > 24 else 8


def strip_jpeg(data: bytes) -> Stripped:
    """Leave the segments of a JPEG that hold pixels or say how they are stored; raises as `split_jpeg`."""
    view = memoryview(data)
    parts = [view[:2]]
    exif = None
    profiles: dict[int, tuple[int, bytes]] = {}
    end = 2
    for marker, start, stop in split_jpeg(data):
        content = view[start + 4 : stop]
        if marker == 0xE1 and exif is None and bytes(content[:5]) == b"Exif\0":
            exif = bytes(content[6:])
        elif marker == 0xE2 and bytes(content[:12]) == b"ICC_PROFILE\0" and len(content) > 14:
            profiles.setdefault(content[12], (content[13], bytes(content[14:])))
        if marker in _JPEG_KEPT or (marker not in APPLICATION and marker != COMMENT):
            parts.append(view[start:stop])
        end = stop
    parts.append(view[skip_fill(data, end) :])
    return Stripped(b"".join(parts), exif, _join_profile(profiles))


def read_orientation(exif: bytes | None) -> int:
    """The orientation that EXIF data gives, 1 to 8; 1 (upright) where it gives none or cannot be read."""
    exif = (exif or b"").removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return 1
    (offset,) = struct.unpack_from(f"{order}I", exif, 4)
    if offset + 2 > len(exif):
        return 1
    (count,) = struct.unpack_from(f"{order}H", exif, offset)
    for start in range(offset + 2, min(offset + 2 + 12 * count, len(exif) - 11), 12):
        tag, kind, _ = struct.unpack_from(f"{order}HHI", exif, start)
        if tag == _ORIENTATION and kind in {3, 4}:
            (value,) = struct.unpack_from(order + ("H" if kind == 3 else "I"), exif, start + 8)
            return value if 1 <= value <= 8 else 1
    return 1


def _split_png(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The whole chunks of a PNG: kind, and the chunk with its length and checksum."""
    view = memoryview(data)
    start = PNG_START
    while start + 12 <= len(data):
        stop = start + 12 + int.from_bytes(view[start : start + 4], "big")
        if stop > len(data):
            return
        yield bytes(view[start + 4 : start + 8]), view[start:stop]
        start = stop


def _is_intact(chunk: memoryview) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def _unpack_profile(content: bytes) -> bytes | None:
    """The profile of an iCCP chunk: a name, the compression's number, and deflated bytes."""
    _, _, packed = content.partition(b"\0")
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(packed[1:], MAX_PROFILE_BYTES + 1)
    except zlib.error:
        return None
    return profile if len(profile) <= MAX_PROFILE_BYTES else None


def _join_profile(parts: dict[int, tuple[int, bytes]]) -> bytes | None:
    """The profile from its numbered parts, None if one is missing."""
    if not parts:
        return None
    count = parts[min(parts)][0]
    if sorted(parts) != list(range(1, count + 1)):
        return None
    profile = b"".join(parts[number][1] for number in range(1, count + 1))
    return profile if len(profile) <= MAX_PROFILE_BYTES else None
