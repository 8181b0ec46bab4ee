"""The benchmark's pictures, made from a gallery picture."""

import io
from pathlib import Path

from PIL import Image, ImageChops

from app.explain.maps import FloatArray
from app.pages.gallery import SAMPLES, read_sample
from app.render.png import encode_jpeg
from models.pictures.decoding import decode_picture
from models.pictures.placement import place
from models.pictures.preparation import Preprocessing, prepare_input

SMALL = (816, 612)
"""0.5 megapixels, a usual size on a web page."""

LARGE = (4000, 3000)
"""12 megapixels, a phone's photograph."""

JPEG_QUALITY = 90


def make_jpeg(size: tuple[int, int], *, shift: float = 0.0) -> bytes:
    """Make a photograph of that size as JPEG.

    Args:
        size: width and height in pixels.
        shift: the share of its width by which the picture is rolled sideways, 0..1, to make different pictures.
    """
    with Image.open(io.BytesIO(read_sample(SAMPLES[0].name))) as sample:
        picture = sample.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return encode_jpeg(ImageChops.offset(picture, round(shift * size[0]), 0), quality=JPEG_QUALITY)


def write_jpegs(directory: Path, count: int) -> None:
    """Write that many different small photographs into a directory."""
    for number in range(count):
        (directory / f"{number:03}.jpg").write_bytes(make_jpeg(SMALL, shift=number / count))


def prepare_jpeg(data: bytes, preprocessing: Preprocessing) -> FloatArray:
    """Make the networks' input, (3, H, W), from a photograph, by the lineup's default preprocessing."""
    picture = decode_picture(data, max_pixels=LARGE[0] * LARGE[1])
    placement = place(
        picture.width,
        picture.height,
        geometry=preprocessing.geometry,
        resolution=preprocessing.resolution,
        crop_share=preprocessing.crop_share,
    )
    return prepare_input(picture, placement, preprocessing)
