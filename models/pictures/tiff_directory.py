"""A TIFF file's directory of tags, read with bounds: what is not needed to decode a picture is not looked at.

TIFF 6.0, section 2, and BigTIFF's wider offsets.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.pictures.errors import InvalidPicture

MAX_PAGES = 10_000
"""Pages beyond so many are not counted."""

MAX_COUNT = 2_000_000
"""The largest number of values of a tag: more than the strips of the largest picture."""

Order = Literal["<", ">"]

_TYPES = {1: "u1", 2: "u1", 3: "u2", 4: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 13: "u4", 16: "u8", 17: "i8"}
"""NumPy's names of the types of values that are read."""


@dataclass(frozen=True, slots=True, eq=False)
class Directory:
    """One page's tags.

    Attributes:
        data: the file.
        order: `<` or `>`.
        is_big: whether it is BigTIFF.
        rows: the tags' raw rows by code: type, count, and the value or its offset as bytes.
    """

    data: bytes
    order: Order
    is_big: bool
    rows: dict[int, tuple[int, int, bytes]]

    def read(self, code: int) -> NDArray[Any]:
        """A tag's numbers; none where it is missing or holds no numbers.

        Raises:
            InvalidPicture: the tag lies outside the file or is far too long.
        """
        if code not in self.rows or self.rows[code][0] not in _TYPES:
            return np.empty(0, dtype=np.int64)
        kind, count, raw = self.rows[code]
        dtype = np.dtype(_TYPES[kind]).newbyteorder(self.order)
        size = count * dtype.itemsize
        if size <= len(raw):
            return np.frombuffer(raw, dtype, count)
        offset = int.from_bytes(raw, "little" if self.order == "<" else "big")
        if count > max(MAX_COUNT, 8_000_000 // dtype.itemsize) or offset + size > len(self.data):
            raise InvalidPicture(f"a TIFF file whose tag {code} lies outside the file; send it again")
        return np.frombuffer(self.data, dtype, count, offset)

    def number(self, code: int, default: int) -> int:
        """A tag's first number, or the default."""
        values = self.read(code)
        return int(values[0]) if values.size else default

    def numbers(self, code: int) -> list[int]:
        """A tag's numbers."""
        return [int(value) for value in self.read(code)]

    def content(self, code: int) -> bytes:
        """A tag's bytes; none where it is missing."""
        return self.read(code).tobytes()

    def make_file(self, codes: frozenset[int]) -> bytes:
        """The same file with one page of these tags alone, so that nothing else is read or believed."""
        kept = sorted(self.rows.keys() & codes)
        head, pointer = (f"{self.order}Q", "Q") if self.is_big else (f"{self.order}H", "I")
        body = struct.pack(head, len(kept))
        for code in kept:
            kind, count, raw = self.rows[code]
            body += struct.pack(f"{self.order}HH{pointer}", code, kind, count) + raw
        body += struct.pack(f"{self.order}{pointer}", 0)
        padding = b"\0" * (-len(self.data) % 8)
        place = 8 if self.is_big else 4
        start = struct.pack(f"{self.order}{pointer}", len(self.data) + len(padding))
        return b"".join((self.data[:place], start, memoryview(self.data)[place + len(start) :], padding, body))


def read_directories(data: bytes, *, most: int) -> tuple[list[Directory], int]:
    """The first pages of a TIFF file, and how many it has, at most `MAX_PAGES`.

    Args:
        data: the file.
        most: the number of pages to read; others are only counted.

    Raises:
        InvalidPicture: the first page lies outside the file.
    """
    order: Order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in {b"+\0", b"\0+"}
    pages: list[Directory] = []
    count = 0
    for offset in _walk(data, order, is_big=is_big):
        count += 1
        if len(pages) < most:
            pages.append(Directory(data, order, is_big, _read_rows(data, offset, order, is_big=is_big)))
    if not pages:
        raise InvalidPicture("a TIFF file with a damaged or truncated header; send it again")
    return pages, count


def _walk(data: bytes, order: str, *, is_big: bool) -> Iterator[int]:
    """The offsets of the whole directories, each once."""
    count_format, pointer, row_size = ("Q", "Q", 20) if is_big else ("H", "I", 12)
    count_size, pointer_size = struct.calcsize(count_format), struct.calcsize(pointer)
    place = 8 if is_big else 4
    seen: set[int] = set()
    while place + pointer_size <= len(data) and len(seen) < MAX_PAGES:
        (offset,) = struct.unpack_from(f"{order}{pointer}", data, place)
        if offset == 0 or offset in seen or offset + count_size > len(data):
            return
        (count,) = struct.unpack_from(f"{order}{count_format}", data, offset)
        place = offset + count_size + count * row_size
        if not count or place > len(data):
            return
        seen.add(offset)
        yield offset


def _read_rows(data: bytes, offset: int, order: Order, *, is_big: bool) -> dict[int, tuple[int, int, bytes]]:
    count_size, size, pointer = (8, 8, "u8") if is_big else (2, 4, "u4")
    count = int.from_bytes(data[offset : offset + count_size], "little" if order == "<" else "big")
    fields = [("code", f"{order}u2"), ("type", f"{order}u2"), ("count", order + pointer), ("raw", f"V{size}")]
    row = np.dtype(fields)
    table = np.frombuffer(data, row, count, offset + count_size)
    # A tag that is there twice has its first value, as for most readers.
    codes, places = np.unique(table["code"], return_index=True)
    return {
        int(code): (int(table["type"][place]), int(table["count"][place]), table["raw"][place].tobytes())
        for code, place in zip(codes, places, strict=True)
    }
