"""`app.render.outline`: the line lies where the map crosses the value, and nowhere else."""

import numpy as np
import pytest
from PIL import Image

from app.explain.maps import FloatArray
from app.render.outline import HALO_COLOUR, LINE_COLOUR, draw_outline

GREY = (90, 120, 90)


def find_line(values: FloatArray, level: float) -> np.ndarray:
    """Where something was drawn, (H, W)."""
    height, width = values.shape
    drawn = Image.new("RGB", (width, height), GREY)
    draw_outline(drawn, values, level)
    has_changed: np.ndarray = (np.asarray(drawn) != np.array(GREY)).any(axis=2)
    return has_changed


def make_cone(height: int, width: int) -> FloatArray:
    """The distance to the middle, negative, so that the highest value is there."""
    rows, columns = np.mgrid[:height, :width]
    distance: FloatArray = np.hypot(rows - height // 2, columns - width // 2).astype(np.float32)
    return -distance


@pytest.mark.parametrize(("height", "width"), [(120, 160), (2400, 3200)])
def test_line_is_a_ring_at_the_value(height: int, width: int) -> None:
    cone = make_cone(height, width)
    radius = height / 3
    distance = np.abs(-cone - radius)
    line = find_line(cone, -radius)
    thickness = max(2.5, max(height, width) / 100)
    assert line[distance < 0.4].all()
    assert not line[distance > thickness].any()


def test_line_has_a_halo() -> None:
    drawn = Image.new("RGB", (400, 400), GREY)
    draw_outline(drawn, make_cone(400, 400), -100.0)
    colours = {colour for _, colour in drawn.getcolors() or ()}
    assert colours == {GREY, LINE_COLOUR, HALO_COLOUR}


def test_line_is_closed_at_the_edge() -> None:
    ramp = np.tile(np.linspace(0, 1, 100, dtype=np.float32), (60, 1))
    line = find_line(ramp, 0.5)
    assert line[:, 49:51].all(axis=0).any()
    assert line[0, 60:].all()
    assert line[-1, 60:].all()
    assert line[:, -1].all()
    assert not line[5:-5, 60:95].any()


def test_nothing_that_reaches_the_value_means_no_line() -> None:
    assert not find_line(make_cone(50, 50), 1.0).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_a_map_that_reaches_the_value_everywhere_is_framed(shape: tuple[int, int]) -> None:
    assert find_line(np.ones(shape, dtype=np.float32), 0.5).any()
