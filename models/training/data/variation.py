"""The random variation of each picture of a batch, drawn before any pixel is read."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.training.data.store import Integers
from models.training.recipes.recipe import AugmentationRecipe, Shape

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Variation:
    """The random draws for one batch.

    Attributes:
        boxes: each crop's top, left, height and width in its picture's pixels, (N, 4).
        flips: whether left and right are swapped, (N,).
        colours: factors of brightness, contrast and saturation, (N, 3).
    """

    boxes: Integers
    flips: NDArray[np.bool_]
    colours: Floats

    def take(self, part: slice) -> "Variation":
        """The draws of a part of the batch."""
        return Variation(self.boxes[part], self.flips[part], self.colours[part])


def draw_variation(
    generator: np.random.Generator, *, heights: Integers, widths: Integers, shape: Shape, recipe: AugmentationRecipe
) -> Variation:
    """Draw a crop, a flip and colours for each picture of a batch.

    A crop has a share of its picture's area, and the batch's aspect times a factor. A crop that would be longer than
    its picture gets the picture's length. The picture is then stretched and not cut, so a picture whose aspect is close
    to the batch's is seen as a whole, as with `whole`. torchvision's RandomResizedCrop tries ten times and then takes
    the centre, and has one aspect for all batches.

    Args:
        generator: the source of random numbers.
        heights: the pictures' heights in pixels, (N,).
        widths: the pictures' widths in pixels, (N,).
        shape: the batch's height and width.
        recipe: the limits of the variation.
    """
    count = len(heights)
    factor = np.exp(generator.uniform(-1, 1, count) * np.log(recipe.aspect))
    aspect = shape[1] / shape[0] * factor
    area = generator.uniform(recipe.smallest_area, 1, count) * heights * widths
    crop_widths = np.clip(np.rint(np.sqrt(area * aspect)), 1, widths).astype(np.int64)
    crop_heights = np.clip(np.rint(np.sqrt(area / aspect)), 1, heights).astype(np.int64)
    tops = np.floor(generator.random(count) * (heights - crop_heights + 1)).astype(np.int64)
    lefts = np.floor(generator.random(count) * (widths - crop_widths + 1)).astype(np.int64)
    spread = np.array([recipe.brightness, recipe.contrast, recipe.saturation])
    return Variation(
        boxes=np.stack((tops, lefts, crop_heights, crop_widths), axis=1),
        flips=generator.random(count) < recipe.flip,
        colours=1 + generator.uniform(-1, 1, (count, 3)) * spread,
    )
