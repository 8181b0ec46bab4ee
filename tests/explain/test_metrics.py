import numpy as np
import pytest

from app.explain.maps import HeatMap
from app.explain.metrics import compare_heat_maps, measure_heat_map
from models.names import Geometry, Resolution
from models.pictures.placement import Placement, place


@pytest.fixture
def placement() -> Placement:
    """A 400 x 200 picture; the networks saw the square 100..300."""
    return place(400, 200, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_160)


def make_map(values: list[list[float]]) -> HeatMap:
    return HeatMap(np.array(values, dtype=np.float32))


def test_describe_heat_map_gives_known_numbers(placement: Placement) -> None:
    statistics = measure_heat_map(make_map([[0, 1], [4, 3]]), placement)
    assert (statistics.minimum, statistics.maximum, statistics.mean) == (0, 4, 2)
    # The lower left of four cells of 100 x 100 pixels.
    assert (statistics.peak_x, statistics.peak_y) == (150, 150)
    assert statistics.share_above_half == pytest.approx(7 / 8)


def test_describe_heat_map_without_evidence_has_no_peak(placement: Placement) -> None:
    statistics = measure_heat_map(make_map([[0, 0], [0, 0]]), placement)
    assert (statistics.peak_x, statistics.peak_y, statistics.share_above_half) == (None, None, None)


def test_compare_heat_maps_of_equal_maps_is_perfect(placement: Placement) -> None:
    heat_map = make_map([[0, 1], [4, 3]])
    comparison = compare_heat_maps(heat_map, heat_map, placement)
    assert comparison.correlation == pytest.approx(1)
    assert comparison.overlap == 1
    assert comparison.peak_distance == 0


def test_compare_heat_maps_gives_known_numbers(placement: Placement) -> None:
    comparison = compare_heat_maps(make_map([[1, 0], [0, 0.7]]), make_map([[0, 2], [0, 2]]), placement)
    # At 0.6 of the maximum: {upper left, lower right} and {upper right, lower right}.
    assert comparison.overlap == pytest.approx(1 / 3)
    assert comparison.peak_distance == pytest.approx(100 / np.hypot(400, 200))
    assert comparison.correlation == pytest.approx(np.corrcoef([1, 0, 0, 0.7], [0, 2, 0, 2])[0, 1], abs=1e-6)


def test_compare_heat_maps_without_evidence_is_undefined(placement: Placement) -> None:
    comparison = compare_heat_maps(make_map([[0, 0]]), make_map([[0, 1]]), placement)
    assert (comparison.correlation, comparison.overlap, comparison.peak_distance) == (None, None, None)
