"""Augmentation of whole batches agrees with torchvision's augmentation of single pictures."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from models.pictures.preparation import Preprocessing
from models.training.data.augmentation import normalise, resample, vary_colours, weigh

RANDOM = np.random.default_rng(3)


def make_crops() -> tuple[torch.Tensor, torch.Tensor]:
    """Crops of several sizes on canvases with random values beside them, and their sizes."""
    sizes = torch.tensor([[40, 70], [64, 64], [9, 33], [90, 20]])
    return torch.from_numpy(RANDOM.integers(0, 256, (4, 96, 72, 3), dtype=np.uint8)), sizes


@pytest.mark.parametrize("shape", [(32, 32), (64, 96), (33, 50)])
def test_resample_is_torchvisions_antialiased_resize(shape: tuple[int, int]) -> None:
    canvas, sizes = make_crops()
    flips = torch.tensor([False, True, True, False])
    result = resample(canvas, sizes=sizes, flips=flips, shape=shape)
    for place, (height, width) in enumerate(sizes.tolist()):
        crop = canvas[place, :height, :width].permute(2, 0, 1).float() / 255
        expected = functional.resize(crop, list(shape), antialias=True)
        expected = expected.flip(2) if flips[place] else expected
        assert result[place].numpy() == pytest.approx(expected.numpy(), abs=1e-3)


def test_resample_at_the_crops_own_size_changes_nothing() -> None:
    canvas, _ = make_crops()
    sizes = torch.tensor([[96, 72]] * 4)
    result = resample(canvas, sizes=sizes, flips=torch.zeros(4, dtype=torch.bool), shape=(96, 72))
    assert (result.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).equal(canvas)


def test_weights_of_each_sample_sum_to_one_and_stay_in_the_crop() -> None:
    weights = weigh(torch.tensor([5, 40]), torch.tensor([False, True]), length=48, samples=16)
    assert weights.sum(dim=2).numpy() == pytest.approx(1)
    assert (weights >= 0).all()
    assert not weights[0, :, 5:].any()
    assert weights[1, 0].argmax() > weights[1, -1].argmax()


def test_colours_are_torchvisions_adjustments_in_turn(generator: torch.Generator) -> None:
    pictures = torch.rand(3, 3, 8, 9, generator=generator)
    factors = torch.tensor([[1.3, 0.7, 1.2], [0.6, 1.4, 0.5], [1.0, 1.0, 1.0]])
    result = vary_colours(pictures, factors)
    for picture, (brightness, contrast, saturation), varied in zip(pictures, factors.tolist(), result, strict=True):
        expected = functional.adjust_brightness(picture, brightness)
        expected = functional.adjust_contrast(expected, contrast)
        expected = functional.adjust_saturation(expected, saturation)
        assert varied.numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def test_normalise_puts_the_channels_innermost() -> None:
    result = normalise(torch.full((2, 3, 4, 4), 0.5), Preprocessing(mean=(0.5, 0.4, 0.3)))
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert result[0, :, 0, 0].tolist() == pytest.approx([0, 0.1 / 0.224, 0.2 / 0.225])
