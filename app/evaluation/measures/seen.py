"""The part of an object that the networks saw, and maps spread over the same pixels.

Everything is compared in the picture's own pixels, inside the box that the networks saw. Maps are interpolated as on
the page. The part of the object outside the box counts in no metric; `hidden_share` is its size.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.explain.maps import FloatArray
from app.render.spread import spread_map
from models.pictures.placement import Placement

BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SeenObject:
    """The part of an object that the networks saw.

    Attributes:
        mask: (h, w), one value per pixel of the picture inside the box.
        left, upper: the box's corner in the picture's pixels.
        hidden_share: the share of the object's pixels that lie outside the box, 0..1.
    """

    mask: BoolArray
    left: int
    upper: int
    hidden_share: float

    @classmethod
    def cut(cls, mask: BoolArray, placement: Placement) -> "SeenObject":
        """Cut the seen part out of a whole picture's mask, (H, W)."""
        # Round to whole pixels as the overlay does.
        left, upper = round(placement.left), round(placement.upper)
        right, lower = max(left + 1, round(placement.right)), max(upper + 1, round(placement.lower))
        seen = mask[upper:lower, left:right]
        return cls(seen, left, upper, hidden_share=1 - float(seen.sum() / max(1, mask.sum())))

    @property
    def is_seen(self) -> bool:
        """Whether any of it was seen."""
        return bool(self.mask.any())

    @property
    def share(self) -> float:
        """Its share of the seen picture, 0..1."""
        return float(self.mask.mean())

    @property
    def has_centre(self) -> bool:
        """Whether the centre of the seen picture lies on it."""
        height, width = self.mask.shape
        return bool(self.mask[height // 2, width // 2])

    def spread(self, values: FloatArray) -> FloatArray:
        """Interpolate a map, (H, W), to the mask's pixels, (h, w)."""
        height, width = self.mask.shape
        return spread_map(values, (width, height))

    def is_hit(self, x: float, y: float, *, tolerance_pixels: float) -> bool:
        """Whether a point of the picture lies on the seen part of the object, or within the tolerance."""
        height, width = self.mask.shape
        column = min(max(int(x) - self.left, 0), width - 1)
        row = min(max(int(y) - self.upper, 0), height - 1)
        if self.mask[row, column] or not tolerance_pixels:
            return bool(self.mask[row, column])
        rows, columns = np.nonzero(self.mask)
        return bool(np.hypot(rows - row, columns - column).min() <= tolerance_pixels)
