import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from models.pictures.decoding import decode_picture, decode_reduced
from models.pictures.errors import InvalidPicture, PictureError, PictureTooLarge, UnsupportedFormat
from tests.conftest import encode, make_picture

LIMIT = 1_000_000


def decode(data: bytes) -> Image.Image:
    return decode_picture(data, max_pixels=LIMIT)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF"])
def test_decode_picture_reads_every_accepted_format(form: str) -> None:
    picture = decode(encode(make_picture(60, 40), form))
    assert picture.mode == "RGB"
    assert picture.size == (60, 40)
    difference = np.asarray(picture, dtype=int) - np.asarray(make_picture(60, 40), dtype=int)
    assert np.abs(difference).mean() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_decode_picture_applies_exif_orientation(orientation: int) -> None:
    upright = make_picture(64, 48)
    # The picture as a camera stores it; turning it by the orientation makes it upright.
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(encode(stored, "PNG", exif=exif))
    assert np.array_equal(np.asarray(picture), np.asarray(upright))


def test_decode_picture_lays_transparency_over_white() -> None:
    layered = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    layered.putpixel((0, 0), (10, 20, 30, 255))
    picture = decode(encode(layered))
    assert picture.getpixel((0, 0)) == (10, 20, 30)
    assert picture.getpixel((3, 3)) == (255, 255, 255)


def test_decode_picture_converts_palette_with_a_transparent_colour() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.putpixel((1, 0), 1)
    picture = decode(encode(palette, "GIF", transparency=1))
    assert [picture.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0), (255, 255, 255)]


def test_decode_picture_scales_16_bit_gray_by_its_full_range() -> None:
    values = np.array([[0, 32768, 65535]], dtype=np.uint16)
    picture = decode(encode(Image.fromarray(values)))
    assert [picture.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (128, 128, 128), (255, 255, 255)]


def test_decode_picture_scales_float_gray_between_its_extremes() -> None:
    values = np.array([[-1.0, 0.0, 1.0, np.nan]], dtype=np.float32)
    picture = decode(encode(Image.fromarray(values), "TIFF"))
    assert [picture.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (128, 128, 128), (255, 255, 255)]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "CMYK", "RGBA", "YCbCr"])
def test_decode_picture_makes_rgb_of_every_mode(mode: str) -> None:
    form = "TIFF" if mode in {"CMYK", "YCbCr"} else "PNG"
    picture = decode(encode(make_picture(20, 10).convert(mode), form))
    assert (picture.mode, picture.size) == ("RGB", (20, 10))


def test_decode_picture_takes_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    picture = decode(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert picture.getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_decode_picture_refuses_truncated_files(form: str, share: float) -> None:
    data = encode(make_picture(300, 200), form)
    with pytest.raises(InvalidPicture, match=r"damaged|not a picture"):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize("data", [b"\x00", b"hello", b"<html></html>", b"PK\x03\x04" + bytes(100)])
def test_decode_picture_refuses_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(InvalidPicture, match="bytes that are not a picture; send JPEG"):
        decode(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b'<?xml version="1.0"?>\n<svg/>', "SVG"),
        (b"\x00\x00\x00\x18ftypcrx " + bytes(40), "raw camera"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (bytes(128) + b"DICM" + bytes(40), "DICOM"),
        (b"%PDF-1.7\n" + bytes(40), "PDF"),
        (encode(make_picture(16, 16), "TGA"), "TGA"),
        (encode(make_picture(16, 16), "ICO"), "ICO"),
        (encode(make_picture(16, 16), "PPM"), "PPM"),
        (encode(make_picture(16, 16), "JPEG2000"), "JPEG2000"),
    ],
)
def test_decode_picture_names_a_format_that_is_not_accepted(data: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedFormat, match=f"{kind} file; send JPEG"):
        decode(data)


def test_decode_picture_asks_for_a_frame_of_a_video() -> None:
    with pytest.raises(UnsupportedFormat, match="a video; send one of its frames, as JPEG, PNG"):
        decode(b"\x00\x00\x00\x18ftypisom" + bytes(40))


def test_decode_picture_does_not_call_a_whole_jpeg_ls_file_damaged() -> None:
    with pytest.raises(UnsupportedFormat, match="a lossless or hierarchical JPEG file is not read; save it as PNG"):
        decode(bytes(imagecodecs.jpegls_encode(np.zeros((8, 8, 3), np.uint8))))


def make_png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and has almost no data, like the start of a decompression bomb."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100)))


@pytest.mark.parametrize(("width", "height"), [(1001, 1000), (12_000, 9_000), (60_000, 60_000)])
def test_decode_picture_refuses_too_many_pixels_before_decoding(width: int, height: int) -> None:
    with pytest.raises(PictureTooLarge, match="send a smaller"):
        decode(make_png_header(width, height))


def test_decode_picture_never_raises_anything_but_its_own_errors() -> None:
    rng = np.random.default_rng(7)
    whole = encode(make_picture(64, 64), "PNG")
    for _ in range(200):
        data = bytearray(whole)
        for place_ in rng.integers(8, len(data), 6):
            data[place_] = rng.integers(256)
        try:
            decode(bytes(data))
        except PictureError as error:
            assert str(error)  # noqa: PT017  # whether it raises at all depends on the byte
    assert decode(whole).size == (64, 64)


@pytest.mark.parametrize("orientation", [1, 6])
def test_decode_reduced_gives_a_smaller_copy_of_a_large_jpeg_and_tells_the_size(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(make_picture(1600, 1000), "JPEG", exif=exif)
    decoded = decode_reduced(data, max_pixels=2_000_000, shorter_side=240)
    assert (decoded.width, decoded.height) == ((1600, 1000) if orientation == 1 else (1000, 1600))
    assert decoded.is_reduced
    assert 240 <= min(decoded.image.size) < 500
    whole = decode_picture(data, max_pixels=2_000_000).resize(decoded.image.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(whole, dtype=int) - np.asarray(decoded.image, dtype=int)).mean() < 2


@pytest.mark.parametrize(("form", "size"), [("JPEG", (400, 300)), ("PNG", (1600, 1000)), ("JPEG", (300, 4000))])
def test_decode_reduced_leaves_what_cannot_be_smaller(form: str, size: tuple[int, int]) -> None:
    decoded = decode_reduced(encode(make_picture(*size), form), max_pixels=2_000_000, shorter_side=240)
    assert decoded.image.size == size
    assert not decoded.is_reduced


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_webp_is_decoded_as_pillow_does(mode: str, options: dict[str, object]) -> None:
    picture = make_picture(91, 53).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    data = encode(picture, "WEBP", **options)
    theirs = Image.open(io.BytesIO(data)).convert(mode)
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(theirs.convert("RGB"), mask=theirs.getchannel("A") if mode == "RGBA" else None)
    assert np.array_equal(np.asarray(decode(data)), np.asarray(ground))
