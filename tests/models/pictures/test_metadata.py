"""Metadata costs no pixels: whatever stands beside them, the picture is the same."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from models.pictures.decoding import decode_picture, decode_reduced
from models.pictures.errors import InvalidPicture, UnsupportedFormat
from models.pictures.metadata import read_orientation
from tests.conftest import encode, make_picture
from tests.models.pictures.colour_profiles import DISPLAY_P3, make_rgb_profile

PICTURE = make_picture(48, 32)
PNG = encode(PICTURE)
JPEG = encode(PICTURE, "JPEG")

XMP_TURN = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)

PROFILE = make_rgb_profile(DISPLAY_P3, 2.2)


def decode(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(decode_picture(data, max_pixels=1_000_000))


def make_chunk(kind: bytes, content: bytes, *, is_intact: bool = True) -> bytes:
    checksum = zlib.crc32(kind + content) ^ (not is_intact)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def insert_chunk(kind: bytes, content: bytes, *, is_intact: bool = True) -> bytes:
    return PNG[:33] + make_chunk(kind, content, is_intact=is_intact) + PNG[33:]


def insert_segment(marker: int, content: bytes) -> bytes:
    return JPEG[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content + JPEG[2:]


def pack(content: bytes) -> bytes:
    return b"name\0\0" + zlib.compress(content)


CHUNKS: dict[str, Callable[[], bytes]] = {
    "a text of 2 MB": lambda: insert_chunk(b"zTXt", pack(bytes(2_000_000))),
    "a text of 70 MB": lambda: insert_chunk(b"zTXt", pack(bytes(70_000_000))),
    "a text that is not compressed": lambda: insert_chunk(b"zTXt", b"name\0\0nothing"),
    "an international text of nothing": lambda: insert_chunk(b"iTXt", b""),
    "a profile of 20 MB": lambda: insert_chunk(b"iCCP", pack(bytes(20_000_000))),
    "a profile that is none": lambda: insert_chunk(b"iCCP", pack(b"no profile")),
    "a profile that is not compressed": lambda: insert_chunk(b"iCCP", b"name\0\0nothing"),
    "a profile with a wrong checksum": lambda: insert_chunk(b"iCCP", pack(PROFILE), is_intact=False),
    "EXIF of garbage": lambda: insert_chunk(b"eXIf", b"\x00\x01garbage"),
    "EXIF that ends early": lambda: insert_chunk(b"eXIf", b"MM\x00*\x00\x00\x00\x08\x00\x05"),
    "resolution with a wrong checksum": lambda: insert_chunk(b"pHYs", bytes(9), is_intact=False),
    "gamma of no length": lambda: insert_chunk(b"gAMA", b""),
    "a transparent colour with a wrong checksum": lambda: insert_chunk(b"tRNS", bytes(6), is_intact=False),
    "XMP that turns": lambda: insert_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP_TURN),
    "EXIF as a text that turns": lambda: insert_chunk(
        b"tEXt", b"Raw profile type exif\0\nexif\n      34\n" + (b"457869660000" + make_exif(6).hex().encode())
    ),
    "an animation": lambda: encode(PICTURE, save_all=True, append_images=[make_picture(48, 32, seed=2)]),
    "bytes behind its end": lambda: PNG + b"<script>",
}


def make_exif(orientation: int) -> bytes:
    return b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)


@pytest.mark.parametrize("name", CHUNKS)
def test_decode_reads_a_png_beside(name: str) -> None:
    assert np.array_equal(decode(CHUNKS[name]()), np.asarray(PICTURE))


SEGMENTS = {
    "XMP that turns": (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP_TURN),
    "EXIF of garbage": (0xE1, b"Exif\0\0\x00\x01garbage"),
    "EXIF with a loop": (0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0\x08\0\0\0"),
    "several pictures of garbage": (0xE2, b"MPF\0garbage"),
    "a part of a profile": (0xE2, b"ICC_PROFILE\0\x02\x03" + PROFILE),
    "a profile that is none": (0xE2, b"ICC_PROFILE\0\x01\x01no profile"),
    "Photoshop's garbage": (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\xff\xff\xff\xff"),
    "a comment": (0xFE, bytes(65_000)),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_decode_reads_a_jpeg_beside(name: str) -> None:
    expected = np.asarray(Image.open(io.BytesIO(JPEG)).convert("RGB"))
    assert np.array_equal(decode(insert_segment(*SEGMENTS[name])), expected)


@pytest.mark.parametrize(
    "data", [insert_chunk(b"eXIf", make_exif(6)), insert_segment(0xE1, b"Exif\0\0" + make_exif(6))]
)
def test_decode_turns_by_exif(data: bytes) -> None:
    assert decode(data).shape[:2] == (48, 32)


@pytest.mark.parametrize(
    ("exif", "orientation"),
    [
        (None, 1),
        (b"", 1),
        (b"Exif\0\0", 1),
        (make_exif(8), 8),
        (b"Exif\0\0" + make_exif(3), 3),
        (make_exif(9), 1),
        (make_exif(0), 1),
        (make_exif(6)[:14], 1),
        (b"II*\0\xff\xff\xff\xff", 1),
    ],
)
def test_read_orientation(exif: bytes | None, orientation: int) -> None:
    assert read_orientation(exif) == orientation


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_png_without_a_profile_has_pillows_pixels(mode: str) -> None:
    picture = PICTURE.quantize(64) if mode == "P" else PICTURE.convert(mode)
    assert np.array_equal(decode(encode(picture)), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("shorter_side", [None, 10])
def test_jpeg_without_a_profile_has_pillows_pixels(mode: str, shorter_side: int | None) -> None:
    data = encode(make_picture(400, 300).convert(mode), "JPEG", comment=b"here")
    with Image.open(io.BytesIO(data)) as image:
        if shorter_side is not None:
            image.draft(None, (14, 10))
        expected = np.asarray(image.convert("RGB"))
    decoded = decode_reduced(data, max_pixels=None, shorter_side=shorter_side)
    assert decoded.is_reduced == (shorter_side is not None)
    assert np.array_equal(np.asarray(decoded.image), expected)


def test_profile_of_srgb_leaves_the_pixels() -> None:
    from PIL import ImageCms  # noqa: PLC0415  # only here

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(decode(encode(PICTURE, icc_profile=profile)), np.asarray(PICTURE))


def make_deep_png(channels: int, *, transparent: bytes = b"") -> bytes:
    """A PNG of 16 bits with a transparent colour."""
    values = np.asarray(PICTURE, dtype=np.uint16)[:, :, :channels] * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", 48, 32, 16, 2 if channels == 3 else 0, 0, 0, 0)
    parts = [make_chunk(b"IHDR", header)]
    if transparent:
        parts.append(make_chunk(b"tRNS", transparent))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + make_chunk(b"IDAT", zlib.compress(rows)) + make_chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_colour_of_16_bits_is_white(channels: int) -> None:
    values = np.asarray(PICTURE)[:, :, :channels]
    chosen = values[5, 7]
    data = make_deep_png(channels, transparent=b"".join(struct.pack(">H", int(value) * 257) for value in chosen))
    expected = np.where((values == chosen).all(axis=2, keepdims=True), 255, values)
    assert np.abs(decode(data).astype(int) - expected).max() <= 1
    assert decode(data)[5, 7].tolist() == [255, 255, 255]


@pytest.mark.parametrize("channels", [1, 3])
def test_png_of_16_bits_tells_its_range(channels: int) -> None:
    decoded = decode_reduced(make_deep_png(channels), max_pixels=None, shorter_side=None)
    assert np.abs(np.asarray(decoded.image).astype(int) - np.asarray(PICTURE)[:, :, :channels]).max() <= 1
    assert str(decoded.values) == "0 to 65535"


def test_truncated_png_of_16_bits_is_refused() -> None:
    data = make_deep_png(3)
    with pytest.raises(InvalidPicture, match=r"damaged or truncated.*PNG file"):
        decode(data[: len(data) // 2])


def test_jpeg_of_12_bits_is_read() -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    values = np.asarray(PICTURE, dtype=np.uint16) * 16
    data = imagecodecs.jpeg8_encode(values, level=95, bitspersample=12)
    decoded = decode_reduced(data, max_pixels=None, shorter_side=None)
    assert str(decoded.values) == "0 to 4095"
    assert np.abs(np.asarray(decoded.image).astype(int) - np.asarray(PICTURE)).mean() < 6


@pytest.mark.parametrize("process", [0xC3, 0xC5])
def test_jpeg_of_another_process_is_refused(process: int) -> None:
    with pytest.raises(UnsupportedFormat, match="save it as"):
        decode(JPEG.replace(b"\xff\xc0", bytes((0xFF, process)), 1))
