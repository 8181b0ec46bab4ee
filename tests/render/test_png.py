"""PNG files that Pillow and libpng read as they were drawn."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from app.render.png import encode_png
from models.pictures import bands


def make_noise(mode: str, width: int, height: int) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(5).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(values.squeeze(2) if channels == 1 else values)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (63, 41)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_pixels_come_back(mode: str, size: tuple[int, int]) -> None:
    picture = make_noise(mode, *size)
    content = encode_png(picture)
    with Image.open(io.BytesIO(content)) as read:
        read.verify()
    with Image.open(io.BytesIO(content)) as read:
        assert (read.mode, read.size) == (mode, size)
        assert (np.asarray(read) == np.asarray(picture)).all()
    decoded = imagecodecs.png_decode(content).reshape(np.asarray(picture).shape)
    assert (decoded == np.asarray(picture)).all()


@pytest.mark.parametrize(
    "picture", [Image.new("P", (5, 4)), Image.new("I;16", (5, 4), 40_000), Image.new("1", (5, 4), 1)]
)
def test_other_modes_come_back_too(picture: Image.Image) -> None:
    with Image.open(io.BytesIO(encode_png(picture))) as read:
        assert read.mode == picture.mode
        assert (np.asarray(read) == np.asarray(picture)).all()


def test_bands_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = make_noise("RGB", 20, 10)
    whole = encode_png(picture)
    monkeypatch.setattr(bands, "BAND_PIXELS", 60)
    with Image.open(io.BytesIO(encode_png(picture))) as read, Image.open(io.BytesIO(whole)) as other:
        assert (np.asarray(read) == np.asarray(picture)).all()
        assert (np.asarray(other) == np.asarray(picture)).all()


def test_smooth_picture_is_small() -> None:
    ramp = Image.linear_gradient("L").resize((800, 600))
    assert len(encode_png(ramp)) < 20_000


@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_resolution_in_print_is_kept(mode: str) -> None:
    picture = make_noise("RGB", 8, 6).convert(mode)
    with Image.open(io.BytesIO(encode_png(picture, dots_per_inch=300))) as read:
        assert read.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_colour_profile_is_kept() -> None:
    picture = make_noise("RGB", 8, 6)
    picture.info["icc_profile"] = b"profile"
    with Image.open(io.BytesIO(encode_png(picture))) as read:
        assert read.info["icc_profile"] == b"profile"
