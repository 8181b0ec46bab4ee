"""Pictures that are small as files and slow or large to decode."""

import io
from functools import cache

from PIL import Image

MAX_PIXELS = 51_000_000


def encode(picture: Image.Image, form: str, **options: object) -> bytes:
    """A picture's file; the shared fixtures' function would bring torch into a test's own server."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@cache
def make_large_webp() -> bytes:
    """50 megapixels in some bytes."""
    return encode(Image.new("RGB", (10_000, 5_000), "teal"), "WEBP", lossless=True, method=0)


def make_slow_jpeg() -> bytes:
    """A progressive JPEG of 50 megapixels and 90 scans, which takes a decoder several seconds."""
    return _make_scans(80)


def make_many_scans() -> bytes:
    """The same with 6,000 scans: half a megabyte that would take minutes."""
    return _make_scans(6_000)


@cache
def _make_scans(count: int) -> bytes:
    data = encode(Image.new("RGB", (8_200, 6_100), (90, 140, 30)), "JPEG", progressive=True)
    start, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[start:end] * count + data[end:]
