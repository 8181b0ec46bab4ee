import numpy as np
import pytest
from PIL import Image

from app.render.colour_scale import ColourScale
from app.render.overlay import Drawing, Render, cover_difference, draw_map, hatch_negative
from app.render.spread import Spread, spread_map
from models.names import Geometry, Resolution
from models.pictures import bands
from models.pictures.placement import Placement, place
from tests.conftest import make_picture

SCALE = ColourScale("viridis", 0.0, 4.0)
VALUES = np.array([[0, 1], [2, 4]], dtype=np.float32)


def place_crop(width: int, height: int) -> Placement:
    return place(width, height, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_160)


def draw(picture: Image.Image, render: Render, *, opacity: float = 0.5, notice: str | None = None) -> Image.Image:
    drawing = Drawing(render, SCALE, opacity, notice)
    return draw_map(picture, VALUES, place_crop(*picture.size), drawing)


@pytest.mark.parametrize("render", [Render.OVERLAY, Render.HEATMAP, Render.GRAY])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (120, 80), (80, 121), (64, 64)])
def test_draw_map_has_the_pictures_size(render: Render, size: tuple[int, int]) -> None:
    assert draw(make_picture(*size), render).size == size


def test_overlay_lies_on_the_crop_and_nowhere_else() -> None:
    picture = make_picture(120, 60)
    drawn = np.asarray(draw(picture, Render.OVERLAY, opacity=1.0))
    inside = np.asarray(SCALE.colour(spread_map(VALUES, (60, 60))))
    assert np.array_equal(drawn[:, 30:90], inside)
    # Outside: the picture under grey, never a colour of the map.
    source = np.asarray(picture, dtype=float)
    expected = source * 0.45 + 128 * 0.55
    assert np.abs(drawn[:, :30] - expected[:, :30]).max() <= 1
    assert np.abs(drawn[:, 90:] - expected[:, 90:]).max() <= 1


def test_overlay_of_opacity_zero_is_the_picture_inside_the_crop() -> None:
    picture = make_picture(50, 50)
    assert np.array_equal(np.asarray(draw(picture, Render.OVERLAY, opacity=0.0)), np.asarray(picture))


@pytest.mark.parametrize("render", [Render.HEATMAP, Render.GRAY])
def test_maps_alone_are_transparent_outside_the_crop(render: Render) -> None:
    alpha = np.asarray(draw(make_picture(120, 60), render).getchannel("A"))
    assert alpha[:, 30:90].min() == 255
    assert alpha[:, :30].max() == alpha[:, 90:].max() == 0


def test_gray_holds_the_steps_of_the_scale() -> None:
    gray = np.asarray(draw(make_picture(60, 60), Render.GRAY))
    assert (gray.min(), gray.max()) == (0, 255)
    # Lower left holds 2 of 4.
    assert gray[-1, 0] == 128


def test_map_on_a_smaller_copy_lies_on_the_same_part() -> None:
    placement = place_crop(400, 200)
    drawing = Drawing(Render.GRAY, SCALE)
    large = draw_map(make_picture(400, 200), VALUES, placement, drawing).getchannel("A")
    small = draw_map(make_picture(100, 50), VALUES, placement, drawing).getchannel("A")
    assert np.array_equal(np.asarray(large)[::4, ::4], np.asarray(small))


