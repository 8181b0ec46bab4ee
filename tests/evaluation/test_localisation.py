import numpy as np
import pytest

from app.evaluation.measures.localisation import MAP_METRICS, locate
from app.evaluation.measures.seen import BoolArray
from app.evaluation.results.metrics import Metric
from tests.evaluation.makers import make_map, make_mask, see_whole

IOUS = (Metric.IOU_15, Metric.IOU_50, Metric.IOU_60)


@pytest.fixture
def mask() -> BoolArray:
    """A fifth of 20 x 20 pixels."""
    return make_mask(20, 20, rows=slice(4, 12), columns=slice(6, 16))


def test_locate_gives_one_for_a_map_that_is_the_mask(mask: BoolArray) -> None:
    seen, placement = see_whole(mask)
    values = locate(make_map(mask), seen, placement, tolerance_pixels=0)
    assert values == dict.fromkeys(MAP_METRICS, 1) | {Metric.SHARE_RATIO: pytest.approx(5)}


def test_locate_gives_zero_for_the_masks_complement(mask: BoolArray) -> None:
    seen, placement = see_whole(mask)
    assert locate(make_map(~mask), seen, placement, tolerance_pixels=0) == dict.fromkeys(MAP_METRICS, 0)


def test_locate_gives_the_objects_share_for_a_flat_map(mask: BoolArray) -> None:
    seen, placement = see_whole(mask)
    values = locate(make_map(np.full((5, 5), 0.3)), seen, placement, tolerance_pixels=0)
    assert values[Metric.SHARE_INSIDE] == pytest.approx(0.2)
    assert values[Metric.SHARE_RATIO] == pytest.approx(1)
    assert [values[metric] for metric in IOUS] == pytest.approx([0.2] * 3)


def test_locate_cuts_the_map_at_shares_of_its_own_maximum(mask: BoolArray) -> None:
    """A map of 10 on the object, 5.5 on an equal area beside it and 2 elsewhere: only a cut above 5.5 isolates it."""
    values = np.full((20, 20), 2.0)
    values[mask] = 10
    values[12:20, 6:16] = 5.5
    seen, placement = see_whole(mask)
    measured = locate(make_map(values), seen, placement, tolerance_pixels=0)
    assert [measured[metric] for metric in IOUS] == pytest.approx([0.2, 0.5, 1])
    assert measured[Metric.SHARE_INSIDE] == pytest.approx(800 / (800 + 440 + 480))


def test_locate_says_what_a_map_without_evidence_is_worth(mask: BoolArray) -> None:
    seen, placement = see_whole(mask)
    values = locate(make_map(np.zeros((5, 5))), seen, placement, tolerance_pixels=15)
    assert values == {Metric.POINTING: 0, Metric.SHARE_INSIDE: None, Metric.SHARE_RATIO: None} | dict.fromkeys(IOUS, 0)


def test_locate_is_quantus() -> None:
    rng = np.random.default_rng(5)
    shares, hits = [], []
    for _ in range(30):
        heat = rng.random((20, 20)).astype(np.float32)
        row, column = rng.integers(0, 12, 2)
        seen, placement = see_whole(make_mask(20, 20, rows=slice(row, row + 8), columns=slice(column, column + 6)))
        values = locate(make_map(heat), seen, placement, tolerance_pixels=0)
        shares.append(values[Metric.SHARE_INSIDE])
        hits.append(values[Metric.POINTING])
    # Quantus 0.6.0: RelevanceMassAccuracy and PointingGame, abs and normalise off.
    assert shares[:3] == pytest.approx([0.1213831752538681, 0.1162123829126358, 0.11630605161190033], abs=1e-7)
    assert [place for place, hit in enumerate(hits) if hit] == [11, 14, 19, 25, 27]
