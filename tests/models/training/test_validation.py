"""Validation sees what the program sees."""

import numpy as np
import pytest
import torch
from PIL import Image

from app.explain.image_input import decode_picture, prepare_input
from app.explain.placement import place
from models.lineups.card import Preprocessing
from models.names import Geometry, Resolution
from models.networks.staged import StagedNetwork
from models.training.data.augmentation import normalise
from models.training.data.decoding import decode_upright
from models.training.data.listing import EncodedPicture
from models.training.learning.validation import ValidationSet, fit
from models.training.running.errors import TrainingError
from models.training.running.processes import Processes
from tests.conftest import encode, make_picture

ALONE = Processes(torch.device("cpu"))


@pytest.mark.parametrize("geometry", list(Geometry))
@pytest.mark.parametrize("resolution", [Resolution.PIXELS_160, Resolution.PIXELS_224])
@pytest.mark.parametrize("size", [(300, 200), (199, 301), (500, 120), (97, 330), (64, 64), (225, 224), (224, 463)])
def test_input_is_the_programs_own(size: tuple[int, int], resolution: Resolution, geometry: Geometry) -> None:
    content = encode(make_picture(*size), "JPEG")
    picture = decode_picture(content, max_pixels=10**7)
    placement = place(*size, geometry=geometry, resolution=resolution)
    expected = prepare_input(picture, placement, Preprocessing())
    fitted = fit(decode_upright(content), geometry=geometry, resolution=resolution)
    values = torch.from_numpy(fitted.copy()).permute(2, 0, 1)[None].float() / 255
    assert normalise(values, Preprocessing())[0].numpy() == pytest.approx(expected, abs=1e-3)


class BrightnessNetwork(StagedNetwork):
    """Says class 1 for bright pictures, class 0 for dark ones, and never one of the five others."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        brightness = batch.mean(dim=(1, 2, 3))  # (N,)
        others = torch.arange(5.0).expand(len(batch), 5) - 100
        return torch.cat((torch.stack((-brightness, brightness), dim=1), others), dim=1)


def test_measure_counts_first_and_among_five() -> None:
    shades = {"dark": 10, "bright": 240}
    pictures = [
        EncodedPicture(f"x/{name}/{number}.png", class_index, encode(make_flat(shade, number)))
        for number, (name, class_index) in enumerate([("dark", 0), ("bright", 1), ("bright", 0), ("dark", 2)])
        for shade in [shades[name]]
    ]
    validation = ValidationSet.read("x", pictures, list(Geometry), Resolution.PIXELS_160)
    scores = validation.measure(BrightnessNetwork(), preprocessing=Preprocessing(), processes=ALONE)
    for geometry in Geometry:
        assert scores[geometry].pictures == 4
        assert scores[geometry].top1 == 0.5
        # The third picture's class is second; the fourth's is last of seven.
        assert scores[geometry].top5 == 0.75


def make_flat(shade: int, number: int) -> Image.Image:
    return Image.new("RGB", (40 + 30 * number, 50), (shade, shade, shade))


def test_unreadable_validation_picture_is_an_error() -> None:
    with pytest.raises(TrainingError, match=r"x/y/z\.png cannot be validated on"):
        ValidationSet.read("x", [EncodedPicture("x/y/z.png", 0, b"no")], [Geometry.WHOLE], Resolution.PIXELS_160)


def test_fit_answers_bytes() -> None:
    fitted = fit(make_picture(100, 80), geometry=Geometry.WHOLE, resolution=Resolution.PIXELS_160)
    assert fitted.dtype == np.uint8
    assert fitted.shape == (160, 192, 3)
