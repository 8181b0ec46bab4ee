"""Files with absurd numbers of parts are refused before anything is decoded."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from models.pictures.decoding import decode_picture
from models.pictures.errors import InvalidPicture
from models.pictures.jpeg import MOST_SCANS, MOST_SEGMENTS
from models.pictures.metadata import MOST_CHUNKS
from tests.conftest import encode, make_picture
from tests.models.pictures.test_metadata import PNG, make_chunk

LIMIT = 1_000_000

PICTURE = make_picture(64, 48)
JPEG = encode(PICTURE, "JPEG")
PROGRESSIVE = encode(PICTURE, "JPEG", progressive=True)

SEGMENT = b"\xff\xe1" + struct.pack(">H", 8) + b"Exif\0\0"


def insert(content: bytes, data: bytes = JPEG) -> bytes:
    """Bytes after a JPEG's first marker."""
    return data[:2] + content + data[2:]


def add_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes so many times more."""
    start, end = PROGRESSIVE.rindex(b"\xff\xda"), PROGRESSIVE.rindex(b"\xff\xd9")
    return PROGRESSIVE[:end] + PROGRESSIVE[start:end] * count + PROGRESSIVE[end:]


MANY = {
    "scans": add_scans(6000),
    "scans behind a comment with an end marker": add_scans(6000).replace(
        b"\xff\xda", b"\xff\xfe\0\x04\xff\xd9\xff\xda"
    ),
    "segments": insert(SEGMENT * 400_000),
    "segments in an unknown one": insert((b"\xff\xf0\xff\xff" + SEGMENT * 6500) * 2),
    "segments after a fault": insert(b"\xff\xe3\0\0" + SEGMENT * 400_000),
    "markers without a length": insert(b"\xff\x01" * 1_000_000),
    "segments between scans": add_scans(1).replace(b"\xff\xda", SEGMENT * 3000 + b"\xff\xda"),
}


@pytest.mark.parametrize("name", MANY)
def test_jpeg_of_many_parts_is_refused_at_once(name: str) -> None:
    begin = time.process_time()
    with pytest.raises(InvalidPicture, match=r"more than (100 scans|2,000 segments).*; save it again"):
        decode_picture(MANY[name], max_pixels=LIMIT)
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    "data",
    [
        add_scans(MOST_SCANS - 20),
        insert(SEGMENT * (MOST_SEGMENTS - 20)),
        PROGRESSIVE + np.random.default_rng(0).bytes(2_000_000),
        JPEG + add_scans(6000),
    ],
    ids=["scans", "segments", "a film after the picture", "another picture after it"],
)
def test_jpeg_of_fewer_parts_is_read(data: bytes) -> None:
    assert decode_picture(data, max_pixels=LIMIT).size == PICTURE.size


def test_fill_bytes_of_a_jpeg_take_no_time() -> None:
    expected = decode_picture(JPEG, max_pixels=LIMIT)
    begin = time.process_time()
    data = insert(b"\xff" * 3_000_000, JPEG.replace(b"\xff\xda", b"\xff" * 3_000_000 + b"\xff\xda"))
    assert decode_picture(data, max_pixels=LIMIT) == expected
    assert time.process_time() - begin < 1


def test_png_of_many_chunks_is_refused() -> None:
    with pytest.raises(InvalidPicture, match="100,000 chunks"):
        decode_picture(PNG[:33] + make_chunk(b"tEXt", b"") * MOST_CHUNKS + PNG[33:], max_pixels=LIMIT)


def test_of_many_profiles_of_a_png_one_is_unpacked() -> None:
    profile = make_chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(20_000_000)))
    begin = time.process_time()
    assert decode_picture(PNG[:33] + profile * 200 + PNG[33:], max_pixels=LIMIT).size == (48, 32)
    assert time.process_time() - begin < 1


def test_tiff_with_a_jpeg_of_many_scans_is_refused() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.asarray(PICTURE), photometric="rgb", compression="jpeg")
    data = buffer.getvalue()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages.first.tags
        places = {name: tags[name].valueoffset for name in ("StripOffsets", "StripByteCounts")}
    scans = add_scans(6000)
    changed = bytearray(data + scans)
    for name, value in {"StripOffsets": len(data), "StripByteCounts": len(scans)}.items():
        struct.pack_into("<I", changed, places[name], value)
    with pytest.raises(InvalidPicture, match="more than 100 scans"):
        decode_picture(bytes(changed), max_pixels=LIMIT)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "AVIF", "PNG"])
def test_first_frame_alone_is_decoded(form: str) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("teal", "red", "blue")]
    data = encode(frames[0], form, save_all=True, append_images=frames[1:])
    assert np.abs(np.asarray(decode_picture(data, max_pixels=LIMIT), dtype=int) - (0, 128, 128)).max() < 8
