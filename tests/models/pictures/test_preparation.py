import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from models.lineups.lineup import Lineup
from models.names import Geometry, Resolution
from models.pictures.decoding import decode_picture, decode_reduced
from models.pictures.placement import place
from models.pictures.preparation import prepare_input
from tests.conftest import encode, make_picture


def test_prepare_input_equals_torchvisions_resize_and_crop(lineup: Lineup) -> None:
    picture = make_picture(500, 333)
    preprocessing = lineup.card.preprocessing
    placement = place(500, 333, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_160)
    theirs = v2.Compose(
        [
            v2.Resize(160, interpolation=v2.InterpolationMode.BILINEAR),
            v2.CenterCrop(160),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(preprocessing.mean, preprocessing.standard_deviation),
        ]
    )(picture)
    ours = prepare_input(picture, placement, preprocessing)
    # One step of 8 bits, divided by the smallest deviation.
    assert np.abs(ours - theirs.numpy()).max() <= 1.01 / 255 / 0.224


def test_prepare_input_sees_the_box_and_nothing_else(lineup: Lineup) -> None:
    picture = Image.new("RGB", (400, 200), "black")
    # The filter reaches two pixels over the border, as it does when a whole resized picture is cropped.
    picture.paste("white", (98, 0, 302, 200))
    placement = place(400, 200, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_160)
    values = prepare_input(picture, placement, lineup.card.preprocessing)
    assert values.shape == (3, 160, 160)
    assert np.ptp(values, axis=(1, 2)).max() == pytest.approx(0, abs=1e-6)


def test_input_of_a_reduced_copy_is_close_to_that_of_the_whole(lineup: Lineup) -> None:
    data = encode(make_picture(1500, 1100), "JPEG", quality=95)
    placement = place(1500, 1100, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_160)
    reduced = decode_reduced(data, max_pixels=2_000_000, shorter_side=240).image
    assert reduced.size != (1500, 1100)
    inputs = [
        prepare_input(picture, placement, lineup.card.preprocessing)
        for picture in (reduced, decode_picture(data, max_pixels=2_000_000))
    ]
    assert np.abs(inputs[0] - inputs[1]).max() < 0.1
