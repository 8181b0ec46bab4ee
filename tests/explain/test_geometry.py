"""A map is drawn on the pixels that produced it: decoding, input and drawing, with the picture as its own map."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.render.colour_scale import ColourScale
from app.render.overlay import Drawing, Render, draw_map
from models.names import Geometry, Resolution
from models.pictures.decoding import decode_picture
from models.pictures.placement import place
from models.pictures.preparation import Preprocessing, prepare_input
from tests.conftest import encode, make_picture

PLAIN = Preprocessing(
    mean=(0, 0, 0), standard_deviation=(1, 1, 1), geometry=Geometry.WHOLE, resolution=Resolution.PIXELS_224
)
STRIDE = 8


def correlate(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("geometry", Geometry)
@pytest.mark.parametrize("size", [(300, 200), (200, 300), (211, 307), (1200, 150), (150, 1200), (97, 97)])
def test_map_of_the_pictures_own_brightness_lies_on_the_picture(
    size: tuple[int, int], geometry: Geometry, orientation: int
) -> None:
    upright = make_picture(*size, seed=5)
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    picture = decode_picture(encode(stored, exif=exif), max_pixels=1_000_000)
    placement = place(*picture.size, geometry=geometry, resolution=Resolution.PIXELS_224)
    brightness = prepare_input(picture, placement, PLAIN).mean(axis=0)  # (H, W)
    height, width = brightness.shape
    # A network without weights: the mean of each 8 x 8 cell.
    cells = brightness.reshape(height // STRIDE, STRIDE, width // STRIDE, STRIDE).mean(axis=(1, 3))
    drawing = Drawing(Render.GRAY, ColourScale("viridis", 0.0, 1.0))
    drawn = draw_map(picture, cells, placement, drawing)
    assert drawn.size == size
    left, upper, right, lower = (round(value) for value in placement.box)
    seen = np.asarray(upright, dtype=float).mean(axis=2)[upper:lower, left:right]
    mapped = np.asarray(drawn.getchannel(0), dtype=float)[upper:lower, left:right]
    shift = max(2, min(seen.shape) // 20)
    in_place = correlate(seen, mapped)
    assert in_place > 0.98
    assert in_place > correlate(seen[:, shift:], mapped[:, :-shift])
    assert in_place > correlate(seen[:, :-shift], mapped[:, shift:])
    assert in_place > correlate(seen[shift:], mapped[:-shift])
    assert in_place > correlate(seen[:-shift], mapped[shift:])
