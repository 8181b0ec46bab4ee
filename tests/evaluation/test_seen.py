import numpy as np
import pytest

from app.evaluation.measures.localisation import locate
from app.evaluation.measures.seen import SeenObject
from app.evaluation.results.metrics import Metric
from models.names import Geometry, Resolution
from models.pictures.placement import place
from tests.evaluation.makers import make_map, make_mask, see_whole


def test_seen_object_of_a_portrait_picture_is_cut_by_a_centre_crop() -> None:
    """100 x 300 pixels; the networks see rows 100 to 200; the object is the left half of rows 150 to 250."""
    mask = make_mask(300, 100, rows=slice(150, 250), columns=slice(0, 50))
    placement = place(100, 300, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_160)
    seen = SeenObject.cut(mask, placement)
    assert seen.mask.shape == (100, 100)
    assert seen.hidden_share == pytest.approx(0.5)
    assert seen.share == pytest.approx(0.25)
    # The map's lower left position covers the picture's rows 150 to 200, which are all on the object.
    values = locate(make_map([[0, 0], [1, 0]]), seen, placement, tolerance_pixels=0)
    assert values[Metric.POINTING] == 1
    upper = locate(make_map([[1, 0], [0, 0]]), seen, placement, tolerance_pixels=0)
    assert upper[Metric.POINTING] == 0


def test_seen_object_of_a_portrait_picture_is_all_there_with_whole() -> None:
    mask = make_mask(300, 200, rows=slice(225, 300), columns=slice(0, 200))
    placement = place(200, 300, geometry=Geometry.WHOLE, resolution=Resolution.PIXELS_160)
    seen = SeenObject.cut(mask, placement)
    assert (seen.mask.shape, seen.hidden_share) == ((300, 200), 0)
    assert seen.share == pytest.approx(0.25)
    # Four rows of positions, 75 pixels each: the last is the object.
    values = locate(make_map([[0], [0], [0], [1]]), seen, placement, tolerance_pixels=0)
    assert values[Metric.POINTING] == 1


def test_seen_object_that_lies_beside_the_crop_is_not_seen() -> None:
    mask = make_mask(100, 400, rows=slice(0, 100), columns=slice(0, 100))
    seen = SeenObject.cut(mask, place(400, 100, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_160))
    assert (seen.is_seen, seen.hidden_share) == (False, 1)


def test_seen_object_says_whether_the_centre_lies_on_it() -> None:
    middle, _ = see_whole(make_mask(9, 9, rows=slice(4, 5), columns=slice(4, 5)))
    corner, _ = see_whole(make_mask(9, 9, rows=slice(0, 2), columns=slice(0, 2)))
    assert (middle.has_centre, corner.has_centre) == (True, False)


@pytest.mark.parametrize(("tolerance", "is_hit"), [(0, False), (4, False), (5, True), (15, True)])
def test_seen_object_is_hit_within_the_tolerance(tolerance: float, is_hit: bool) -> None:
    # From the pixel (10, 10) the nearest pixel of the object, (13, 14), is 5 pixels away.
    seen, _ = see_whole(make_mask(30, 30, rows=slice(13, 20), columns=slice(14, 20)))
    assert seen.is_hit(10.5, 10.5, tolerance_pixels=tolerance) is is_hit


def test_seen_object_spreads_a_map_over_its_own_pixels() -> None:
    seen, _ = see_whole(make_mask(40, 20, rows=slice(0, 20), columns=slice(0, 20)))
    spread = seen.spread(np.array([[1], [0]], dtype=np.float32))
    assert spread.shape == (40, 20)
    assert spread[:10].min() == 1
    assert spread[30:].max() == 0
