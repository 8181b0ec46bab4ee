"""Preparing an upright picture as a network's input."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from models.names import Geometry, Resolution
from models.pictures.placement import Placement

Mean = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]

Deviation = Annotated[float, Field(ge=0.001, le=1000, allow_inf_nan=False)]
"""The input is divided by it: far smaller ones would make it infinite."""


class Preprocessing(BaseModel):
    """The preprocessing that the networks were trained with; mean and deviation per RGB channel, for values in 0..1.

    The defaults are what networks trained on ImageNet usually want.

    Attributes:
        crop_share: of the resized picture's shorter side that a centre crop sees; 0.875 where 256 pixels are resized to
            and 224 are cropped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: tuple[Mean, Mean, Mean] = (0.485, 0.456, 0.406)
    standard_deviation: tuple[Deviation, Deviation, Deviation] = (0.229, 0.224, 0.225)
    geometry: Geometry = Geometry.CENTER_CROP
    resolution: Resolution = Resolution.PIXELS_224
    crop_share: float = Field(default=1.0, gt=0, le=1)


def resize_seen(picture: Image.Image, placement: Placement) -> NDArray[np.uint8]:
    """Crop and resize the part that a network sees, before normalisation.

    Pillow crops and resizes in one step; torchvision would round the crop to whole pixels first.

    Args:
        picture: upright RGB; it may be a smaller copy of the picture that `placement` is for.
        placement: the result of `place` for this picture.

    Returns:
        (H, W, 3) uint8.
    """
    size = (placement.input_width, placement.input_height)
    across, down = picture.width / placement.picture_width, picture.height / placement.picture_height
    left, upper, right, lower = placement.box
    box = (left * across, upper * down, min(picture.width, right * across), min(picture.height, lower * down))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR, box=box))


def prepare_input(picture: Image.Image, placement: Placement, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Make the normalised input of a network.

    Args:
        picture: as for `resize_seen`.
        placement: likewise.
        preprocessing: mean and standard deviation per channel, for values in 0..1.

    Returns:
        (3, H, W) float32.
    """
    return normalise(resize_seen(picture, placement), preprocessing)


def normalise(seen: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Make the normalised input of a network from the pixels that it sees.

    Args:
        seen: (H, W, 3), from `resize_seen`.
        preprocessing: mean and standard deviation per channel, for values in 0..1.

    Returns:
        (3, H, W) float32.
    """
    values = seen.astype(np.float32) / np.float32(255)  # (H, W, 3)
    mean = np.asarray(preprocessing.mean, dtype=np.float32)
    deviation = np.asarray(preprocessing.standard_deviation, dtype=np.float32)
    return np.ascontiguousarray(((values - mean) / deviation).transpose(2, 0, 1))  # (3, H, W)
