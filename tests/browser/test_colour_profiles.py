"""Pictures with colour profiles look as Chromium draws them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

from models.pictures.decoding import decode_picture
from tests.conftest import encode, make_picture
from tests.models.pictures.colour_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    make_grey_profile,
    make_ink_profile,
    make_rgb_profile,
)

pytestmark = pytest.mark.slow

MEAN_LEVELS = 2

DRAW = """async (address) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  const context = canvas.getContext("2d", { colorSpace: "srgb" });
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0);
  return canvas.toDataURL("image/png");
}"""

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}


def draw_in_browser(browser: Browser, data: bytes, form: str) -> Image.Image:
    page = browser.new_page()
    address = page.evaluate(DRAW, f"data:{MEDIA_TYPES[form]};base64,{base64.b64encode(data).decode()}")
    page.close()
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")


def make_colours(mode: str) -> Image.Image:
    """Strong colours, for which a profile matters."""
    colours = make_picture(96, 64, seed=5)
    return colours.convert(mode)


def measure(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    return float(np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).mean())


PROFILES = {
    "Display P3": make_rgb_profile(DISPLAY_P3, 2.2),
    "Adobe RGB": make_rgb_profile(ADOBE_RGB, 2.19921875),
    "a linear sRGB": make_rgb_profile(SRGB, 1.0),
    "a broken one": make_rgb_profile(DISPLAY_P3, 2.2)[:200],
}


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_rgb_with_a_profile_is_as_chromium_draws_it(browser: Browser, name: str, form: str) -> None:
    picture = make_colours("RGB")
    if (name, form) == ("a broken one", "AVIF"):
        # Chromium does not draw it at all; a broken profile costs no pixels here.
        assert decode_picture(encode(picture, form, icc_profile=PROFILES[name]), max_pixels=None).size == picture.size
        return
    options = {"quality": 95} if form == "AVIF" else {}
    data = encode(picture, form, icc_profile=PROFILES[name], **options)
    ours = decode_picture(data, max_pixels=None)
    assert measure(ours, draw_in_browser(browser, data, form)) < MEAN_LEVELS
    # The profile matters: without it the picture would be farther off than the bound.
    plain = decode_picture(encode(picture, form, **options), max_pixels=None)
    assert (measure(ours, plain) > MEAN_LEVELS) == (name != "a broken one")


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("profile", [make_grey_profile(1.0), make_rgb_profile(ADOBE_RGB, 1.8)], ids=["grey", "RGB"])
def test_grey_with_a_profile_is_as_chromium_draws_it(browser: Browser, form: str, profile: bytes) -> None:
    data = encode(make_colours("L"), form, icc_profile=profile)
    ours = decode_picture(data, max_pixels=None)
    assert measure(ours, draw_in_browser(browser, data, form)) < MEAN_LEVELS
    assert measure(ours, decode_picture(encode(make_colours("L"), form), max_pixels=None)) > MEAN_LEVELS


@pytest.mark.parametrize("has_profile", [True, False])
def test_inks_are_as_chromium_draws_them(browser: Browser, has_profile: bool) -> None:
    options = {"icc_profile": make_ink_profile()} if has_profile else {}
    data = encode(make_colours("CMYK"), "JPEG", quality=95, **options)
    assert measure(decode_picture(data, max_pixels=None), draw_in_browser(browser, data, "JPEG")) < MEAN_LEVELS


def test_transparent_colours_with_a_profile_are_as_chromium_draws_them(browser: Browser) -> None:
    layered = make_colours("RGB")
    layered.putalpha(Image.linear_gradient("L").resize(layered.size))
    data = encode(layered, icc_profile=PROFILES["Adobe RGB"])
    assert measure(decode_picture(data, max_pixels=None), draw_in_browser(browser, data, "PNG")) < MEAN_LEVELS


@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_is_as_chromium_draws_it(browser: Browser, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for form in ("JPEG", "PNG"):
        data = encode(make_colours("RGB"), form, exif=exif)
        assert measure(decode_picture(data, max_pixels=None), draw_in_browser(browser, data, form)) < MEAN_LEVELS
