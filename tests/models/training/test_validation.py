"""Validation prepares pictures as the program does."""

import numpy as np
import pytest
import torch
from PIL import Image

from models.names import Geometry, Resolution
from models.networks.staged import StagedNetwork
from models.pictures.decoding import decode_picture
from models.pictures.placement import place
from models.pictures.preparation import Preprocessing, prepare_input
from models.training.data.listing import EncodedPicture
from models.training.learning.validation import ValidationSet
from models.training.running.errors import TrainingError
from models.training.running.processes import Processes
from tests.conftest import encode, make_picture

ALONE = Processes(torch.device("cpu"))


class EchoNetwork(StagedNetwork):
    """A network that records its input and answers class 0."""

    def __init__(self) -> None:
        super().__init__()
        self.fed: list[torch.Tensor] = []

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.fed.append(batch)
        return torch.eye(7)[torch.zeros(len(batch), dtype=torch.int64)]


@pytest.mark.parametrize("geometry", list(Geometry))
@pytest.mark.parametrize("resolution", [Resolution.PIXELS_160, Resolution.PIXELS_224])
@pytest.mark.parametrize("size", [(300, 200), (199, 301), (500, 120), (97, 330), (64, 64), (225, 224), (224, 463)])
def test_network_is_fed_what_a_request_is(size: tuple[int, int], resolution: Resolution, geometry: Geometry) -> None:
    content = encode(make_picture(*size), "JPEG")
    placement = place(*size, geometry=geometry, resolution=resolution)
    expected = prepare_input(decode_picture(content, max_pixels=10**7), placement, Preprocessing())
    network = EchoNetwork()
    validation = ValidationSet.read("x", [EncodedPicture("x/y/z.jpg", 0, content)], [geometry], resolution)
    validation.measure(network, preprocessing=Preprocessing(), processes=ALONE)
    assert np.array_equal(network.fed[0][0].numpy(), expected)


class BrightnessNetwork(StagedNetwork):
    """A network that answers class 1 for bright pictures, class 0 for dark ones, and never one of the five others."""

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
    with pytest.raises(TrainingError, match=r"x/y/z\.png cannot be validated:"):
        ValidationSet.read("x", [EncodedPicture("x/y/z.png", 0, b"no")], [Geometry.WHOLE], Resolution.PIXELS_160)


def test_pictures_wait_as_bytes() -> None:
    content = encode(make_picture(100, 80))
    validation = ValidationSet.read("x", [EncodedPicture("x/y/z.png", 0, content)], [Geometry.WHOLE], Resolution(160))
    (batch,) = validation.batches[Geometry.WHOLE]
    assert batch.pictures.dtype == torch.uint8
    assert batch.pictures.shape == (1, 3, 160, 192)


def test_centre_crop_sees_the_share_of_the_recipe() -> None:
    """At 1.0, 224 pixels of 224 were seen where everybody else's accuracy is of 224 of 256."""
    picture = make_picture(300, 256)
    content = encode(picture)
    (batch,) = ValidationSet.read(
        "x",
        [EncodedPicture("x/y/z.png", 0, content)],
        [Geometry.CENTER_CROP],
        Resolution.PIXELS_224,
        crop_share=0.875,
    ).batches[Geometry.CENTER_CROP]
    wanted = np.asarray(picture)[16:240, 38:262]
    assert (batch.pictures[0].permute(1, 2, 0).numpy() == wanted).all()


def test_fixed_pictures_are_spread_over_all_and_always_the_same() -> None:
    pictures = [
        EncodedPicture(f"x/y/{number}.png", number, encode(make_picture(40, 40, seed=number))) for number in range(9)
    ]
    validation = ValidationSet.read("x", pictures, [Geometry.WHOLE, Geometry.CENTER_CROP], Resolution(160))
    fixed = validation.list_fixed(3)
    assert [class_index for _, class_index in fixed] == [0, 3, 6]
    assert all(seen.shape == (160, 160, 3) for seen, _ in fixed)
    assert [class_index for _, class_index in validation.list_fixed(50)] == list(range(9))
