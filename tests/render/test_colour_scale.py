import matplotlib
import numpy as np
import pytest

from app.explain.maps import GateMap
from app.render.attention import STRIP_HEIGHT_PIXELS, draw_channel_strip
from app.render.colour_scale import (
    DIFFERENCE_COLORMAP,
    Colormap,
    ColourScale,
    colour_table,
    limit_difference,
    render_colour_bar,
)
from app.render.overlay import Render


@pytest.mark.parametrize("colormap", [*Colormap, DIFFERENCE_COLORMAP])
def test_colour_scale_gives_matplotlibs_colours(colormap: str) -> None:
    values = np.array([[0.0, 2.0, 4.0]], dtype=np.float32)
    drawn = np.asarray(ColourScale(colormap, 0, 4).colour(values))[0]
    expected = matplotlib.colormaps[colormap](np.array([0, 128, 255]), bytes=True)[:, :3]
    assert np.array_equal(drawn, expected)


def test_quantise_clips_to_the_ends_of_the_scale() -> None:
    scale = ColourScale("viridis", -1, 1)
    assert scale.quantise(np.array([-9, -1, 0, 1, 9], dtype=np.float32)).tolist() == [0, 0, 128, 255, 255]


def test_quantise_of_an_empty_scale_is_the_lowest_step() -> None:
    assert ColourScale("viridis", 0, 0).quantise(np.array([0, 1], dtype=np.float32)).tolist() == [0, 0]


def test_default_colour_map_grows_lighter_all_the_way() -> None:
    luminance = colour_table(Colormap.VIRIDIS) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > -0.5).all()
    assert luminance[-1] - luminance[0] > 150


def test_colour_bar_runs_from_left_to_right() -> None:
    bar = render_colour_bar("magma")
    assert bar.size == (256, 1)
    assert np.array_equal(np.asarray(bar)[0], colour_table("magma"))


@pytest.mark.parametrize("channels", [1, 3, 64, 512, 2048])
def test_channel_strip_gives_every_channel_the_same_width(channels: int) -> None:
    gate = GateMap(np.linspace(0, 1, channels, dtype=np.float32))
    strip = np.asarray(draw_channel_strip(gate, render=Render.GRAY, colormap="viridis"))
    height, width = strip.shape
    assert height == STRIP_HEIGHT_PIXELS
    assert width >= 512
    assert width % channels == 0
    steps = strip[0].reshape(channels, -1)
    assert np.array_equal(steps[:, 0], np.rint(gate.values * 255))
    assert (steps == steps[:, :1]).all()


@pytest.mark.parametrize(("outlier", "limit"), [(1.0, 1.0), (3.0, 1.0), (-40.0, 10.0)])
def test_one_outlier_widens_a_differences_scale_by_four_at_most(outlier: float, limit: float) -> None:
    values = np.full((7, 10), -1, dtype=np.float32)
    values[3, 4] = outlier
    assert limit_difference(values) == limit


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (7, 7), (56, 80)])
def test_scale_of_no_difference_is_not_empty(shape: tuple[int, int]) -> None:
    assert limit_difference(np.zeros(shape, dtype=np.float32)) == 1
    assert limit_difference(np.full(shape, -0.5, dtype=np.float32)) == 0.5