@pytest.mark.parametrize(("size", "side"), [((40, 20), "left"), ((20, 40), "upper")])
def test_peak_of_a_whole_map_lies_on_its_own_cell(size: tuple[int, int], side: str) -> None:
    """One hot position in a map with the picture's aspect: the brightest pixels are those of this position."""
    width, height = size
    values = np.zeros((height // 10, width // 10), dtype=np.float32)
    values[0, 0] = 4
    placement = place(width, height, geometry=Geometry.WHOLE, resolution=Resolution.PIXELS_160)
    gray = np.asarray(draw_map(make_picture(width, height), values, placement, Drawing(Render.GRAY, SCALE)))
    rows, columns = np.nonzero(gray == gray.max())
    assert rows.max() <= 5, side
    assert columns.max() <= 5, side


def test_notice_is_written_across_the_picture() -> None:
    picture = make_picture(300, 200)
    plain, noted = draw(picture, Render.OVERLAY), draw(picture, Render.OVERLAY, notice="no positive evidence for ant")
    changed = np.any(np.asarray(plain) != np.asarray(noted), axis=(1, 2))
    assert changed[100]
    assert not changed[:70].any()


@pytest.mark.parametrize("threshold", [0, 0.5])
@pytest.mark.parametrize("crop", [False, True])
def test_bands_of_an_overlay_join_without_a_seam(crop: bool, threshold: float, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = make_picture(120, 80)
    geometry = Geometry.CENTER_CROP if crop else Geometry.WHOLE
    placement = place(120, 80, geometry=geometry, resolution=Resolution.PIXELS_160)
    drawing = Drawing(Render.OVERLAY, SCALE, 0.5, threshold=threshold)
    at_once = draw_map(picture, VALUES, placement, drawing)
    monkeypatch.setattr(bands, "BAND_PIXELS", 120 * 7)
    assert np.array_equal(np.asarray(draw_map(picture, VALUES, placement, drawing)), np.asarray(at_once))


@pytest.mark.parametrize("size", [(40, 10), (3, 2), (1, 1), (7, 5)])
def test_spread_map_is_pillows_bilinear_filter(size: tuple[int, int]) -> None:
    values = np.random.default_rng(4).normal(size=(5, 7)).astype(np.float32)
    expected = np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))
    assert spread_map(values, size) == pytest.approx(expected, abs=1e-6)
    spread, half = Spread(values, size), size[1] // 2
    parts = [spread.rows(0, half), spread.rows(half, size[1])]
    assert np.concatenate(parts) == pytest.approx(expected, abs=1e-6)


def test_spread_map_keeps_each_position_on_its_own_pixels() -> None:
    spread = spread_map(np.array([[1, 0, 0, 0]], dtype=np.float32), (40, 10))
    assert spread[:, :5].min() == 1
    assert spread[:, 15:].max() == 0


def test_difference_lies_on_a_grey_picture_and_covers_it_only_where_there_is_one() -> None:
    picture = make_picture(64, 64)
    values = np.zeros((8, 8), dtype=np.float32)
    values[:, 6:] = 1
    drawing = Drawing(Render.OVERLAY, ColourScale("RdBu_r", -1, 1), 0.5, is_difference=True)
    drawn = np.asarray(draw_map(picture, values, place_crop(64, 64), drawing)).astype(int)
    unlike = drawn.max(axis=2) - drawn.min(axis=2)
    # The middle of the colour map is nearly white.
    assert unlike[:, :32].max() <= 2
    assert unlike[:, -8:].min() > 50
    assert np.array_equal(np.asarray(cover_difference(values, 1, 0)), np.zeros((8, 8)))
    assert np.array_equal(np.asarray(cover_difference(values, 1, 1)), np.full((8, 8), 255))
    assert np.asarray(cover_difference(values, 1, 0.5))[0, [0, 7]].tolist() == [48, 191]


def test_only_what_is_clearly_negative_is_hatched() -> None:
    blue = Image.new("RGB", (240, 80), (0, 0, 200))
    values = np.full((80, 240), 1, dtype=np.float32)
    values[:, 80:160] = -0.2
    values[:, 160:] = -0.3
    drawn = np.asarray(hatch_negative(blue, values, 1))
    assert (drawn[:, :160] == (0, 0, 200)).all()
    # A line of white and one of black pixels on every sixth diagonal.
    assert (drawn[:, 160:] == 255).all(axis=2).mean() == pytest.approx(1 / 6, abs=0.01)
    assert (drawn[:, 160:] == 0).all(axis=2).mean() == pytest.approx(1 / 6, abs=0.01)
    assert np.array_equal(drawn[1:, 160:-1], drawn[:-1, 161:])


def test_grey_steps_of_a_difference_are_data_without_hatching() -> None:
    values = np.full((4, 4), -1, dtype=np.float32)
    drawing = Drawing(Render.GRAY, ColourScale("RdBu_r", -1, 1), is_difference=True)
    assert set(np.asarray(draw_map(make_picture(40, 40), values, place_crop(40, 40), drawing)).flat) == {0}


@pytest.mark.parametrize("render", [Render.OVERLAY, Render.HEATMAP])
def test_line_is_drawn_on_the_crop_alone(render: Render) -> None:
    picture = make_picture(300, 200)
    placement = place_crop(300, 200)
    left, upper, right, lower = (round(edge) for edge in placement.box)
    plain, outlined = (
        np.asarray(draw_map(picture, VALUES, placement, Drawing(render, SCALE, threshold=threshold)))
        for threshold in (0.0, 0.5)
    )
    has_changed = (plain != outlined).any(axis=2)
    assert has_changed[upper:lower, left:right].any()
    has_changed[upper:lower, left:right] = False
    assert not has_changed.any()


def test_map_without_evidence_has_no_line() -> None:
    silent = ColourScale("viridis", 0.0, 0.0)
    picture = make_picture(100, 100)
    plain, outlined = (
        draw_map(picture, 0 * VALUES, place_crop(100, 100), Drawing(Render.OVERLAY, silent, threshold=threshold))
        for threshold in (0.0, 0.5)
    )
    assert plain == outlined


@pytest.mark.parametrize("render", [Render.GRAY, Render.VALUES])
def test_data_has_no_line(render: Render) -> None:
    picture = make_picture(100, 100)
    plain, outlined = (
        draw_map(picture, VALUES, place_crop(100, 100), Drawing(render, SCALE, threshold=threshold))
        for threshold in (0.0, 0.5)
    )
    assert plain == outlined
