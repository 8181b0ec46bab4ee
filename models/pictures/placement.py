"""The place of a network's input on the picture.

A heat map is drawn only on the pixels that the network saw.
"""

from dataclasses import dataclass

from models.names import Geometry, Resolution

LONGEST_SIDE = 2
"""The limit of the longer side of `whole`, as a multiple of the resolution: 448 pixels at 224."""

STEP = 32
"""By how much most networks reduce their input; sides are multiples of it."""

SMALL_STEPS = {Resolution.PIXELS_28: 4, Resolution.PIXELS_32: 8}
"""The same for the smallest pictures: CIFAR's stem keeps more of them, and 28 is a multiple of no more than 4."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The part of the picture that a network saw, and the size of its input.

    Attributes:
        left, upper, right, lower: the box in the picture's pixels (upright, EXIF orientation applied).
        input_width, input_height: the network's input in pixels.
        picture_width, picture_height: the picture's size in pixels.
    """

    left: float
    upper: float
    right: float
    lower: float
    input_width: int
    input_height: int
    picture_width: int
    picture_height: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, upper, right, lower in the picture's pixels."""
        return self.left, self.upper, self.right, self.lower

    @property
    def is_cropped(self) -> bool:
        """Whether the network did not see part of the picture; less than one pixel, from rounding, does not count."""
        hidden_width = self.picture_width - (self.right - self.left)
        hidden_height = self.picture_height - (self.lower - self.upper)
        return max(hidden_width, hidden_height) >= 1


def place(width: int, height: int, *, geometry: Geometry, resolution: Resolution, crop_share: float = 1.0) -> Placement:
    """Where a network's input lies on a picture.

    `center_crop`: the shorter side becomes `resolution` / `crop_share`, a square of `resolution` at the centre is seen.
    `whole`: the shorter side becomes `resolution`, the longer one is rounded to a multiple of 32 (of 8 at 32 pixels
    and of 4 at 28, whose networks reduce less) and capped at twice `resolution`; what is beyond is cropped from the
    centre.

    Args:
        width: the picture's width in pixels.
        height: its height in pixels.
        geometry: one of these two.
        resolution: the input's shorter side in pixels.
        crop_share: of the resized picture's shorter side, in 0..1; nothing to `whole`.
    """
    shorter, longer = min(width, height), max(width, height)
    across: tuple[float, float] = (0, shorter)
    if geometry is Geometry.CENTER_CROP:
        # As torchvision's Resize and CenterCrop place it: whole pixels of the resized picture.
        resized = round(resolution / crop_share)
        across = _crop_centre(shorter, resized, resolution)
        along = _crop_centre(longer, max(resized, int(resized * longer / shorter)), resolution)
        input_length: int = resolution
    else:
        along, input_length = _fit_longer(longer, shorter, resolution)
    if width >= height:
        return Placement(along[0], across[0], along[1], across[1], input_length, resolution, width, height)
    return Placement(across[0], along[0], across[1], along[1], resolution, input_length, width, height)


def _crop_centre(side: int, resized: int, resolution: int) -> tuple[float, float]:
    """From where to where `resolution` pixels at the centre of a side lie, once it is resized."""
    margin = round((resized - resolution) / 2)
    return margin * side / resized, min(side, (margin + resolution) * side / resized)


def _fit_longer(longer: int, shorter: int, resolution: Resolution) -> tuple[tuple[float, float], int]:
    cap = LONGEST_SIDE * resolution
    step = SMALL_STEPS.get(resolution, STEP)
    rounded = round(longer * resolution / shorter / step) * step
    if rounded <= cap:
        return (0, longer), max(resolution, rounded)
    margin = (longer - LONGEST_SIDE * shorter) / 2
    return (max(0, margin), min(longer, longer - margin)), cap
