"""HEIC files, written by pillow-heif."""

import struct

import numpy as np
import pytest
from PIL import Image

from models.pictures.decoding import decode_picture, decode_reduced
from models.pictures.errors import InvalidPicture, PictureTooLarge
from tests.conftest import encode, make_picture
from tests.models.pictures.colour_profiles import DISPLAY_P3, make_rgb_profile

LIMIT = 1_000_000


def measure(data: bytes, picture: Image.Image) -> float:
    decoded = decode_picture(data, max_pixels=LIMIT)
    assert decoded.size == picture.size
    return float(np.abs(np.asarray(decoded, dtype=int) - np.asarray(picture.convert("RGB"), dtype=int)).mean())


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"heix"])
def test_heic_is_read_whatever_its_first_brand(mode: str, brand: bytes) -> None:
    picture = make_picture(64, 48).convert(mode)
    data = encode(picture, "HEIF", quality=90)
    data = data[:8] + brand + data[12:]
    assert measure(data, picture) < 6


def test_heic_of_ten_bits_is_read() -> None:
    import pillow_heif  # noqa: PLC0415  # only here

    values = np.asarray(make_picture(64, 48), dtype=np.uint16) * 257
    data = bytearray()

    class Sink:
        def write(self, part: bytes) -> int:
            data.extend(part)
            return len(part)

    file = pillow_heif.from_bytes(mode="RGB;16", size=(64, 48), data=values.tobytes())
    file.save(Sink(), quality=90)
    assert measure(bytes(data), make_picture(64, 48)) < 6


def test_heic_lays_transparency_over_white() -> None:
    picture = make_picture(64, 48)
    picture.putalpha(0)
    decoded = decode_picture(encode(picture, "HEIF", quality=90), max_pixels=LIMIT)
    assert np.asarray(decoded).min() > 250


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_heic_is_turned_once(orientation: int) -> None:
    picture = make_picture(64, 48)
    exif = Image.Exif()
    exif[0x0112] = orientation
    turns = {1: 0, 3: 2, 6: 3}
    upright = Image.fromarray(np.rot90(np.asarray(picture), turns[orientation]))
    assert measure(encode(picture, "HEIF", quality=90, exif=exif.tobytes()), upright) < 6


def test_heic_has_its_profile_applied() -> None:
    picture = make_picture(64, 48)
    profile = make_rgb_profile(DISPLAY_P3, 2.2)
    import io  # noqa: PLC0415

    import pillow_heif  # noqa: PLC0415  # only here

    file = pillow_heif.from_pillow(picture)
    file.info["icc_profile"] = profile
    buffer = io.BytesIO()
    file.save(buffer, quality=95)
    expected = decode_picture(encode(picture, "PNG", icc_profile=profile), max_pixels=LIMIT)
    assert measure(buffer.getvalue(), expected) < 6
    assert measure(buffer.getvalue(), picture) > 6


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_heic_is_refused(share: float) -> None:
    data = encode(make_picture(300, 200), "HEIF")
    with pytest.raises(InvalidPicture, match="damaged or truncated"):
        decode_picture(data[: int(len(data) * share)], max_pixels=LIMIT)


def test_large_heic_is_refused_by_its_declared_size() -> None:
    data = encode(Image.new("RGB", (1200, 1000)), "HEIF")
    with pytest.raises(PictureTooLarge, match=r"1200 x 1000 pixels are 1.2 megapixels"):
        decode_picture(data, max_pixels=LIMIT)


def test_heic_that_is_larger_than_it_declares_is_refused() -> None:
    data = encode(Image.new("RGB", (2048, 2048)), "HEIF")
    small = data.replace(struct.pack(">II", 2048, 2048), struct.pack(">II", 64, 64))
    assert small != data
    with pytest.raises(InvalidPicture, match="limit"):
        decode_reduced(small, max_pixels=LIMIT, shorter_side=None)
