import numpy as np
import pytest
from PIL import Image

from app.render.region import draw_region, measure_turned_evidence
from models.names import Geometry, Resolution
from models.pictures.placement import place

LEFT = np.array([[1.0, 0.7, 0.0, 0.0]] * 4, dtype=np.float32)
"""A map with all of its evidence on the left."""


def test_region_keeps_its_colours_and_the_rest_is_dark_and_grey() -> None:
    picture = Image.new("RGB", (128, 128), (200, 80, 40))
    placement = place(128, 128, geometry=Geometry.WHOLE, resolution=Resolution.PIXELS_224)
    drawn = np.asarray(draw_region(picture, LEFT, placement, 0.6))
    assert drawn.shape == (128, 128, 3)
    assert drawn[64, 10].tolist() == [200, 80, 40]
    outside = drawn[64, 120].astype(int)
    assert outside.max() == outside.min() < 80
    # A line runs between them.
    assert any((pixel > 240).all() for pixel in drawn[64, 30:80])


def test_higher_threshold_shows_less_and_the_peak_always_shows() -> None:
    picture = Image.new("RGB", (64, 64), (200, 80, 40))
    placement = place(64, 64, geometry=Geometry.WHOLE, resolution=Resolution.PIXELS_224)
    shown = [
        int((np.asarray(draw_region(picture, LEFT, placement, threshold)) == (200, 80, 40)).all(axis=2).sum())
        for threshold in (0.2, 0.6, 0.99)
    ]
    assert shown[0] > shown[1] > shown[2] > 0


def test_picture_outside_of_a_centre_crop_is_dark_whatever_the_map() -> None:
    picture = Image.new("RGB", (200, 100), (200, 80, 40))
    placement = place(200, 100, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_224)
    drawn = np.asarray(draw_region(picture, np.ones((4, 4), dtype=np.float32), placement, 0.5))
    assert drawn[50, 5].max() < 80
    assert drawn[50, 100].tolist() == [200, 80, 40]


def test_turned_evidence_is_what_any_map_has_in_the_turned_place() -> None:
    assert measure_turned_evidence(LEFT, [LEFT], 0.6) == 0
    everywhere = np.ones_like(LEFT)
    assert measure_turned_evidence(LEFT, [LEFT, everywhere], 0.6) == 1
    right = LEFT[:, ::-1]
    assert measure_turned_evidence(LEFT, [right], 0.6) == pytest.approx(0.85)
