"""The place of a network's input on the picture.

A heat map is drawn only on the pixels that the network saw.
"""

from dataclasses import dataclass

from models.names import Geometry, Resolution

LONGEST_SIDE = 2
"""The limit of the longer side of `whole`, as a multiple of the resolution: 448 pixels at 224."""


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


def place(width: int, height: int, *, geometry: Geometry, resolution: Resolution) -> Placement:
    """Find the place of a network's input on a picture.

    `center_crop`: the shorter side becomes `resolution`, and the network sees the square at the centre. `whole`: the
    shorter side becomes `resolution`; the longer side is rounded to a multiple of 32 and limited to twice `resolution`,
    and the part beyond the limit is cropped equally at both ends.

    Args:
        width: the picture's width in pixels.
        height: its height in pixels.
        geometry: one of these two.
        resolution: the input's shorter side in pixels.
    """
    shorter, longer = min(width, height), max(width, height)
    seen, input_length = (
        _crop_square(longer, shorter, resolution)
        if geometry is Geometry.CENTER_CROP
        else _fit_longer(longer, shorter, resolution)
    )
    start, end = seen
    if width >= height:
        return Placement(start, 0, end, height, input_length, resolution, width, height)
    return Placement(0, start, width, end, resolution, input_length, width, height)


def _crop_square(longer: int, shorter: int, resolution: int) -> tuple[tuple[float, float], int]:
    # The same place as torchvision's Resize and CenterCrop: whole pixels of the resized picture.
    resized = max(resolution, int(resolution * longer / shorter))
    margin = round((resized - resolution) / 2)
    scale = longer / resized
    return (margin * scale, min(longer, (margin + resolution) * scale)), resolution


def _fit_longer(longer: int, shorter: int, resolution: int) -> tuple[tuple[float, float], int]:
    cap = LONGEST_SIDE * resolution
    rounded = round(longer * resolution / shorter / 32) * 32
    if rounded <= cap:
        return (0, longer), max(resolution, rounded)
    margin = (longer - LONGEST_SIDE * shorter) / 2
    return (max(0, margin), min(longer, longer - margin)), cap
