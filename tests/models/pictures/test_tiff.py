"""TIFF files of many kinds, written by tifffile, compared with the array that was written."""

import io
import itertools
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from models.pictures.decoding import DecodedPicture, decode_reduced
from models.pictures.errors import InvalidPicture, PictureError, PictureTooLarge, UnsupportedFormat
from tests.conftest import encode, make_picture

WIDTH, HEIGHT = 60, 40

LIMIT = 1_000_000

ROUNDING = 1


def decode(data: bytes, *, max_pixels: int = LIMIT) -> DecodedPicture:
    return decode_reduced(data, max_pixels=max_pixels, shorter_side=None)


def write(array: NDArray[Any], *, big: bool = False, order: str = "<", **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, bigtiff=big, byteorder=order, metadata=None, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def make_samples(channels: int) -> NDArray[np.uint8]:
    """A picture that reaches from black to white, (H, W, C)."""
    picture = np.asarray(make_picture(WIDTH, HEIGHT), dtype=np.float64)
    if channels == 1:
        picture = picture.mean(axis=2, keepdims=True)
    low, high = picture.min(), picture.max()
    scaled: NDArray[np.uint8] = np.round((picture - low) / (high - low) * 255).astype(np.uint8)
    return scaled


def stretch(samples: NDArray[np.uint8], dtype: str) -> NDArray[Any]:
    """The same picture in another type."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return (samples / 255).astype(kind)
    if kind.kind == "u":
        return (samples.astype(np.uint64) * (np.iinfo(kind).max // 255)).astype(kind)
    return (samples.astype(np.int64) * 7 - 900 if kind.itemsize > 1 else samples.astype(np.int64) - 128).astype(kind)


def measure_error(decoded: DecodedPicture, expected: NDArray[np.uint8]) -> int:
    got = np.asarray(decoded.image, dtype=int)
    return int(np.abs(got - expected.astype(int)).max())


TYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("photometric", "planar"), [("minisblack", None), ("miniswhite", None), ("rgb", "contig"), ("rgb", "separate")]
)
@pytest.mark.parametrize("written", [("<", False, None), (">", True, None), (">", False, "zlib")])
def test_decode_reads_every_type_of_samples(
    dtype: str, photometric: str, planar: str | None, written: tuple[str, bool, str | None]
) -> None:
    order, big, compression = written
    samples = make_samples(3 if photometric == "rgb" else 1)
    stored = stretch(samples, dtype)
    if planar == "separate":
        stored = np.moveaxis(stored, -1, 0)
    if photometric != "rgb":
        stored = stored[:, :, 0]
    data = write(stored, order=order, big=big, photometric=photometric, planarconfig=planar, compression=compression)
    expected = 255 - samples if photometric == "miniswhite" else samples
    # The extremes of 2,400 values lie within the 0.1 and 99.9 percentiles by a few of them.
    tolerance = ROUNDING if dtype in {"uint8", "uint16", "uint32"} else 4
    decoded = decode(data)
    assert measure_error(decoded, np.broadcast_to(expected, (HEIGHT, WIDTH, 3))) <= tolerance
    assert (decoded.values is None) == (dtype == "uint8")


@pytest.mark.parametrize("compression", ["lzw", "deflate", "zlib", "packbits", "lzma", "zstd"])
@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_decode_reads_compressed_strips_and_tiles(
    compression: str, tile: tuple[int, int] | None, predictor: bool, dtype: str
) -> None:
    samples = make_samples(3)
    if compression == "packbits" and predictor:
        predictor = False
    data = write(
        stretch(samples, dtype), photometric="rgb", compression=compression, tile=tile, predictor=predictor,
        rowsperstrip=None if tile else 7,
    )  # fmt: skip
    assert measure_error(decode(data), samples) <= ROUNDING


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits", "group3", "group4"])
def test_decode_reads_one_bit_by_pillow(compression: str) -> None:
    picture = make_picture(WIDTH, HEIGHT).convert("1")
    decoded = decode(encode(picture, "TIFF", compression=compression))
    assert measure_error(decoded, np.asarray(picture.convert("RGB"))) == 0


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
def test_decode_reads_what_pillow_writes(mode: str) -> None:
    picture = make_picture(WIDTH, HEIGHT)
    picture = picture.quantize(200) if mode == "P" else picture
    if mode == "LAB":
        from PIL import ImageCms  # noqa: PLC0415  # only here

        transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        stored = ImageCms.applyTransform(picture, transform)
        assert stored is not None
    else:
        stored = picture.convert(mode)
    expected = picture.convert("L").convert("RGB") if mode in {"L", "LA"} else stored.convert("RGB")
    if mode == "LAB":
        expected = picture
    tolerance = 20 if mode == "LAB" else 0  # 8 bits of L*a*b* are coarse
    assert measure_error(decode(encode(stored, "TIFF")), np.asarray(expected)) <= tolerance


def test_decode_reads_lab_with_an_offset() -> None:
    # L* = 54, a* = 81, b* = 70: the red of sRGB.
    lab = np.full((2, 2, 3), (54 * 255 / 100, 81 + 128, 70 + 128), dtype=np.float64).round().astype(np.uint8)
    red, green, blue = np.asarray(decode(write(lab, photometric="icclab")).image, dtype=int)[0, 0]
    assert red > 245
    assert max(green, blue) < 30


@pytest.mark.parametrize("bits", [2, 4])
def test_decode_reads_packed_grey(bits: int) -> None:
    levels = np.arange(2**bits, dtype=np.uint8)[None].repeat(8, axis=0)
    decoded = decode(write_packed(levels, bits))
    assert np.asarray(decoded.image)[0, :, 0].tolist() == [
        round(255 * level / (2**bits - 1)) for level in range(2**bits)
    ]
    assert decoded.values is None


def test_decode_reads_twelve_bits_of_their_own_range() -> None:
    levels = np.linspace(0, 4095, 64).round().astype(np.uint16)[None].repeat(4, axis=0)
    decoded = decode(write_packed(levels, 12))
    assert np.abs(np.asarray(decoded.image)[0, :, 0] - levels[0] / 4095 * 255).max() <= ROUNDING
    assert str(decoded.values) == "0 to 4095"


def write_packed(levels: NDArray[Any], bits: int) -> bytes:
    """A grey TIFF of packed bits."""
    rows = ["".join(f"{level:0{bits}b}" for level in row) for row in levels.tolist()]
    strip = b"".join(int(row, 2).to_bytes(len(row) // 8, "big") for row in rows)
    height, width = levels.shape
    return write_tags(
        [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1),
         (278, 4, height), (279, 4, len(strip))],
        strip,
    )  # fmt: skip


def write_tags(tags: list[tuple[int, int, int]], content: bytes, *, follow: int = 0) -> bytes:
    """A TIFF of one directory, whose tags have one number each, behind the content, which begins at byte 8."""
    rows = b"".join(struct.pack("<HHII", code, kind, 1, value) for code, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + rows + struct.pack("<I", follow)
    return b"II*\x00" + struct.pack("<I", 8 + len(content)) + content + directory


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("meaning", ["assocalpha", "unassalpha"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_decode_lays_opacity_over_white(dtype: str, meaning: str, channels: int, planar: str) -> None:
    samples = make_samples(channels) / 255
    opacity = np.linspace(0, 1, WIDTH)[None, :, None].repeat(HEIGHT, axis=0)
    stored = samples * opacity if meaning == "assocalpha" else samples
    full = 1 if dtype == "float32" else np.iinfo(dtype).max
    array = np.concatenate((stored, opacity), axis=2) * full
    array = (array if dtype == "float32" else array.round()).astype(dtype)
    if planar == "separate":
        array = np.moveaxis(array, -1, 0)
    data = write(
        array, photometric="rgb" if channels == 3 else "minisblack", planarconfig=planar, extrasamples=[meaning]
    )
    expected = np.round((samples * opacity + 1 - opacity) * 255).astype(np.uint8)
    # Samples of 8 bits that are multiplied by little opacity are coarse, but so is their share.
    assert measure_error(decode(data), np.broadcast_to(expected, (HEIGHT, WIDTH, 3))) <= 4


def test_decode_leaves_a_fourth_band_out_that_is_not_opacity() -> None:
    samples = make_samples(3)
    infrared = np.zeros((HEIGHT, WIDTH, 1), dtype=np.uint8)
    data = write(np.concatenate((samples, infrared), axis=2), photometric="rgb", extrasamples=["unspecified"])
    assert measure_error(decode(data), samples) == 0


def test_decode_refuses_bands_without_colours() -> None:
    data = write(np.zeros((HEIGHT, WIDTH, 5), np.uint16), photometric="minisblack", planarconfig="contig")
    with pytest.raises(UnsupportedFormat, match=r"5 bands.*save it as"):
        decode(data)


@pytest.mark.parametrize("bits", [8, 16])
def test_decode_looks_palettes_up(bits: int) -> None:
    palette = np.random.default_rng(1).integers(0, 256, (3, 2**bits), dtype=np.uint16) * 257
    indices = np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(f"uint{bits}")
    data = write(indices, photometric="palette", colormap=palette)
    expected = (palette >> 8).T[indices].astype(np.uint8)
    assert measure_error(decode(data), expected) == 0


@pytest.mark.parametrize("form", ["tiles of RGB", "strips of YCbCr"])
def test_decode_reads_jpeg_inside(form: str) -> None:
    samples = make_samples(3)
    if form == "tiles of RGB":
        data = write(samples, photometric="rgb", compression="jpeg", tile=(32, 32))
    else:
        data = encode(Image.fromarray(samples), "TIFF", compression="jpeg")
    got = np.asarray(decode(data).image, dtype=int)
    assert np.abs(got - samples).mean() < 6


def test_decode_takes_the_first_page_and_counts_them() -> None:
    pages = [make_picture(WIDTH, HEIGHT, seed=seed) for seed in range(3)]
    decoded = decode(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert measure_error(decoded, np.asarray(pages[0])) == 0
    assert decoded.pages == 3


def test_decode_passes_a_thumbnail_in_front_of_the_picture() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(np.zeros((8, 8, 3), np.uint8), photometric="rgb", subfiletype=1)
        writer.write(make_samples(3), photometric="rgb")
    assert measure_error(decode(buffer.getvalue()), make_samples(3)) == 0


def test_decode_turns_by_the_orientation_tag() -> None:
    data = write(make_samples(3), photometric="rgb", extratags=[(274, 3, 1, 6, True)])
    decoded = decode(data)
    assert (decoded.width, decoded.height) == (HEIGHT, WIDTH)
    assert np.array_equal(np.asarray(decoded.image), np.rot90(make_samples(3), -1))


@pytest.mark.parametrize(
    ("nodata", "is_told"),
    [(-9999.0, True), (-9999.0, False), (-3.4028234663852886e38, True), (-3.4028234663852886e38, False), (1e9, True)],
)
def test_decode_leaves_nodata_out_of_the_range(nodata: float, is_told: bool) -> None:
    values = make_samples(1)[:, :, 0].astype(np.float32) * 3 + 100
    values[:10, :10] = nodata
    tags = [(42113, 2, 0, str(nodata), True)] if is_told else []
    decoded = decode(write(values, photometric="minisblack", extratags=tags))
    got = np.asarray(decoded.image, dtype=int)[:, :, 0]
    assert (got[:10, :10] == 255).all()
    assert np.abs(got[10:, 10:] - make_samples(1)[10:, 10:, 0].astype(int)).max() <= 4
    assert decoded.values is not None
    assert decoded.values.low >= 100
    assert decoded.values.high <= 865


def test_decode_is_not_blanked_by_a_few_wild_values() -> None:
    values = np.tile(make_samples(1)[:, :, 0].astype(np.float32), (5, 5))
    values[0, :3] = (np.inf, np.nan, 1e20)
    values[1, 0] = -np.inf
    got = np.asarray(decode(write(values, photometric="minisblack")).image, dtype=int)[:, :, 0]
    assert np.abs(got[2:] - values[2:]).max() <= 4
    assert got[0, :3].tolist() == [255, 255, 255]
    assert got[1, 0] == 0


def test_decode_makes_grey_of_one_value() -> None:
    decoded = decode(write(np.full((4, 4), 3.5, np.float32), photometric="minisblack"))
    assert decoded.image.getcolors() == [(16, (128, 128, 128))]


def test_decode_stretches_unsigned_numbers_that_use_little_of_their_range() -> None:
    values = make_samples(1)[:, :, 0].astype(np.uint16) * 16
    decoded = decode(write(values, photometric="minisblack"))
    got = np.asarray(decoded.image, dtype=int)[:, :, 0]
    assert np.abs(got - make_samples(1)[:, :, 0]).max() <= 4
    assert decoded.values is not None
    assert decoded.values.high <= 4080


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"compression": "webp"}, "WEBP"),
        ({"compression": "jpeg2000"}, "JPEG"),
        ({"photometric": "cfa"}, "raw camera"),
    ],
)
def test_decode_says_what_to_save_instead(options: dict[str, Any], reason: str) -> None:
    array = make_samples(3) if "compression" in options else make_samples(1)[:, :, 0]
    if "compression" in options:
        options = {"photometric": "rgb", **options}
    else:
        options = {**options, "extratags": [(33421, 3, 2, (2, 2), True), (33422, 1, 4, (0, 1, 1, 2), True)]}
    with pytest.raises(UnsupportedFormat, match=f"{reason}.*save it as"):
        decode(write(array, **options))


@pytest.mark.parametrize("dtype", ["complex64"])
def test_decode_refuses_complex_numbers(dtype: str) -> None:
    with pytest.raises(UnsupportedFormat, match="save it as"):
        decode(write(np.zeros((4, 4), dtype), photometric="minisblack"))


def list_hostile() -> Iterator[tuple[str, bytes]]:
    size = [(256, 4, 64), (257, 4, 64)]
    usual = [(258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, 64), (279, 4, 4096)]
    strip = bytes(4096)
    yield "too many pixels", write_tags([(256, 4, 60_000), (257, 4, 60_000), *usual], strip)
    yield "a side too long", write_tags([(256, 4, 70_000), (257, 4, 2), *usual], strip)
    tiled = [(258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1), (322, 4, 65_536), (323, 4, 65_536)]
    yield "a huge tile", write_tags([*size, *tiled, (324, 4, 8), (325, 4, 4096)], strip)
    yield "many samples", write_tags([(256, 4, 900), (257, 4, 900), *usual[:4], (277, 3, 60), *usual[5:]], strip)


@pytest.mark.parametrize(("name", "data"), list(list_hostile()))
def test_decode_refuses_large_declarations_before_decoding(name: str, data: bytes) -> None:
    with pytest.raises((PictureTooLarge, UnsupportedFormat)):
        decode(data)


def test_decode_refuses_a_jpeg_inside_that_is_larger_than_its_tile() -> None:
    data = write(make_samples(3), photometric="ycbcr", compression="jpeg", tile=(32, 32))
    place = data.index(b"\xff\xc0")
    huge = data[: place + 5] + struct.pack(">HH", 60_000, 60_000) + data[place + 9 :]
    with pytest.raises(InvalidPicture, match="own size"):
        decode(huge)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits"])
def test_decode_refuses_truncated_files(share: float, compression: str | None) -> None:
    data = write(make_samples(3), photometric="rgb", compression=compression)
    with pytest.raises(InvalidPicture, match="TIFF"):
        decode(data[: int(len(data) * share)])


def test_decode_never_raises_anything_but_its_own_errors() -> None:
    rng = np.random.default_rng(3)
    files = [
        write(make_samples(3), photometric="rgb", compression=compression, tile=tile)
        for compression, tile in itertools.product((None, "lzw", "zlib", "jpeg"), (None, (16, 16)))
    ]
    outcomes = set()
    for number in range(400):
        data = bytearray(files[number % len(files)])
        for place in rng.integers(0, 400, 3):
            data[place] = rng.integers(256)
        try:
            decode(bytes(data))
            outcomes.add("read")
        except PictureError as error:
            outcomes.add(type(error).__name__)
    assert {"read", "InvalidPicture"} <= outcomes


@pytest.mark.parametrize("count", [2, 1_000_000])
def test_decode_counts_pages_of_a_long_chain_up_to_a_limit(count: int) -> None:
    first = write_tags(
        [(256, 4, 4), (257, 4, 4), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, 4),
         (279, 4, 16)],
        bytes(16),
    )  # fmt: skip
    chain = bytearray(first[:-4])
    start = len(first)
    for number in range(count - 1):
        # Each of the other pages has one tag.
        chain += struct.pack("<IHHHII", start + 18 * number, 1, 256, 4, 1, 4)
    chain += struct.pack("<I", 0)
    assert decode(bytes(chain)).pages == min(count, 10_000)


def test_decode_reads_a_picture_among_thousands_of_wrong_tags(capfd: pytest.CaptureFixture[str]) -> None:
    wrong = [(code, 129, 1) for code in range(40_000, 42_000)]
    right = [(256, 4, 16), (257, 4, 16), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, 16),
             (279, 4, 256)]  # fmt: skip
    decoded = decode(write_tags(right + wrong, bytes([128]) * 256))
    assert decoded.image.getcolors() == [(256, (128, 128, 128))]
    assert capfd.readouterr().err == ""


def test_image_of_pillow_is_what_pillow_reads() -> None:
    picture = make_picture(WIDTH, HEIGHT)
    data = encode(picture, "TIFF")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), np.asarray(decode(data).image))
