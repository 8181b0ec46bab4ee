import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from app.python.pictures import read_picture
from models.pictures.errors import InvalidPicture
from tests.conftest import decode, encode, make_picture

PICTURE = make_picture(40, 30)
PIXELS = np.asarray(PICTURE)  # (30, 40, 3)

FORMS: dict[str, Callable[[], Any]] = {
    "bytes": lambda: encode(PICTURE),
    "bytearray": lambda: bytearray(encode(PICTURE)),
    "pillow": lambda: PICTURE,
    "uint8": lambda: PIXELS,
    "float64": lambda: PIXELS / 255,
    "float16": lambda: (PIXELS / 255).astype(np.float16),
    "not contiguous": lambda: np.asfortranarray(PIXELS),
    "read-only": lambda: np.broadcast_to(PIXELS, (1, *PIXELS.shape))[0],
    "tensor": lambda: torch.from_numpy(PIXELS.copy()).permute(2, 0, 1),
    "batch of one": lambda: torch.from_numpy(PIXELS / 255).permute(2, 0, 1)[None] * torch.ones(1, requires_grad=True),
    "bfloat16": lambda: torch.from_numpy(np.rint(PIXELS / 255)).permute(2, 0, 1).bfloat16(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_picture_has_the_same_pixels(form: str) -> None:
    pixels = np.asarray(decode(read_picture(FORMS[form]())).convert("RGB"))
    expected = np.rint(PIXELS / 255) * 255 if form == "bfloat16" else PIXELS
    assert np.array_equal(pixels, expected)


def test_path_is_read_as_it_is(tmp_path: Path) -> None:
    content = encode(PICTURE, "JPEG")
    (tmp_path / "a.jpg").write_bytes(content)
    assert read_picture(tmp_path / "a.jpg") == read_picture(str(tmp_path / "a.jpg")) == content


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 1)])
def test_grey_array_has_no_colours(shape: tuple[int, ...]) -> None:
    picture = decode(read_picture(PIXELS[:, :, 0].reshape(shape)))
    assert picture.mode == "L"
    assert np.array_equal(np.asarray(picture), PIXELS[:, :, 0])


def test_grey_tensor_has_no_colours() -> None:
    picture = decode(read_picture(torch.from_numpy(PIXELS[None, :, :, 0].copy())))
    assert (picture.mode, picture.size) == ("L", (40, 30))


def test_orientation_of_a_pillow_picture_is_applied_as_for_its_file() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    content = encode(PICTURE, "JPEG", exif=exif)
    assert decode(read_picture(Image.open(io.BytesIO(content)))).size == (30, 40)


def test_colour_profile_of_a_pillow_picture_is_kept() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    content = encode(PICTURE, "PNG", icc_profile=profile)
    assert decode(read_picture(Image.open(io.BytesIO(content)))).info["icc_profile"] == profile


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "LAB", "RGBa", "1", "P", "RGBA", "LA"])
def test_pillow_picture_of_any_colours_is_read(mode: str) -> None:
    intermediate = "RGBA" if mode == "RGBa" else mode
    picture = Image.new("RGB", (4, 3), (250, 10, 10)) if mode == "LAB" else PICTURE.convert(intermediate)
    made = picture if mode in (intermediate, "LAB") else picture.convert(mode)
    assert decode(read_picture(made)).size == made.size


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (np.zeros((3, 30, 40), np.uint8), r"\(H, W, 3\).*got \(3, 30, 40\).*channels last"),
        (np.zeros((2, 30, 40, 3), np.uint8), "give one picture"),
        (np.zeros((0, 40, 3), np.uint8), r"got \(0, 40, 3\)"),
        (np.zeros((30, 40), np.uint16), "got uint16; divide by the value of white"),
        (np.zeros((30, 40), bool), "got bool"),
        (np.full((30, 40), 255.0), "in 0..1; got 255 to 255; divide by 255"),
        (np.full((30, 40), np.nan), "got nan to nan"),
        (np.full((30, 40), -0.1), "before it is normalised"),
        (torch.zeros(30, 40, 3), r"got \(30, 40, 3\).*channels first"),
        (torch.zeros(2, 3, 30, 40), "give one picture"),
        (torch.randn(3, 30, 40, generator=torch.Generator().manual_seed(0)), "before it is normalised"),
        (Image.new("F", (4, 4)), "mode is 'F'"),
        (Image.new("I", (4, 4)), "mode is 'I'"),
    ],
)
def test_wrong_picture_is_refused_with_the_rule_and_the_remedy(picture: Any, told: str) -> None:
    with pytest.raises(InvalidPicture, match=told):
        read_picture(picture)


def test_broken_pillow_picture_is_refused() -> None:
    content = encode(PICTURE, "JPEG")
    with pytest.raises(InvalidPicture, match="save it again"):
        read_picture(Image.open(io.BytesIO(content[:-100])))


def test_other_types_are_no_picture() -> None:
    with pytest.raises(TypeError, match="got list"):
        read_picture([[0, 1]])  # type: ignore[arg-type]


def test_missing_file_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError, match=r"no-such\.jpg"):
        read_picture("no-such.jpg")
